import Runs
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

  /// Takes up weights of another network where name and shape agree; see `Checkpoint.start`.
  ///
  /// - Throws: `.data` for class names in the file that do not hold.
  package func start(from weights: Checkpoint, classNames: [String]) throws {
    let entries = parameters.map(\.entry)
    let state = try weights.start(
      for: StateDictionary(entries),
      classifier: ["classifier.weight", "classifier.bias"],
      classNames: classNames
    )
    try state.resume(entries)
    evaluated = nil
  }

  /// The weights of one network alone, under the names that it has as a `Network`; see
  /// `SharedNetwork.state(of:)`.
  package func state(of architecture: Architecture) -> StateDictionary {
    network.state(of: architecture)
  }

  private var entries: [StateEntry] {
    zip(parameters, weightOptimiser.entries).flatMap { [$0.entry, $1] } + theta.entries
  }
}
