import Foundation

extension RunFolder {
  /// The architecture of a training as JSON.
  ///
  /// Errors: `.noInput` when it cannot be read.
  package func network() throws -> Data { try readBytes(networkPath) }

  /// The weights that a training starts from; nil where they are drawn.
  package func start() throws -> Checkpoint? {
    guard pathExists(startPath) else { return nil }
    return try Checkpoint.read(from: startPath)
  }
}
