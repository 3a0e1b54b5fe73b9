import Runs

/// The latencies of a space's networks, block by block.
package protocol LatencyCost: CostModel {
  /// Milliseconds of the searched blocks, in the order of `SearchSpace.parts`.
  func blocks(_ architecture: Architecture) -> [Double]
  /// Milliseconds of what follows the blocks, the classifier too; nil where it is part of a sum.
  func end(_ architecture: Architecture) -> Double?
}

extension LatencyCost {
  /// Not known.
  package func end(_: Architecture) -> Double? { nil }
}

extension AdditiveCost: LatencyCost {
  /// The price of the option that each layer takes.
  package func blocks(_ architecture: Architecture) -> [Double] {
    zip(layers, architecture).map { $0[$1] }
  }
}
