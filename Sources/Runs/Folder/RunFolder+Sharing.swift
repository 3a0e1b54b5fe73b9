import Foundation

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

  enum CodingKeys: String, CodingKey {
    case version
    case patience = "patience_s"
    case instructionSet = "instruction_set"
  }
}

/// A run that processes of several machines work on, over a file system that they share.
extension RunFolder {
  private var sharingPath: String { path + "/shared.json" }

  /// Whether its lock has to hold between machines.
  ///
  /// Its store is opened by the lock's holder alone then: SQLite's log is not for the file systems
  /// of networks.
  package var isShared: Bool { pathExists(sharingPath) }

  /// What those who work on it agree on; nil where it is of one machine.
  ///
  /// Errors: `.data` for a damaged file.
  package func sharing() throws -> Sharing? {
    isShared ? try readRecord(sharingPath) : nil
  }

  /// Lets its lock hold between machines from now on.
  package func share(_ sharing: Sharing) throws {
    guard try self.sharing() != sharing else { return }
    try writeRecord(sharing, to: sharingPath)
  }
}

/// Reads a value from a file of JSON.
///
/// Errors: `.noInput` for a file that cannot be read, `.data` for one that holds something else.
func readRecord<T: Decodable>(_ path: String) throws -> T {
  do {
    return try StoredJSON.decoder().decode(T.self, from: try readBytes(path))
  } catch let error as UserError {
    throw error
  } catch {
    throw UserError(
      .data,
      path,
      "is damaged",
      remedy: "prepare the run again with supertop farm init"
    )
  }
}

/// Writes a value as a file of JSON: whoever reads it meets the old value or the new one.
func writeRecord(_ value: some Encodable, to path: String) throws {
  try writeWhole(try StoredJSON.text(value) + "\n", to: path)
}
