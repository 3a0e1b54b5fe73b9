import Networks
import Runs
import Tensor

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
    slopes(probabilities).gradient
  }

  /// The cost of the expected shapes of each row of the mixtures, the mean over the rows.
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
      let slopes = slopes(weights)
      value += slopes.value / Double(rows)
      for (choice, slope) in slopes.gradient.enumerated() {
        for (option, part) in slope.enumerated() {
          gradients[choice][row * slope.count + option] = Float(part / Double(rows))
        }
      }
    }
    // Linear in the weights with the right slopes, and then moved to the right value.
    let parts = zip(mixtures, gradients).map { mixture, gradient in
      engine.sum(
        engine.multiply(mixture.weights, engine.tensor(gradient, shape: mixture.weights.shape))
      )
    }
    let linear = parts.dropFirst().reduce(parts[0]) { engine.add($0, $1) }
    return engine.affine(linear, factor: 1, constant: Float(value - Double(linear.item)))
  }

  /// See `MaskedSpace.canonical`.
  package func canonical(_ architecture: Architecture) -> Architecture {
    space.canonical(architecture)
  }

  private func counted<Number>(_ cost: Cost<Number>) -> Number {
    metric == .flops ? cost.flops(.madds) : cost.params(.madds)
  }

  /// The expected cost and its derivatives, [choice][option].
  private func slopes(_ weights: [[Double]]) -> (value: Double, gradient: [[Double]]) {
    let total = optionCounts.reduce(0, +)
    var place = 0
    let duals = weights.map { row in
      row.map { weight in
        var gradient = [Double](repeating: 0, count: total)
        gradient[place] = 1
        place += 1
        return Dual(weight, gradient: gradient)
      }
    }
    let cost = counted(space.cost(duals))
    var rest = cost.gradient[...]
    let gradient = optionCounts.map { count in
      defer { rest = rest.dropFirst(count) }
      return Array(rest.prefix(count))
    }
    return (cost.value, gradient)
  }
}
