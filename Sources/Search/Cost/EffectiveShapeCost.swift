import Networks
import Runs

/// The cost of networks of masked blocks: a layer costs the product of its shapes, so what an
/// option costs depends on its neighbours' (FBNetV2 section 3.3; spec S24, S25).
///
/// The expected cost is that of the expected shapes, as the paper has it. It differs from the mean
/// cost of sampled networks as far as the shapes of a layer vary together, and agrees with it where
/// the choices are settled.
package struct EffectiveShapeCost: TrellisCostModel {
  /// What is counted.
  package let metric: Configuration.SearchSettings.Cost
  /// What the cheapest and the most expensive network cost.
  package let range: ClosedRange<Double>
  private let space: MaskedSpace
  /// Options of each choice.
  package let optionCounts: [Int]
  /// The networks by their exact costs.
  package let trellis: CostTrellis

  /// Counts the networks of `space` in `metric`.
  ///
  /// - Precondition: `metric` is counted, which latency is not.
  package init(_ space: MaskedSpace, metric: Configuration.SearchSettings.Cost) {
    precondition(metric != .latency, "latencies are measured, not counted")
    self.space = space
    self.metric = metric
    optionCounts = space.optionCounts
    trellis = space.trellis(metric)
    range = trellis.range
  }

  /// Exact: counted in whole numbers.
  package func cost(_ architecture: Architecture) -> Double {
    let oneHot = zip(optionCounts, architecture).map { count, option in
      (0..<count).map { $0 == option ? 1 : 0 }
    }
    return Double(counted(space.cost(oneHot)))
  }

  /// The cost of the expected shapes.
  package func expected(_ probabilities: [[Double]]) -> Double {
    counted(space.cost(probabilities))
  }

  /// Exact, by forward differentiation.
  package func gradient(_ probabilities: [[Double]]) -> [[Double]] {
    let total = optionCounts.reduce(0, +)
    var place = 0
    let duals = probabilities.map { row in
      row.map { weight in
        var gradient = [Double](repeating: 0, count: total)
        gradient[place] = 1
        place += 1
        return Dual(weight, gradient: gradient)
      }
    }
    var rest = counted(space.cost(duals)).gradient[...]
    return optionCounts.map { count in
      defer { rest = rest.dropFirst(count) }
      return Array(rest.prefix(count))
    }
  }

  /// See `MaskedSpace.canonical`.
  package func canonical(_ architecture: Architecture) -> Architecture {
    space.canonical(architecture)
  }

  private func counted<Number>(_ cost: Cost<Number>) -> Number {
    metric == .flops ? cost.flops(.madds) : cost.params(.madds)
  }
}
