import Data
import Runs

extension RunStore {
  /// Compares data with what the run began with, or notes it where nothing is noted yet (spec
  /// S122).
  ///
  /// With `accepts` changed data is noted in place of the old, and logged. Errors: `.data` with
  /// what has changed; nothing is noted then.
  package func check(_ data: Dataset, source: String, accepts: Bool) throws {
    guard let old = try reader.data() else { return try record(data: data.fingerprint) }
    let changes = data.fingerprint.changes(since: old)
    guard !changes.isEmpty else { return }
    let changed = "the data is not what the run began with: \(changes.joined(separator: ", "))"
    // Scores of other classes than those of the network cannot be gone on with.
    let fits = data.classes == old.learned.classNames.count
    guard accepts && fits else {
      let goOn = fits ? "continue with --accept-changed-data" : "start a new run on this data"
      throw UserError(.data, source, changed, remedy: "put it back, or \(goOn)")
    }
    try log(.warning, changed + "; accepted")
    try record(data: data.fingerprint)
  }
}
