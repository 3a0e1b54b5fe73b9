import Kernels

/// Floats in blocks of 16 hidden channels, [blocks, rows, 16].
///
/// A row is a pixel of the hidden values, a channel of a filter, or one of several numbers of each
/// hidden channel.
struct BlockedArray {
  /// Rows of a block.
  let rows: Int
  private let pointer: UnsafeMutablePointer<Float>
  /// Keeps the memory; nil for a part of what something else keeps.
  private let buffer: Buffer?

  /// Takes memory of unspecified content.
  init(blocks: Int, rows: Int, pool: BufferPool) {
    self.init(pool.take(blocks * rows * blockWidth), rows: rows)
  }

  /// Takes memory that is 0.
  init(zeros blocks: Int, rows: Int, pool: BufferPool) {
    self.init(pool.takeZeros(blocks * rows * blockWidth), rows: rows)
  }

  private init(_ buffer: Buffer, rows: Int) {
    self.rows = rows
    self.buffer = buffer
    pointer = buffer.pointer
  }

  /// Describes a part of memory that must outlive this value.
  init(part pointer: UnsafeMutablePointer<Float>, rows: Int) {
    self.rows = rows
    self.pointer = pointer
    buffer = nil
  }

  /// Where a block begins.
  subscript(block: Int) -> UnsafeMutablePointer<Float> { pointer + block * rows * blockWidth }

  /// Where a row of a block begins.
  subscript(block: Int, row row: Int) -> UnsafeMutablePointer<Float> {
    pointer + (block * rows + row) * blockWidth
  }
}
