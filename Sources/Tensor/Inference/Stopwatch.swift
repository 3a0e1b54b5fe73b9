import Dispatch

/// Notes when the stages of an `InferenceNetwork` end, so that each can be timed where it really
/// runs: on a map that the stage before has just written, between the weights of the others.
package final class Stopwatch {
  /// Nanoseconds between the marks since `start`.
  package private(set) var laps: [UInt64] = []
  private var last: UInt64 = 0
  /// Nanoseconds that a mark itself takes; they are in each lap.
  package let overhead: UInt64

  /// Makes a watch and finds out what reading it costs.
  package init() {
    let marks = (0..<1001).map { _ in DispatchTime.now().uptimeNanoseconds }
    let gaps = zip(marks, marks.dropFirst()).map { $1 - $0 }.sorted()
    overhead = gaps[gaps.count / 2]
    laps.reserveCapacity(64)
  }

  /// Starts again from zero.
  package func start() {
    laps.removeAll(keepingCapacity: true)
    last = DispatchTime.now().uptimeNanoseconds
  }

  /// Ends a lap.
  package func mark() {
    let now = DispatchTime.now().uptimeNanoseconds
    laps.append(now - last)
    last = now
  }
}
