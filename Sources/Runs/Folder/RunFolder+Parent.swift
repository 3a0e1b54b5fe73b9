import Foundation

/// Where a run comes from: another run, and the step at which it left it.
package struct RunParent: Codable, Sendable, Equatable {
  /// Name or path of the parent run.
  package var run: String
  /// Global steps that the parent had done.
  package var step: Int

  package init(run: String, step: Int) {
    self.run = run
    self.step = step
  }
}

extension RunFolder {
  /// Where a run that was branched off says so.
  package var parentPath: String { path + "/parent.json" }

  /// The run and step that this one was branched off at; nil where there is no such record.
  ///
  /// Errors: `.noInput` when it cannot be read, `.data` for anything but such a record.
  package func parent() throws -> RunParent? {
    guard pathExists(parentPath) else { return nil }
    return try readRecord(
      parentPath,
      problem: "not the record of a parent run",
      remedy: "remove it if nothing needs it"
    )
  }

  /// Records where this run comes from, whole or not at all.
  package func write(parent: RunParent) throws {
    try writeWhole(try JSONText.encode(parent, indented: true), to: parentPath)
  }

  /// The run that this one lies in: a search whose `derive` trains it, or whose candidate it is.
  package var owner: String? {
    let place = Path.folder(absolutePath)
    guard ["derived", "trials"].contains(Path.name(place)) else { return nil }
    let above = Path.folder(place)
    return pathExists(above + "/run.sqlite") ? above : nil
  }
}
