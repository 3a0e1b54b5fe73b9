/// What is known of a trial without its store, which its trainer alone may open where several
/// machines share the folder.
package struct TrialReport: Codable, Sendable, Equatable {
  /// Epochs that are done, oldest first.
  package var epochs: [EpochRecord] = []
  /// What it came to; nil before its end.
  package var result: TrainingResult?
  /// Why it failed; nil where it did not.
  package var fault: String?

  package init() {}

  /// Whether nothing more will be known of it.
  package var isSettled: Bool { result != nil || fault != nil }
}

extension RunFolder {
  private var reportPath: String { path + "/trial.json" }

  /// How far the trial of this folder has come; nothing where it has not begun.
  ///
  /// Errors: `.data` for a damaged file.
  package func report() throws -> TrialReport {
    pathExists(reportPath) ? try readRecord(reportPath) : TrialReport()
  }

  /// Keeps how far the trial has come, in place of what was; for the holder of its lock.
  package func write(report: TrialReport) throws { try writeRecord(report, to: reportPath) }
}
