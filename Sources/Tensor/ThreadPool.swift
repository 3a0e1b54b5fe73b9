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
