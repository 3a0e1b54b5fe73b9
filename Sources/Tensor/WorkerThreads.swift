import CSystem
import Dispatch
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Threads that help one thread with its chunks, and stay awake for a moment after each job.
///
/// A step is some hundred jobs with little between them. Waking a thread takes about as long as a
/// small job does, so a helper looks for the next one for a while before it gives its thread back
/// to Dispatch.
final class WorkerThreads: Sendable {
  private typealias Body = (_ chunk: Int, _ workspace: UnsafeMutablePointer<Float>) -> Void

  private struct Job {
    var chunks: Int
    /// One for each worker, the caller's first.
    var workspaces: [UnsafeMutablePointer<Float>]
    var body: Body
  }

  /// The number of the job, whether one may still join it, and how many helpers are inside.
  private let state = Atomic<UInt64>(0)
  private let next = Atomic<Int>(0)
  private let helpers: [Helper]
  // Safe: written by the caller alone, while nobody is inside and nobody may join; read by helpers
  // that are inside. Both orders go through `state`.
  private nonisolated(unsafe) var job: Job?

  private final class Helper: Sendable {
    let isAwake = Atomic<Bool>(false)
  }

  private static let open: UInt64 = 1 << 15
  private static let inside: UInt64 = open - 1
  private static let number: UInt64 = 1 << 16
  /// Nanoseconds that a helper waits for the next job without giving way, and in all.
  private static let patience: (alert: UInt64, awake: UInt64) = (20_000, 500_000)

  init(helpers: Int) { self.helpers = (0..<helpers).map { _ in Helper() } }

  /// Calls `body` for every chunk, on this thread and on as many helpers as `workspaces` has room
  /// for.
  ///
  /// Not to be called by two threads at once, nor from within.
  func run(
    chunks: Int,
    workspaces: [UnsafeMutablePointer<Float>],
    _ body: (_ chunk: Int, _ workspace: UnsafeMutablePointer<Float>) -> Void
  ) {
    withoutActuallyEscaping(body) { body in
      job = Job(chunks: chunks, workspaces: workspaces, body: body)
      next.store(0, ordering: .relaxed)
      let closed = state.load(ordering: .relaxed)
      state.store(closed &+ WorkerThreads.number | WorkerThreads.open, ordering: .releasing)
      for index in 0..<workspaces.count - 1
      where !helpers[index].isAwake.exchange(true, ordering: .acquiringAndReleasing) {
        DispatchQueue.global(qos: .userInitiated).async { self.help(index) }
      }
      take(chunks, workspaces[0], body)
      // Who has not come by now would find nothing to do.
      state.bitwiseAnd(~WorkerThreads.open, ordering: .acquiringAndReleasing)
      var looks = 0
      while state.load(ordering: .acquiring) & WorkerThreads.inside > 0 {
        looks += 1
        if looks < 1000 { cs_relax() } else { sched_yield() }
      }
      job = nil
    }
  }

  private func take(_ chunks: Int, _ workspace: UnsafeMutablePointer<Float>, _ body: Body) {
    while true {
      let chunk = next.wrappingAdd(1, ordering: .relaxed).oldValue
      if chunk >= chunks { return }
      body(chunk, workspace)
    }
  }

  /// A helper's life between two sleeps.
  private func help(_ index: Int) {
    var last: UInt64 = 0
    var start = DispatchTime.now().uptimeNanoseconds
    while true {
      if join(index, after: &last) {
        start = DispatchTime.now().uptimeNanoseconds
        continue
      }
      let waited = DispatchTime.now().uptimeNanoseconds - start
      if waited < WorkerThreads.patience.alert {
        cs_relax()
      } else if waited < WorkerThreads.patience.awake {
        sched_yield()
      } else {
        // A job that opens right now is done without this helper, or wakes it again.
        helpers[index].isAwake.store(false, ordering: .releasing)
        return
      }
    }
  }

  /// Works on the open job, if there is one other than the `last`.
  private func join(_ index: Int, after last: inout UInt64) -> Bool {
    let found = state.load(ordering: .acquiring)
    guard found & WorkerThreads.open > 0, found / WorkerThreads.number != last,
      state.compareExchange(
        expected: found,
        desired: found + 1,
        ordering: .acquiringAndReleasing
      ).exchanged
    else { return false }
    last = found / WorkerThreads.number
    if let job, index + 1 < job.workspaces.count {
      take(job.chunks, job.workspaces[index + 1], job.body)
    }
    state.wrappingSubtract(1, ordering: .acquiringAndReleasing)
    return true
  }
}
