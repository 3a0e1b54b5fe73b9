import Foundation
import Networks
import Runs
import Tensor

/// A median with the order statistics that enclose it with 95 % confidence, whatever the
/// distribution.
struct MedianInterval: Equatable {
  /// The middle one, or the mean of the middle two.
  let median: Double
  /// Half the width of the interval, as a share of the median; infinite where there are too few
  /// values.
  let spread: Double

  /// Of values in any order, at least one.
  init(_ values: [Double]) {
    precondition(!values.isEmpty, "MedianInterval: no values")
    let sorted = values.sorted()
    let n = sorted.count
    median = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2
    // The normal approximation of the binomial distribution of ranks.
    let rank = Int((Double(n) / 2 - 0.98 * Double(n).squareRoot()).rounded(.down))
    guard rank >= 0, n >= 6 else {
      spread = .infinity
      return
    }
    spread = median > 0 ? (sorted[n - 1 - rank] - sorted[rank]) / 2 / median : 0
  }
}

/// Times one network's calls in batches, so that batches that other load has slowed can be
/// recognised and replaced.
package final class NetworkTimer {
  private let network: InferenceNetwork
  private let image: Tensor
  private let watch: Stopwatch?
  /// Seconds of each call, [batch][part][call].
  private var batches: [[[Double]]] = []
  /// Median of the whole call in each batch, and whether the machine was slow round it.
  private var totals: [(median: Double, isSlow: Bool)] = []

  /// Batches that must agree before anything is believed.
  static let leastBatches = 4
  /// How far a batch may lie above the fastest one.
  private static let agreement = 1.03

  /// Prepares a network of random weights; with `parts` every stage is timed, else the call as a
  /// whole.
  init(_ description: NetworkDescription, parts: Bool, engine: Engine) {
    network = Network(description, engine: engine, seed: 1).inference()
    var random = Philox(seed: 1, purpose: .initialisation, index: .max)
    let shape = [1, description.height, description.width, description.channels]
    image = engine.tensor((0..<shape.reduce(1, *)).map { _ in random.normal() }, shape: shape)
    watch = parts ? Stopwatch() : nil
    network.stopwatch = watch
  }

  /// Milliseconds of a whole network, the median of calls that other load left alone as far as that
  /// was possible within a second.
  package static func milliseconds(_ network: NetworkDescription, engine: Engine) -> Double {
    let timer = NetworkTimer(network, parts: false, engine: engine)
    var reference = ReferenceLoop(engine)
    timer.warmUp(seconds: 0.05)
    for _ in 0..<40 where timer.spread > LatencyPrecision().target {
      timer.runBatch(seconds: 0.025) { reference.isSlow() }
    }
    return 1e3 * timer.parts[0].median
  }

  /// Runs for at least `seconds`, twice at least.
  func warmUp(seconds: Double) {
    let clock = ContinuousClock()
    let start = clock.now
    var calls = 0
    while calls < 2 || (clock.now - start).seconds < seconds {
      _ = call()
      calls += 1
    }
  }

  /// Times calls for `seconds`, three at least, and asks then whether the machine is slow.
  ///
  /// A call that the system has interrupted for another program does not count, nor the next one,
  /// which finds the caches changed; unless nearly all calls are so.
  func runBatch(seconds: Double, isSlow: () -> Bool) {
    var calm: [[Double]] = []
    var disturbed: [[Double]] = []
    let clock = ContinuousClock()
    let start = clock.now
    var interruptions = NetworkTimer.interruptions
    var wasCalm = true
    while true {
      let laps = call()
      let now = NetworkTimer.interruptions
      let isCalm = now == interruptions
      interruptions = now
      if isCalm, wasCalm { calm.append(laps) } else { disturbed.append(laps) }
      wasCalm = isCalm
      let passed = (clock.now - start).seconds
      if passed >= seconds, calm.count >= 3 || disturbed.count >= 3 && passed >= 10 * seconds {
        break
      }
    }
    let calls = calm.count >= 3 ? calm : calm + disturbed
    batches.append(calls[0].indices.map { part in calls.map { $0[part] } })
    totals.append((MedianInterval(calls.map { $0.reduce(0, +) }).median, isSlow()))
  }

  /// How often the system took a processor from this program while it had work.
  private static var interruptions: Int {
    var usage = rusage()
    #if os(Linux)
      getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    #else
      getrusage(RUSAGE_SELF, &usage)
    #endif
    return usage.ru_nivcsw
  }

  /// Seconds of the parts of one call: stem, blocks, and head with all that follows it.
  private func call() -> [Double] {
    guard let watch else {
      return [ContinuousClock().measure { _ = network(image) }.seconds]
    }
    watch.start()
    _ = network(image)
    watch.mark()
    var laps = watch.laps.map { Double($0 - min($0, watch.overhead)) * 1e-9 }
    // The classifier and the result are too short to be known alone; a network of identities has
    // nothing else.
    if laps.count > 1, let result = laps.popLast() { laps[laps.count - 1] += result }
    return laps
  }

  /// Least seconds of a call in three.
  var callSeconds: Double { (0..<3).map { _ in call().reduce(0, +) }.min() ?? 0 }

  /// The batches that other load left alone.
  private var kept: [Int] {
    let quiet = totals.indices.filter { !totals[$0].isSlow }
    guard let least = quiet.map({ totals[$0].median }).min() else { return [] }
    return quiet.filter { totals[$0].median <= NetworkTimer.agreement * least }
  }

  /// The batches that count, and how far they lie apart where too few agree.
  private var used: (batches: [Int], unsure: Double) {
    let kept = kept
    if kept.count >= NetworkTimer.leastBatches { return (kept, 0) }
    let order = totals.indices.sorted { totals[$0].median < totals[$1].median }
    let fastest = Array(order.prefix(NetworkTimer.leastBatches))
    guard fastest.count == NetworkTimer.leastBatches, let first = fastest.first,
      let last = fastest.last
    else { return (fastest, .infinity) }
    return (fastest, totals[last].median / totals[first].median - 1)
  }

  /// Timings that count.
  var repeats: Int { used.batches.reduce(0) { $0 + (batches[$1].first?.count ?? 0) } }

  /// The median of every part over the batches that count; too few of them show in the spread.
  var parts: [MedianInterval] {
    let (used, unsure) = used
    return (batches.first?.indices ?? 0..<0).map { part in
      let interval = MedianInterval(used.flatMap { batches[$0][part] })
      return MedianInterval(median: interval.median, spread: max(interval.spread, unsure))
    }
  }

  /// The largest spread of a part; infinite before there are batches enough.
  var spread: Double { parts.map(\.spread).max() ?? .infinity }

  /// Whether there are so many batches that four could agree.
  var isTimed: Bool { totals.count >= NetworkTimer.leastBatches }
}

extension MedianInterval {
  init(median: Double, spread: Double) {
    self.median = median
    self.spread = spread
  }
}

/// A loop of known work, timed again and again: where it slows down, others use the machine.
struct ReferenceLoop {
  private let engine: Engine
  private var best = Double.infinity

  /// How much slower than ever before still counts as undisturbed.
  private static let tolerance = 1.1

  init(_ engine: Engine) {
    self.engine = engine
    for _ in 0..<20 { _ = run() }
  }

  /// Whether the machine is slow now.
  mutating func isSlow() -> Bool {
    // A single interruption says nothing about the calls before or after it.
    min(run(), run()) > ReferenceLoop.tolerance * best
  }

  private mutating func run() -> Double {
    let seconds = ContinuousClock().measure { _ = engine.runPeakTiles(10) }.seconds
    best = min(best, seconds)
    return seconds
  }
}
