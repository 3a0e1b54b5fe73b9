import Runs
import Synchronization

/// Asks the trainer of a run to stop: once, but again where the store was too busy to take it.
package final class StopRequest: Sendable {
  private let reader: RunReader
  private let isAsked = Mutex(false)

  package init(_ reader: RunReader) {
    self.reader = reader
  }

  /// Asks, unless that has been done.
  package func ask() {
    isAsked.withLock { isAsked in
      if !isAsked { isAsked = (try? reader.request(.stop)) != nil }
    }
  }
}
