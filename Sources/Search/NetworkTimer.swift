import Foundation
import Networks
import Runs
import Tensor

/// A median with the order statistics that hold it with 95 % confidence, whatever the distribution.
struct MedianInterval: Equatable {
  /// The middle one, or the mean of the middle two.
  let median: Double
  /// Half the width of the interval, as a share of the median; infinite where there are too few values.
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

/// Times one network's calls in batches, so that batches that other load has slowed can be told and replaced.
final class NetworkTimer {
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

  /// Prepares a network of random weights; with `parts` every stage is timed, else the call as a whole.
  ///
  /// Errors: `.unavailable` for blocks that the inference path lacks.
  init(_ description: NetworkDescription, parts: Bool, engine: Engine) throws {
    guard let network = Network(description, engine: engine, seed: 1).inference() else {
      throw UserError(
        .unavailable,
        description.name,
        "has blocks that the inference path lacks",
        remedy: "import a table that was measured elsewhere ('supertop latency import')"
      )
    }
    var random = Philox(seed: 1, purpose: .initialisation, index: .max)
    let shape = [1, description.height, description.width, description.channels]
    image = engine.tensor((0..<shape.reduce(1, *)).map { _ in random.normal() }, shape: shape)
    watch = parts ? Stopwatch() : nil
    network.stopwatch = watch
    self.network = network
  }

  /// Runs for at least `seconds`, twice at least.
  func warmUp(seconds: Double) {
    let clock = ContinuousClock()
    let start = clock.now
    var calls = 0
    while calls < 2 || (clock.now - start).inSeconds < seconds {
      _ = call()
      calls += 1
    }
  }

  /// Times calls for `seconds`, three at least, and asks then whether the machine is slow.
  func runBatch(seconds: Double, isSlow: () -> Bool) {
    var parts: [[Double]] = []
    var whole: [Double] = []
    let clock = ContinuousClock()
    let start = clock.now
    while whole.count < 3 || (clock.now - start).inSeconds < seconds {
      let laps = call()
      if parts.isEmpty { parts = laps.map { _ in [] } }
      for i in laps.indices { parts[i].append(laps[i]) }
      whole.append(laps.reduce(0, +))
    }
    batches.append(parts)
    totals.append((MedianInterval(whole).median, isSlow()))
  }

  /// Seconds of the parts of one call.
  private func call() -> [Double] {
    guard let watch else {
      return [ContinuousClock().measure { _ = network(image) }.inSeconds]
    }
    watch.start()
    _ = network(image)
    watch.mark()
    return watch.laps.map { Double($0 - min($0, watch.overhead)) * 1e-9 }
  }

  /// Least seconds of a call in three.
  var callSeconds: Double { (0..<3).map { _ in call().reduce(0, +) }.min() ?? 0 }

  /// The batches that other load left alone.
  private var kept: [Int] {
    let quiet = totals.indices.filter { !totals[$0].isSlow }
    guard let least = quiet.map({ totals[$0].median }).min() else { return [] }
    return quiet.filter { totals[$0].median <= NetworkTimer.agreement * least }
  }

  /// Timings that count.
  var repeats: Int { kept.reduce(0) { $0 + (batches[$1].first?.count ?? 0) } }

  /// The median of every part over the batches that count; too few of them show in the spread.
  var parts: [MedianInterval] {
    var used = kept
    var unsure = 0.0
    if used.count < NetworkTimer.leastBatches {
      // The fastest ones, and how far they lie apart.
      let order = totals.indices.sorted { totals[$0].median < totals[$1].median }
      used = Array(order.prefix(NetworkTimer.leastBatches))
      guard let first = used.first, let last = used.last else { return [] }
      unsure = used.count < NetworkTimer.leastBatches
        ? .infinity : totals[last].median / totals[first].median - 1
    }
    return (batches.first?.indices ?? 0..<0).map { part in
      let interval = MedianInterval(used.flatMap { batches[$0][part] })
      return MedianInterval(median: interval.median, spread: max(interval.spread, unsure))
    }
  }

  /// The largest spread of a part; infinite before there are batches.
  var spread: Double {
    guard totals.count >= NetworkTimer.leastBatches else { return .infinity }
    return parts.map(\.spread).max() ?? .infinity
  }
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
    let seconds = ContinuousClock().measure { _ = engine.runPeakTiles(10) }.inSeconds
    best = min(best, seconds)
    return seconds
  }
}
