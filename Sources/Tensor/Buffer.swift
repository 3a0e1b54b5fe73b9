#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Floats on loan from a pool; the memory goes back when the last owner lets go.
package final class Buffer {
  /// First element, aligned to 64 bytes.
  package let pointer: UnsafeMutablePointer<Float>
  /// Elements asked for.
  package let count: Int
  private let pool: BufferPool
  private let capacity: Int

  fileprivate init(
    pointer: UnsafeMutablePointer<Float>,
    count: Int,
    capacity: Int,
    pool: BufferPool
  ) {
    self.pointer = pointer
    self.count = count
    self.capacity = capacity
    self.pool = pool
  }

  deinit {
    pool.giveBack(pointer, capacity: capacity)
  }

  /// The elements, for code that is not hot.
  package var elements: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: pointer, count: count)
  }

  /// Sets every element to 0.
  package func clear() {
    pointer.update(repeating: 0, count: count)
  }
}

/// Free memory by size, kept for the next step, so that a steady step asks the system for nothing.
///
/// Sizes are rounded up to an eighth of a power of two: layers of similar shape share memory, and
/// at most an eighth is wasted.
package final class BufferPool {
  private var free: [Int: [UnsafeMutablePointer<Float>]] = [:]
  /// Times that the system was asked for memory; constant over steady steps.
  package private(set) var systemAllocations = 0
  /// Floats held, in use or free.
  package private(set) var heldFloats = 0
  /// Whether a buffer may be lent that is up to `mostLarger` times as large as what is wanted.
  ///
  /// For maps of the same operator at several resolutions, one after the other: with sizes of their
  /// own each would hold memory that the others cannot use.
  private var lendsLarger = false
  private static let mostLarger = 8

  package init() {}

  deinit {
    for list in free.values {
      for pointer in list { UnsafeMutableRawPointer(pointer).deallocate() }
    }
  }

  /// Borrows `count` floats of unspecified content.
  package func take(_ count: Int) -> Buffer {
    let capacity = BufferPool.capacity(for: count)
    if let pointer = free[capacity]?.popLast() {
      return Buffer(pointer: pointer, count: count, capacity: capacity, pool: self)
    }
    if lendsLarger, let larger = nextLarger(than: capacity), let pointer = free[larger]?.popLast() {
      return Buffer(pointer: pointer, count: count, capacity: larger, pool: self)
    }
    systemAllocations += 1
    heldFloats += capacity
    // Kernels read whole vectors, and may look a little beyond the last element.
    let bytes = (capacity + BufferPool.slack) * MemoryLayout<Float>.stride
    // Large buffers get huge pages: a supernet step walks gigabytes, and page walks show.
    let huge = 1 << 21
    let raw = UnsafeMutableRawPointer.allocate(
      byteCount: bytes,
      alignment: bytes >= huge ? huge : 64
    )
    #if os(Linux)
      if bytes >= huge { _ = madvise(raw, bytes, MADV_HUGEPAGE) }
    #endif
    let pointer = raw.bindMemory(to: Float.self, capacity: capacity)
    pointer.initialize(repeating: 0, count: min(capacity, 16))
    (pointer + capacity).initialize(repeating: 0, count: BufferPool.slack)
    return Buffer(pointer: pointer, count: count, capacity: capacity, pool: self)
  }

  /// Runs `body`, whose buffers may be larger than what they hold.
  func lendingLarger<Result>(_ body: () -> Result) -> Result {
    let before = lendsLarger
    defer { lendsLarger = before }
    lendsLarger = true
    return body()
  }

  /// The smallest size above `capacity` that is free and not too large.
  private func nextLarger(than capacity: Int) -> Int? {
    free.lazy.filter { size, pointers in
      size > capacity && size <= Self.mostLarger * capacity && !pointers.isEmpty
    }.map(\.key).min()
  }

  /// Borrows `count` zeros.
  package func takeZeros(_ count: Int) -> Buffer {
    let buffer = take(count)
    buffer.clear()
    return buffer
  }

  fileprivate func giveBack(_ pointer: UnsafeMutablePointer<Float>, capacity: Int) {
    free[capacity, default: []].append(pointer)
  }

  /// Floats behind every buffer that may be read, and never count.
  static let slack = 64

  /// `count` rounded up to a size of the pool, in floats.
  static func capacity(for count: Int) -> Int {
    let least = max(count, 64)
    let power = Int.bitWidth - 1 - least.leadingZeroBitCount
    let step = max(16, 1 << max(0, power - 3))
    return (least + step - 1) / step * step
  }
}
