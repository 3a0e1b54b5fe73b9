import Runs

/// The latencies of a space's networks, block by block.
package protocol LatencyCost: CostModel {
  /// Milliseconds of the searched blocks, in the order of `SearchSpace.parts`.
  func blocks(_ architecture: Architecture) -> [Double]
}

extension AdditiveCost: LatencyCost {
  /// The price of the option that each layer takes.
  package func blocks(_ architecture: Architecture) -> [Double] {
    zip(layers, architecture).map { $0[$1] }
  }
}
