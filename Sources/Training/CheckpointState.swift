import Runs
import Tensor

extension Checkpoint {
  /// The arrays of `state` together with texts.
  package init(metadata: [String: String], state: StateDictionary) {
    self.init(
      metadata: metadata,
      tensors: state.map { Tensor(name: $0.name, shape: $0.shape, values: $0.values) }
    )
  }

  /// Its arrays.
  package var state: StateDictionary {
    StateDictionary(
      tensors.lazy.map { NamedArray(name: $0.name, shape: $0.shape, values: $0.values) }
    )
  }
}

extension StateDictionary {
  /// Writes a run's saved arrays to `entries`, all of them or none.
  ///
  /// - Throws: `UserError` naming the first array that is missing or of another shape.
  package func resume(_ entries: [StateEntry]) throws {
    do {
      try restore(entries)
    } catch {
      throw UserError(
        .data,
        "checkpoint",
        error.problem,
        remedy: "resume with the config that wrote it"
      )
    }
  }
}
