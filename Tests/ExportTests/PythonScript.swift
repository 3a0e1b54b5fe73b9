import Foundation
import Testing

/// A script of these tests in a Python of its own; the tests that need it are skipped where there
/// is none.
struct PythonScript {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path

  private let path: String
  private let python: String
  /// Whether its packages are there.
  let isUsable: Bool

  /// A script by its name, in the Python that `variable` names, or else in the environment of
  /// `.build` that `make test` installs.
  init(_ name: String, environment: String, variable: String) {
    path = Self.root + "/Tests/ExportTests/" + name
    python =
      ProcessInfo.processInfo.environment[variable]
      ?? Self.root + "/.build/" + environment + "/bin/python"
    let isThere = FileManager.default.isExecutableFile(atPath: python)
    isUsable = isThere && (try? Self.start(python, [path, "--check"]).code) == 0
  }

  /// Runs the script and gives what it prints.
  @discardableResult
  func run(_ arguments: [String]) throws -> Data {
    try #require(isUsable)
    let ending = try Self.start(python, [path] + arguments)
    try #require(ending.code == 0, "\(path) failed, see above")
    return ending.output
  }

  private static func start(_ python: String, _ arguments: [String]) throws -> (
    code: Int32, output: Data
  ) {
    let (process, pipe) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = arguments
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, output)
  }
}
