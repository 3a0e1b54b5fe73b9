import Foundation
import Runs

/// A branch of a run that is shown, trained by a process of its own.
enum Branching {
  /// Makes a branch and has it trained in the background; returns a line that says where.
  ///
  /// Errors: those of `RunFolder.makeBranch`, `.io` where no process can be started.
  @Sendable
  static func start(_ path: String, at step: Int?, _ changes: [String]) throws -> String {
    let branch = try RunFolder.open(path: path).makeBranch(step: step, changes: changes)
    let start = try branch.parent()?.step ?? 0
    let process = Process()
    process.executableURL = URL(fileURLWithPath: ProcessInfo.processInfo.arguments[0])
    #if os(Linux)
      process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    #endif
    process.arguments = ["resume", branch.absolutePath, "--headless"]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    do {
      try process.run()
    } catch {
      throw UserError(
        .io,
        branch.path,
        "made, but no process can be started for it",
        remedy: "train it with supertop resume \(branch.path)"
      )
    }
    return "\(branch.name) trains on from step \(Format.grouped(start)); "
      + "look at it with supertop watch \(branch.path)"
  }
}
