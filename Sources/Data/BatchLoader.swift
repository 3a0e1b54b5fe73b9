import Dispatch
import Synchronization

/// Hands out the batches of a plan in order and makes the next few in the background.
///
/// At most `ahead` batches wait at any time: one is begun for each that is taken, so nothing polls
/// and no thread sleeps. When the loader goes, work not yet begun is dropped.
package final class BatchLoader: Sequence, IteratorProtocol {
  /// What the loader and its background work share; the work never holds the loader itself.
  private final class Shelf: Sendable {
    let batches = Mutex<[Batch]>([])
    let filled = DispatchSemaphore(value: 0)
    let abandoned = Atomic(false)
  }

  /// What is handed out.
  package let plan: BatchPlan
  /// Index of the batch that `next()` returns.
  package private(set) var nextBatch: Int
  /// Seconds that `next()` has waited for batches in all; near zero while loading keeps up.
  package private(set) var secondsWaited = 0.0

  private let shelf = Shelf()
  private let queue = DispatchQueue(label: "supertop.data.batches", qos: .userInitiated)
  private var begun: Int
  private let step: Int

  /// Starts at once with batch `first`, which is not 0 when a run resumes within an epoch.
  ///
  /// One of each `step` batches is handed out.
  package init(_ plan: BatchPlan, from first: Int = 0, every step: Int = 1, ahead: Int = 3) {
    precondition(first >= 0 && ahead > 0, "BatchLoader: from \(first), ahead \(ahead)")
    self.plan = plan
    self.step = step
    nextBatch = first
    begun = first
    for _ in 0..<ahead { beginOne() }
  }

  deinit {
    shelf.abandoned.store(true, ordering: .relaxed)
  }

  /// Batches made and not yet taken.
  package var ready: Int { shelf.batches.withLock { $0.count } }

  /// The next batch, nil after the last; waits only if the loader is behind.
  package func next() -> Batch? {
    guard nextBatch < plan.count else { return nil }
    if shelf.filled.wait(timeout: .now()) == .timedOut {
      let start = DispatchTime.now().uptimeNanoseconds
      shelf.filled.wait()
      secondsWaited += Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9
    }
    nextBatch += step
    beginOne()
    return shelf.batches.withLock { $0.removeFirst() }
  }

  private func beginOne() {
    guard begun < plan.count else { return }
    queue.async { [shelf, plan, index = begun] in
      guard !shelf.abandoned.load(ordering: .relaxed) else { return }
      let batch = plan.batch(index)
      shelf.batches.withLock { $0.append(batch) }
      shelf.filled.signal()
    }
    begun += step
  }
}
