import Foundation
import Runs
import Tensor

/// What a latency table says of whole networks, against their own timings.
package struct LatencyCheck: Sendable, Equatable {
  /// One network.
  package struct Row: Sendable, Equatable {
    /// Its candidates.
    package var architecture: Architecture
    /// Sum of the table's cells, milliseconds.
    package var predicted: Double
    /// Median of the network's own calls, milliseconds.
    package var measured: Double
    /// Half the width of that median's confidence interval, as a share.
    package var spread: Double

    /// How far the prediction is off, as a share of the measured time; below 0 where it is too low.
    package var error: Double { predicted / measured - 1 }
  }

  /// The networks.
  package var rows: [Row]

  /// Median of the absolute relative errors.
  package var medianError: Double {
    MedianInterval(rows.map { abs($0.error) }).median
  }

  /// Share of the measured variance that the table explains, 1 − Σ(m − p)² / Σ(m − m̄)²; 0 where
  /// all take the same time.
  package var r2: Double {
    let mean = rows.reduce(0) { $0 + $1.measured } / Double(rows.count)
    let total = rows.reduce(0) { $0 + ($1.measured - mean) * ($1.measured - mean) }
    let rest = rows.reduce(0) { $0 + ($1.measured - $1.predicted) * ($1.measured - $1.predicted) }
    return total > 0 ? 1 - rest / total : 0
  }

  /// Kendall's τ-b between the two orders; 0 where one of them has no order.
  package var kendallTau: Double {
    var (score, pairs, others) = (0.0, 0.0, 0.0)
    for i in rows.indices {
      for j in 0..<i {
        let a = sign(rows[i].predicted - rows[j].predicted)
        let b = sign(rows[i].measured - rows[j].measured)
        score += a * b
        pairs += a * a
        others += b * b
      }
    }
    return pairs > 0 && others > 0 ? score / (pairs * others).squareRoot() : 0
  }

  private func sign(_ value: Double) -> Double { value > 0 ? 1 : value < 0 ? -1 : 0 }

  /// A check of `rows`, at least one.
  package init(rows: [Row]) {
    precondition(!rows.isEmpty, "LatencyCheck: no networks")
    self.rows = rows
  }

  /// Samples architectures uniformly, times each as a whole and asks the table.
  ///
  /// The networks take turns, so that a slow spell of the machine meets all of them.
  ///
  /// - Parameters:
  ///   - space: the space.
  ///   - milliseconds: what a network costs by the table.
  ///   - networks: how many, from 1.
  ///   - seed: of the sample.
  ///   - threads: workers inside a network.
  ///   - isa: the kernels.
  ///   - precision: what is enough.
  ///   - progress: called many times a second with the share that is done; what it throws ends the
  ///     check.
  /// - Returns: a row for each network, in the order of the sample.
  /// - Throws: `.unavailable` for a machine too noisy.
  package static func run(
    _ space: any TimedSpace,
    milliseconds: (Architecture) -> Double,
    networks: Int,
    seed: UInt64,
    threads: Int,
    isa: InstructionSet,
    precision: LatencyPrecision = LatencyPrecision(),
    progress: (Double) throws -> Void = { _ in }
  ) throws -> LatencyCheck {
    let engine = Engine(instructionSet: isa, threads: threads)
    var reference = ReferenceLoop(engine)
    let architectures = sample(space, networks, seed: seed)
    let timers = try architectures.enumerated().map { index, architecture in
      try progress(0.1 * Double(index) / Double(networks))
      return NetworkTimer(
        space.network(of: architecture, name: "network \(index + 1)"),
        parts: false,
        engine: engine
      )
    }
    let clock = ContinuousClock()
    let start = clock.now
    let patience = precision.patience * Double(networks)
    var open = Array(timers.indices)
    var rounds = 0
    while !open.isEmpty {
      let passed = (clock.now - start).seconds
      if passed > patience, rounds >= NetworkTimer.leastBatches { break }
      for index in open {
        timers[index].warmUp(seconds: LatencyCheck.batchSeconds / 5)
        timers[index].runBatch(seconds: LatencyCheck.batchSeconds) { reference.isSlow() }
        let done = Double(timers.count - open.count) / Double(timers.count)
        try progress(0.1 + 0.9 * max(done, min(0.95, passed / patience)))
      }
      rounds += 1
      open.removeAll { timers[$0].spread <= precision.target }
    }
    let rows = zip(architectures, timers).map { architecture, timer in
      let interval = timer.parts[0]
      return Row(
        architecture: architecture,
        predicted: milliseconds(architecture),
        measured: 1e3 * interval.median,
        spread: interval.spread
      )
    }
    let worst = rows.map(\.spread).max() ?? 0
    if worst > precision.accepted { throw LatencyTable.tooNoisy(worst, precision) }
    return LatencyCheck(rows: rows)
  }

  private static let batchSeconds = 0.025

  /// Different architectures, as long as there are enough.
  static func sample(_ space: any TimedSpace, _ count: Int, seed: UInt64) -> [Architecture] {
    var random = Philox(seed: seed, purpose: .sampling)
    var seen: Set<Architecture> = []
    var all: [Architecture] = []
    while all.count < count {
      var attempt: Architecture = []
      for _ in 0..<100 {
        attempt = Architecture(space.choices.map { random.below($0.options.count) })
        if seen.insert(attempt).inserted { break }
      }
      all.append(attempt)
    }
    return all
  }
}
