import Tensor
import Training

extension Supernet {
  /// Everything that training continues from: weights, velocities, θ and Adam's moments.
  package func state() -> StateDictionary { StateDictionary(entries) }

  /// Takes up a saved state, all of it or nothing.
  ///
  /// - Throws: `UserError` naming the array that is missing or of another shape.
  package func restore(_ state: StateDictionary) throws {
    try state.resume(entries)
    evaluated = nil
  }

  private var entries: [StateEntry] {
    zip(parameters, weightOptimiser.entries).flatMap { [$0.entry, $1] } + theta.entries
  }
}
