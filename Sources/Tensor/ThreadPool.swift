/// Runs chunks of work on several threads, each with a workspace of its own.
///
/// What a chunk is depends on the shape alone, never on the number of threads, and partial results
/// are combined in the order of the chunks: any number of threads gives the same bits (spec S100).
package final class ThreadPool {
  /// Threads used.
  package let threads: Int
  /// Where the time of calls is booked, if anywhere.
  var profile: Profile?
  /// Whether calls do nothing: what operations write is not wanted, only their record.
  var isIdle = false
  private let pool: BufferPool
  private let workers: WorkerThreads
  private var workspaces: [Buffer] = []

  /// Makes a pool of `threads` workers, the caller among them, with workspaces from `pool`.
  package init(threads: Int, pool: BufferPool) {
    precondition(threads > 0, "ThreadPool: \(threads) threads")
    self.threads = threads
    self.pool = pool
    workers = WorkerThreads(helpers: threads - 1)
  }

  /// Calls `body(chunk, workspace)` for every chunk in `0..<chunks`, in any order and on any
  /// thread.
  ///
  /// - Parameters:
  ///   - work: what the profile books the time under; looked at only if there is one, nil is not
  ///     booked.
  ///   - chunks: how many; chunks must not write to the same memory.
  ///   - workspaceFloats: floats that each worker gets, of unspecified content.
  ///   - body: the work.
  package func run(
    _ work: @autoclosure () -> Work? = nil,
    chunks: Int,
    workspaceFloats: Int = 0,
    _ body: (_ chunk: Int, _ workspace: UnsafeMutablePointer<Float>) -> Void
  ) {
    if isIdle { return }
    guard let profile, let work = work() else {
      return spread(chunks: chunks, workspaceFloats: workspaceFloats, body)
    }
    profile.measure(work) {
      spread(chunks: chunks, workspaceFloats: workspaceFloats, body)
    }
  }

  private func spread(
    chunks: Int,
    workspaceFloats: Int,
    _ body: (_ chunk: Int, _ workspace: UnsafeMutablePointer<Float>) -> Void
  ) {
    let count = min(threads, chunks)
    if count == 0 { return }
    reserve(count, floats: max(workspaceFloats, 16))
    if count == 1 {
      for chunk in 0..<chunks { body(chunk, workspaces[0].pointer) }
      return
    }
    workers.run(chunks: chunks, workspaces: workspaces.prefix(count).map(\.pointer), body)
  }

  private func reserve(_ count: Int, floats: Int) {
    for i in 0..<count {
      if i == workspaces.count {
        workspaces.append(pool.takeWorkspace(floats))
      } else if workspaces[i].count < floats {
        workspaces[i] = pool.takeWorkspace(floats)
      }
    }
  }
}
