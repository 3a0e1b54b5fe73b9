import Networks

/// What the architecture parameters of the supernet say.
extension Supernet {
  /// The most probable candidate of every layer.
  package var argmax: Architecture { theta.argmax }
  /// Σ P·price over the layers and the fixed parts, in the metric of the config.
  package var expectedCost: Double { theta.expectedCost }
  /// What networks cost in the metric of the config.
  var costModel: any CostModel { theta.costModel }

  /// Multiply–accumulates of one image.
  package func flops(_ architecture: Architecture) -> Double { space.flops(architecture) }
  /// Weights.
  package func params(_ architecture: Architecture) -> Double { space.params(architecture) }
}
