import Networks
import Runs
import Tensor

/// The cost of a network as the sum of its parts (spec S6): a price for each option of each layer,
/// and one for what all networks share.
package struct AdditiveCost: TrellisCostModel, Equatable {
  /// Prices [layer][candidate], in the order of the logits: FLOPs, weights, or milliseconds.
  package var layers: [[Double]]
  /// The price of stem, head and classifier, in the same unit.
  package var fixed: Double
  /// What the prices count.
  package let metric: Configuration.SearchSettings.Cost

  /// Prices of `layers` and of what all networks share.
  package init(
    layers: [[Double]],
    fixed: Double,
    metric: Configuration.SearchSettings.Cost = .flops
  ) {
    self.layers = layers
    self.fixed = fixed
    self.metric = metric
  }

  /// The sum of the prices, from the fixed part on in the order of the layers.
  package func cost(_ architecture: Architecture) -> Double {
    zip(layers, architecture).reduce(fixed) { $0 + $1.0[$1.1] }
  }

  /// The difference of two prices, without the rounding of the whole sums.
  package func change(of architecture: Architecture, at choice: Int, to option: Int) -> Double {
    layers[choice][option] - layers[choice][architecture[choice]]
  }

  /// Sums of the cheapest and of the most expensive candidates.
  package var range: ClosedRange<Double> {
    let least = layers.reduce(fixed) { $0 + ($1.min() ?? 0) }
    return least...layers.reduce(fixed) { $0 + ($1.max() ?? 0) }
  }

  /// Σ P·price over the layers and the fixed parts; `probabilities` is [layer][candidate].
  package func expected(_ probabilities: [[Double]]) -> Double {
    zip(probabilities, layers).reduce(fixed) { total, layer in
      total + zip(layer.0, layer.1).reduce(0) { $0 + $1.0 * $1.1 }
    }
  }

  /// The prices, whatever the probabilities.
  package func gradient(_ probabilities: [[Double]]) -> [[Double]] { layers }

  /// Σ m·price over the layers and the fixed parts, the mean over the rows of the mixtures.
  package func expected(_ mixtures: [Mixture], on engine: Engine) -> Tensor {
    zip(mixtures, layers).reduce(engine.tensor([Float(fixed)], shape: [])) {
      engine.add($0, expected($1.0, prices: $1.1, on: engine))
    }
  }

  /// Σᵢ mᵢ·priceᵢ of one layer; the value of a hard mixture is the chosen one's, the gradient the
  /// soft's.
  private func expected(_ mixture: Mixture, prices layer: [Double], on engine: Engine) -> Tensor {
    let weights = mixture.weights
    let samples = mixture.samples
    let prices = (0..<samples).flatMap { _ in layer.map(Float.init) }
    let soft = engine.affine(
      engine.sum(engine.multiply(weights, engine.tensor(prices, shape: weights.shape))),
      factor: 1 / Float(samples)
    )
    guard let hard = mixture.forward else { return soft }
    let value = zip(hard, prices).reduce(Float(0)) { $0 + $1.0 * $1.1 } / Float(samples)
    return engine.affine(soft, factor: 1, constant: value - soft.item)
  }
}
