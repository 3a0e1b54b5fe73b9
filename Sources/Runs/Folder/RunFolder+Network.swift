import Foundation

extension RunFolder {
  /// The architecture of a training as JSON.
  ///
  /// Errors: `.noInput` when it cannot be read, `.data` when it is not UTF-8.
  package func network() throws -> Data { Data(try readText(networkPath).utf8) }

  /// The weights that a training starts from; nil where they are sampled.
  package func start() throws -> Checkpoint? {
    guard pathExists(startPath) else { return nil }
    return try Checkpoint.read(from: startPath)
  }
}
