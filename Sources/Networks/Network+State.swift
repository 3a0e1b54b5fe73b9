import Tensor

extension Network {
  /// Weights and batch-norms' running statistics by readable names.
  ///
  /// `stem.weight`, `stem.gamma`, `stem.beta`, `stem.mean`, `stem.variance`,
  /// `blocks.1.expand.weight`…
  package func state() -> StateDictionary { StateDictionary(entries) }

  /// Takes up a saved state, all of it or nothing.
  ///
  /// - Throws: `StateFault` for the first array that is missing or of another shape.
  package func restore(_ state: StateDictionary) throws(StateFault) {
    try state.restore(entries)
  }

  /// What a state of the network holds.
  package var entries: [StateEntry] { parameters.map(\.entry) + norms.flatMap(\.entries) }
}
