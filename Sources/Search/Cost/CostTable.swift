/// What the networks of a space cost: a price for each candidate of each layer, and one for what all share
/// (spec S6): the cost of a network is the sum of its parts.
package struct CostTable: Sendable, Equatable {
  /// Prices [layer][candidate], in the order of the logits: FLOPs, weights, or milliseconds.
  package var layers: [[Double]]
  /// The price of stem, head and classifier, in the same unit.
  package var fixed: Double

  /// A table of `layers` and what all networks share.
  package init(layers: [[Double]], fixed: Double) {
    self.layers = layers
    self.fixed = fixed
  }

  /// The cost of an architecture, one candidate index a layer.
  package func cost(_ architecture: [Int]) -> Double {
    zip(layers, architecture).reduce(fixed) { $0 + $1.0[$1.1] }
  }

  /// Σ P·price over the layers and the fixed parts; `probabilities` is [layer][candidate].
  package func expected(_ probabilities: [[Double]]) -> Double {
    zip(probabilities, layers).reduce(fixed) { total, layer in
      total + zip(layer.0, layer.1).reduce(0) { $0 + $1.0 * $1.1 }
    }
  }

  /// What the cheapest and the dearest network of the space cost.
  package var range: ClosedRange<Double> {
    let least = layers.reduce(fixed) { $0 + ($1.min() ?? 0) }
    return least...layers.reduce(fixed) { $0 + ($1.max() ?? 0) }
  }

  /// Costs up to `limit`; all of them where that is nil.
  ///
  /// A network that costs exactly the limit is within it (spec S8), so a rounding above still is: the same
  /// prices, added up in another order, may differ by that.
  package static func within(_ limit: Double?) -> ClosedRange<Double> {
    guard let limit else { return -.infinity ... .infinity }
    return -.infinity...limit + 1e-9 * abs(limit)
  }
}
