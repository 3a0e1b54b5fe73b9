import Dispatch
import Foundation

/// The right to write to a run: one trainer holds it, and the kernel frees it however that one
/// ends.
///
/// While it is held, the time of its file moves twice a second: the trainer's sign of life, which
/// does not depend on how long a step takes and stops with the process.
package final class TrainerLock: Sendable {
  private static let beat = 0.5

  private let file: LockFile
  private let queue = DispatchQueue(label: "supertop.heartbeat", qos: .userInteractive)
  // Only made and cancelled here.
  nonisolated(unsafe) private let timer: any DispatchSourceTimer

  /// Takes the lock of a run folder; `.busy` with the holder's process when another has it.
  init(runFolder: String) throws {
    do {
      file = try LockFile(Self.path(in: runFolder))
    } catch .unopened(let number) {
      throw UserError(
        .cannotCreate,
        runFolder,
        "cannot be written, \(systemMessage(number))",
        remedy: "check the folder's permissions or copy the run elsewhere"
      )
    } catch .held(let process) {
      throw UserError(
        .busy,
        runFolder,
        "another trainer\(process.map { " (process \($0))" } ?? "") is at work on this run",
        remedy: "use supertop watch, or stop that one first"
      )
    }
    timer = DispatchSource.makeTimerSource(queue: queue)
    let descriptor = file.descriptor
    timer.setEventHandler { futimens(descriptor, nil) }
    timer.schedule(deadline: .now() + Self.beat, repeating: Self.beat)
    timer.resume()
  }

  // On the timer's queue: no beat is under way when the file is closed.
  deinit { queue.sync { timer.cancel() } }

  /// Process that trains on the run in that folder now; nil when none does.
  static func holder(of runFolder: String) -> Int32? { LockFile.holder(of: path(in: runFolder)) }

  /// Seconds since 1970 of the last sign of life in that folder; nil where no trainer ever was.
  static func lastSign(in runFolder: String) -> Double? { modificationTime(path(in: runFolder)) }

  private static func path(in runFolder: String) -> String { runFolder + "/trainer.lock" }
}
