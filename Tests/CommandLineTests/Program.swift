import Foundation
import Runs

/// The built program, started as a person starts it.
struct Program {
  /// What a start came to.
  struct Ending {
    var code: Int32
    var output: String
    var errors: String

    var lines: [String] { Program.lines(output) }
    var errorLines: [String] { Program.lines(errors) }
    /// The JSON objects of the output.
    var objects: [[String: Any]] { lines.compactMap(Program.object) }
  }

  /// A folder of its own, removed at the end.
  final class Folder: Sendable {
    let path: String

    init() throws {
      path = NSTemporaryDirectory() + "supertop-cli-\(UUID().uuidString)"
      try FileManager.default.createDirectory(
        atPath: path,
        withIntermediateDirectories: true
      )
    }

    deinit {
      try? FileManager.default.removeItem(atPath: path)
    }

    /// Writes a file in the folder and returns its path.
    func write(_ name: String, _ bytes: Data) throws -> String {
      let file = path + "/" + name
      try FileManager.default.createDirectory(
        atPath: (file as NSString).deletingLastPathComponent,
        withIntermediateDirectories: true
      )
      try bytes.write(to: URL(fileURLWithPath: file))
      return file
    }

    /// Runs a text of the shell in the folder; throws what it says where it fails.
    func shell(_ text: String) throws {
      let ending = try Program(["-c", text], in: self, executable: "/bin/bash").ending()
      guard ending.code == 0 else {
        throw UserError(.software, "test", "\(text): \(ending.errors)")
      }
    }
  }

  /// The program beside the tests: the build puts both in one folder.
  static let path: String = {
    let beside = Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent().path }
    let running = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().path
    let folders = [running] + beside + ["debug", "release"].map { "\(root)/.build/\($0)" }
    return folders.map { $0 + "/supertop" }
      .first { FileManager.default.isExecutableFile(atPath: $0) } ?? "supertop"
  }()

  /// Options of a search that ends within seconds: a network of two searched layers on the digits.
  static func tiny(epochs: Int = 3) -> [String] {
    [
      "--epochs", "\(epochs)", "--set", "warmup_epochs=1", "--set", "batch=128",
      "--set", "recalibration_images=128", "--set", "space.stem.width=8",
      "--set", "space.head=16", "--set", "space.candidates=[k3_e1, k5_e1, skip]",
      "--set",
      "space.stages=[{width: 8, depth: 1, stride: 1}, {width: 16, depth: 1, stride: 2}]",
    ]
  }

  let process = Process()
  private let outputPath: String
  private let errorPath: String

  /// Starts the program in `folder`; its output goes to files there, so that no pipe fills up.
  init(
    _ arguments: [String],
    in folder: Folder,
    environment: [String: String] = [:],
    executable: String = Program.path
  ) throws {
    let name = UUID().uuidString
    outputPath = "\(folder.path)/\(name).out"
    errorPath = "\(folder.path)/\(name).err"
    for path in [outputPath, errorPath] {
      try Data().write(to: URL(fileURLWithPath: path))
    }
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: outputPath))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errorPath))
    try process.run()
  }

  /// What was printed so far.
  var output: String { (try? String(contentsOfFile: outputPath, encoding: .utf8)) ?? "" }

  /// Waits for the end; a program ended by signal n gives code 128 + n, as a shell does.
  func ending() -> Ending {
    process.waitUntilExit()
    let code = process.terminationStatus
    return Ending(
      code: process.terminationReason == .uncaughtSignal ? 128 + code : code,
      output: output,
      errors: (try? String(contentsOfFile: errorPath, encoding: .utf8)) ?? ""
    )
  }

  /// Runs the program to its end.
  static func run(
    _ arguments: [String],
    in folder: Folder,
    environment: [String: String] = [:]
  ) throws -> Ending {
    try Program(arguments, in: folder, environment: environment).ending()
  }

  /// Runs the program again and again with a second of processor time, at whose end the system
  /// kills it, and the last time without a limit.
  ///
  /// No clock of the test decides, which a busy machine would leave behind the program. `first`
  /// begins the work, `next` goes on with it; returns how the last one ended, and how many were
  /// killed.
  static func killing(
    _ first: [String],
    then next: [String],
    in folder: Folder
  ) throws -> (ending: Ending, kills: Int) {
    for kills in 0..<8 {
      let ending = try Program(
        ["-c", "ulimit -t 1; exec \"$0\" \"$@\"", Program.path] + (kills == 0 ? first : next),
        in: folder,
        executable: "/bin/bash"
      ).ending()
      if ending.code != 128 + SIGKILL { return (ending, kills) }
    }
    return (try run(next, in: folder), 8)
  }

  static func object(_ line: String) -> [String: Any]? {
    (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
  }

  static func lines(_ text: String) -> [String] {
    text.split(separator: "\n").map(String.init)
  }
}
