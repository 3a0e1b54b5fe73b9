import Networks
import Runs
import Tensor

/// What the networks of a search space cost in one metric, and what follows from it: the one place
/// where a search learns of costs.
///
/// A search asks for the cost of a network, for the expected cost under probabilities and under a
/// sampled mixture, and for networks whose cost lies in a range. `AdditiveCost` answers where a
/// network costs the sum of its parts; where the cost of an option depends on its neighbours' it
/// takes another model.
package protocol CostModel: Sendable {
  /// What is counted; latencies are in milliseconds.
  var metric: Configuration.SearchSettings.Cost { get }
  /// What the cheapest and the most expensive network of the space cost.
  var range: ClosedRange<Double> { get }

  /// The cost of an architecture, fixed parts included.
  func cost(_ architecture: Architecture) -> Double
  /// What an architecture's cost changes by when `choice` takes `option`.
  func change(of architecture: Architecture, at choice: Int, to option: Int) -> Double

  /// The expected cost of independent choices; `probabilities` is [choice][option].
  func expected(_ probabilities: [[Double]]) -> Double
  /// ∂ `expected` / ∂ `probabilities`, [choice][option]; analytic, apart from any tape.
  func gradient(_ probabilities: [[Double]]) -> [[Double]]
  /// The expected cost of a sample, the mean over its rows: a scalar on `engine`'s tape.
  ///
  /// There is a mixture for each choice. The value of a hard one is the chosen options', its
  /// gradient the soft one's.
  func expected(_ mixtures: [Mixture], on engine: Engine) -> Tensor

  /// The architecture of greatest Σ `logProbabilities` whose cost lies `within`; nil when nothing
  /// fits.
  ///
  /// `logProbabilities` is [choice][option]: any score that adds up will do, and −∞ bans an option.
  func mostProbable(
    _ logProbabilities: [[Double]],
    within: ClosedRange<Double>
  ) -> Architecture?

  /// Up to `count` different architectures sampled on condition that their cost lies `within` (spec
  /// S11, S12), in the order of the sampling.
  ///
  /// A range may hold fewer than were asked for, and a settled search samples the same one over and
  /// over: after 20 samples for each wanted it is given up.
  ///
  /// - Parameters:
  ///   - count: wanted.
  ///   - probabilities: [choice][option], of independent choices; nil for even ones.
  ///   - within: the lowest and the highest cost allowed.
  ///   - seed: names the random numbers, together with `stream`.
  ///   - stream: tells purposes apart.
  ///   - seen: architectures that do not count.
  /// - Returns: architectures, none twice.
  func samples(
    _ count: Int,
    of probabilities: [[Double]]?,
    within: ClosedRange<Double>,
    seed: UInt64,
    stream: UInt64,
    except seen: Set<Architecture>
  ) -> [Architecture]
}

extension CostModel {
  /// The difference of two costs.
  package func change(of architecture: Architecture, at choice: Int, to option: Int) -> Double {
    var changed = architecture
    changed[choice] = option
    return cost(changed) - cost(architecture)
  }

  /// `expected` of each row of the mixtures, the mean over the rows.
  package func expected(_ mixtures: [Mixture], on engine: Engine) -> Tensor {
    let rows = mixtures.map(\.samples).max() ?? 1
    var value = 0.0
    var gradients = mixtures.map { [Float](repeating: 0, count: $0.weights.count) }
    for row in 0..<rows {
      let weights = mixtures.map { mixture in
        let count = mixture.weights.channels
        let values = mixture.forward ?? mixture.weights.values
        return values[row * count..<(row + 1) * count].map(Double.init)
      }
      value += expected(weights) / Double(rows)
      for (choice, slopes) in gradient(weights).enumerated() {
        for (option, slope) in slopes.enumerated() {
          gradients[choice][row * slopes.count + option] = Float(slope / Double(rows))
        }
      }
    }
    // Linear in the weights with the right slopes, and then moved to the right value.
    let parts = zip(mixtures, gradients).map { mixture, gradient in
      engine.sum(
        engine.multiply(mixture.weights, engine.tensor(gradient, shape: mixture.weights.shape))
      )
    }
    let linear = parts.reduce(engine.tensor([0], shape: [])) { engine.add($0, $1) }
    return engine.affine(linear, factor: 1, constant: Float(value - Double(linear.item)))
  }

  /// Costs that a network may have which makes use of `limit`: the last twentieth below it, or all
  /// within it where no network costs that; all costs where that is nil.
  ///
  /// - Parameters:
  ///   - limit: the most that a network may cost.
  ///   - even: `evenScores` of the options that a network may take.
  /// - Returns: the lowest and the highest cost.
  package func useful(_ limit: Double?, even: [[Double]]) -> ClosedRange<Double> {
    guard let limit else { return CostLimit.within(nil) }
    let using = CostLimit.using(limit)
    return mostProbable(even, within: using) == nil ? CostLimit.within(limit) : using
  }

  /// Checks that a network of the space can cost `limit`; nil is no limit.
  ///
  /// Errors: `.configuration` for a budget that none can meet, with the range of those that one
  /// could.
  func check(limit: Double?) throws {
    guard let limit, !range.contains(limit) else { return }
    let isLow = limit < range.lowerBound
    throw UserError(
      .configuration,
      "budget.\(metric.rawValue)",
      metric.text(limit) + " is "
        + (isLow ? "less than the cheapest" : "more than the most expensive")
        + " network of this space costs",
      remedy: "give \(metric.text(range.lowerBound, rounded: .up)) to "
        + metric.text(range.upperBound, rounded: .down)
    )
  }
}

extension CostMetric {
  /// `latency` where that is the metric, else what `counted` counts.
  ///
  /// Errors: `.configuration` where latency is the cost and not at hand.
  func costModel(
    _ latency: (any LatencyCost)?,
    counted: () -> any CostModel
  ) throws -> any CostModel {
    guard self == .latency else { return counted() }
    guard let latency else {
      throw UserError(
        .configuration,
        "search.cost",
        "no latency table is at hand here",
        remedy: "use flops or params"
      )
    }
    return latency
  }
}

/// Scores of options that are all as probable, [choice][option], and −∞ for those that are
/// `barred`; that is empty for none.
func evenScores(_ optionCounts: [Int], barred: [[Bool]] = []) -> [[Double]] {
  optionCounts.enumerated().map { choice, count in
    (0..<count).map { !barred.isEmpty && barred[choice][$0] ? -.infinity : 0 }
  }
}
