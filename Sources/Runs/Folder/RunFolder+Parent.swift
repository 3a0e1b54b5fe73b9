import Foundation

/// The run that another one branched from (spec S84).
package struct RunParent: Codable, Sendable, Equatable {
  /// Absolute path of that run's folder.
  package var run: String
  /// Steps that both have in common.
  package var step: Int

  package init(run: String, step: Int) {
    self.run = run
    self.step = step
  }
}

extension RunFolder {
  /// Where a branch says what it branched from.
  private var parentPath: String { path + "/parent.json" }

  /// The run that this one branched from; nil for one that began at its first step.
  ///
  /// Errors: `.data` for a file that makes no sense.
  package func parent() throws -> RunParent? {
    guard pathExists(parentPath) else { return nil }
    guard let parent = try? JSONDecoder().decode(RunParent.self, from: try readBytes(parentPath))
    else {
      throw UserError(
        .data,
        parentPath,
        "does not name a run and a step",
        remedy: "restore it from a copy, or delete it"
      )
    }
    return parent
  }

  /// Notes what this run branched from.
  package func write(parent: RunParent) throws {
    try writeWhole(try JSONText.encode(parent) + "\n", to: parentPath)
  }
}
