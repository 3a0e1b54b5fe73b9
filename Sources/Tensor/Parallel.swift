/// Runs chunks of work on several threads, each with scratch memory of its own.
///
/// What a chunk is depends on the shape alone, never on the number of threads, and partial results are
/// combined in the order of the chunks: any number of threads gives the same bits (spec S100).
package final class WorkerTeam {
  /// Threads used.
  package let threads: Int
  /// Where the time of calls is booked, if anywhere.
  var profile: Profile?
  private let crew: Crew
  private var scratch: [Buffer] = []

  /// Makes a team of `threads` workers.
  package init(threads: Int) {
    precondition(threads > 0, "WorkerTeam: \(threads) threads")
    self.threads = threads
    crew = Crew(helpers: threads - 1)
  }

  /// Calls `body(chunk, scratch)` for every chunk in `0..<chunks`, in any order and on any thread.
  ///
  /// - Parameters:
  ///   - chunks: how many; chunks must not write to the same memory.
  ///   - scratchFloats: floats that each worker gets, of unspecified content.
  ///   - pool: where the scratch comes from.
  ///   - body: the work.
  package func run(
    chunks: Int,
    scratchFloats: Int,
    pool: BufferPool,
    _ body: (_ chunk: Int, _ scratch: UnsafeMutablePointer<Float>) -> Void
  ) {
    guard let profile else {
      return spread(chunks: chunks, scratchFloats: scratchFloats, pool: pool, body)
    }
    profile.measure {
      spread(chunks: chunks, scratchFloats: scratchFloats, pool: pool, body)
    }
  }

  private func spread(
    chunks: Int,
    scratchFloats: Int,
    pool: BufferPool,
    _ body: (_ chunk: Int, _ scratch: UnsafeMutablePointer<Float>) -> Void
  ) {
    let workers = min(threads, chunks)
    if workers == 0 { return }
    reserve(workers, floats: max(scratchFloats, 16), pool: pool)
    if workers == 1 {
      for chunk in 0..<chunks { body(chunk, scratch[0].pointer) }
      return
    }
    crew.run(chunks: chunks, scratch: scratch.prefix(workers).map(\.pointer), body)
  }

  private func reserve(_ workers: Int, floats: Int, pool: BufferPool) {
    for i in 0..<workers {
      if i == scratch.count {
        scratch.append(pool.take(floats))
      } else if scratch[i].count < floats {
        scratch[i] = pool.take(floats)
      }
    }
  }
}

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
  ///   - partialFloats: floats of partial result that each chunk needs; large ones mean fewer chunks.
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
