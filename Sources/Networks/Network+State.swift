import Tensor

/// A saved array that does not fit the network.
package struct StateFault: Error, Equatable {
  /// `blocks.3.expand.weight`.
  package let name: String
  /// Shape there; nil if it is missing.
  package let found: [Int]?
  /// Shape wanted.
  package let expected: [Int]
}

extension Network {
  /// Weights and batch-norms' running statistics by readable names.
  ///
  /// `stem.weight`, `stem.gamma`, `stem.beta`, `stem.mean`, `stem.variance`,
  /// `blocks.1.expand.weight`…
  package func state() -> [(name: String, shape: [Int], values: [Float])] {
    parameters.map { ($0.name, $0.shape, Array($0.value.elements)) }
      + norms.flatMap { norm in
        [
          (norm.name + ".mean", norm.gamma.shape, norm.runningMean.map { Float($0) }),
          (norm.name + ".variance", norm.gamma.shape, norm.runningVariance.map { Float($0) }),
        ]
      }
  }

  /// Takes up a saved state.
  ///
  /// Errors: `StateFault` for an array that is missing or of another shape; nothing is changed
  /// then.
  package func restore(_ state: [String: (shape: [Int], values: [Float])]) throws {
    func values(_ name: String, _ shape: [Int]) throws -> [Float] {
      guard let entry = state[name], entry.shape == shape,
        entry.values.count == shape.reduce(1, *)
      else { throw StateFault(name: name, found: state[name]?.shape, expected: shape) }
      return entry.values
    }
    let weights = try parameters.map { try values($0.name, $0.shape) }
    let means = try norms.map { try values($0.name + ".mean", $0.gamma.shape) }
    let variances = try norms.map { try values($0.name + ".variance", $0.gamma.shape) }
    for (parameter, weights) in zip(parameters, weights) {
      for (i, weight) in weights.enumerated() { parameter.value.pointer[i] = weight }
    }
    for (norm, (mean, variance)) in zip(norms, zip(means, variances)) {
      norm.runningMean = mean.map { Double($0) }
      norm.runningVariance = variance.map { Double($0) }
      norm.batches = 1
    }
  }
}
