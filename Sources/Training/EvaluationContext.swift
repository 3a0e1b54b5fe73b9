import Runs

/// What a task learns from its trainer for an evaluation, at the end of an epoch or of the run.
package struct EvaluationContext {
  /// Epochs that are done; while one is being evaluated, its number from 0.
  package let epoch: Int
  /// Global steps done.
  package let step: Int
  /// Temperature of the last step done.
  package let temperature: Double
  /// Where the run is kept.
  package let folder: RunFolder
  /// What is on record of the run.
  let records: RunReader
  /// Reports what is being evaluated and the share that is done, 0…1; waits while the run is
  /// paused.
  ///
  /// True means that somebody asked to stop.
  package let stops: (_ message: String, _ progress: Double) throws -> Bool

  /// The last epoch of a run whose epochs are done.
  package func lastEpoch() throws -> EpochRecord {
    guard let last = try records.epochs().last else {
      throw UserError(.data, folder.path, "the run has no finished epoch")
    }
    return last
  }

  /// Seconds of training and evaluation, pauses excluded.
  package func seconds() throws -> Double { try records.epochs().reduce(0) { $0 + $1.seconds } }

  /// The error for an evaluation that gave no finite number.
  package func diverged(_ what: String, remedy: String) -> UserError {
    UserError(
      .configuration,
      "epoch \(epoch + 1)",
      "\(what) is not a finite number",
      remedy: remedy + "; the last checkpoint is kept"
    )
  }
}
