import Foundation

/// The right to write to a run: one trainer holds it, and the kernel frees it however that one
/// ends.
package final class TrainerLock: Sendable {
  private let file: Int32

  /// Takes the lock of a run folder; `.busy` with the holder's process when another has it.
  init(runFolder: String) throws {
    let path = Self.path(in: runFolder)
    file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard file >= 0 else {
      throw UserError(
        .cannotCreate,
        runFolder,
        "cannot be written, \(systemMessage())",
        remedy: "check the folder's permissions or copy the run elsewhere"
      )
    }
    // `holder(of:)` takes a shared lock for a moment: that is not a trainer, so try for a while.
    for attempt in 0... {
      if flock(file, LOCK_EX | LOCK_NB) == 0 { break }
      guard attempt < 20 else {
        let holder = Self.identifier(in: path).map { " (process \($0))" } ?? ""
        close(file)
        throw UserError(
          .busy,
          runFolder,
          "another trainer\(holder) is at work on this run",
          remedy: "use supertop watch, or stop that one first"
        )
      }
      usleep(10_000)
    }
    let text = "\(getpid())\n"
    ftruncate(file, 0)
    _ = text.withCString { pwrite(file, $0, strlen($0), 0) }
  }

  deinit { close(file) }

  /// Process that trains on the run in that folder now; nil when none does.
  static func holder(of runFolder: String) -> Int32? {
    let path = path(in: runFolder)
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    return flock(file, LOCK_SH | LOCK_NB) == 0 ? nil : identifier(in: path) ?? 0
  }

  private static func path(in runFolder: String) -> String { runFolder + "/trainer.lock" }

  private static func identifier(in path: String) -> Int32? {
    (try? readText(path)).flatMap { Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
  }
}
