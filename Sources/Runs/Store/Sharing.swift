/// What processes of several machines that work on one run agree on (`supertop farm init`).
package struct Sharing: Codable, Sendable, Equatable {
  /// Seconds without a sign of life after which a process counts as dead.
  package var patience: Double
  /// Of the program; another one may train to other bits.
  package var version: String
  /// Of the processor; another one computes other bits.
  package var instructionSet: String

  package init(patience: Double, version: String, instructionSet: String) {
    self.patience = patience
    self.version = version
    self.instructionSet = instructionSet
  }

  /// What those who work on the run in a folder agree on; nil for a run of one machine.
  ///
  /// Errors: `.data` for a damaged file.
  static func of(_ runFolder: String) throws -> Sharing? {
    pathExists(path(in: runFolder)) ? try readRecord(path(in: runFolder)) : nil
  }

  static func path(in runFolder: String) -> String { runFolder + "/shared.json" }

  enum CodingKeys: String, CodingKey {
    case version
    case patience = "patience_s"
    case instructionSet = "instruction_set"
  }
}
