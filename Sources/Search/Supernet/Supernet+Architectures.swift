import Networks

/// What the architecture parameters of the supernet say.
extension Supernet {
  /// The most probable candidate of every layer.
  package var argmax: [Int] { theta.argmax }
  /// Σ P·price over the layers and the fixed parts, in the metric of the config.
  package var expectedCost: Double { theta.expectedCost }
  /// Prices in the metric of the config.
  var prices: CostTable { theta.prices }

  /// Multiply–accumulates of one image.
  package func flops(_ architecture: [Int]) -> Double { macro.flops(architecture) }
  /// Weights.
  package func params(_ architecture: [Int]) -> Double { macro.params(architecture) }
}
