/// Rows cut into chunks by shape alone.
package struct Chunks {
  /// How many.
  package let count: Int
  private let rows: Int
  private let unit: Int
  private let unitsPerChunk: Int

  /// Cuts `rows` at multiples of `unit`.
  ///
  /// - Parameters:
  ///   - rows: rows in all.
  ///   - unit: rows that must stay together (an image, or 1).
  ///   - rowFloats: floats that a row touches; small work stays in few chunks.
  ///   - partialFloats: floats of partial result that each chunk needs; large ones mean fewer
  ///     chunks.
  package init(rows: Int, unit: Int = 1, rowFloats: Int, partialFloats: Int = 0) {
    let units = (rows + unit - 1) / unit
    let wanted = max(1, rows * rowFloats / (1 << 14))
    let affordable = partialFloats > 0 ? max(4, (1 << 20) / partialFloats) : 64
    var target = max(1, min(units, wanted, affordable, 64))
    // A power of two divides among most teams, and most batches into it.
    target = 1 << (Int.bitWidth - 1 - target.leadingZeroBitCount)
    self.rows = rows
    self.unit = unit
    // At least one, so that no rows give no chunks.
    unitsPerChunk = max(1, (units + target - 1) / target)
    count = (units + unitsPerChunk - 1) / unitsPerChunk
  }

  /// Rows of a chunk.
  package subscript(chunk: Int) -> Range<Int> {
    let first = chunk * unitsPerChunk * unit
    return first..<min(rows, first + unitsPerChunk * unit)
  }
}
