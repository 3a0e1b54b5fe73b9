import Foundation

/// A run in the memory of other processes, which train it together with this one.
extension RunFolder {
  /// The files from which training goes on after `step` steps, but for the store: names within the
  /// folder, and contents.
  package func files(from step: Int) throws -> [(name: String, bytes: Data)] {
    try [configurationPath, networkPath, startPath, latencyPath, checkpointPath(step: step)]
      .filter(pathExists)
      .map { (String($0.dropFirst(path.count + 1)), try readBytes($0)) }
  }

  /// Makes a run of such files.
  ///
  /// Errors: `.cannotCreate` and `.io` for a place that cannot be written.
  package static func copy(
    at path: String,
    store: Data,
    files: [(name: String, bytes: Data)]
  ) throws -> RunFolder {
    for part in ["checkpoints", "exports"] {
      let fault = makeFolders(path + "/" + part)
      guard fault == 0 else {
        throw UserError(
          .cannotCreate,
          path,
          "the folder cannot be made, \(systemMessage(fault))",
          remedy: "set TMPDIR to a folder that can be written"
        )
      }
    }
    for (name, bytes) in files + [("run.sqlite", store)] {
      try writeWhole(to: path + "/" + name) { write in try bytes.withUnsafeBytes(write) }
    }
    return try open(path: path)
  }
}
