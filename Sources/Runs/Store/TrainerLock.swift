import Dispatch
import Foundation

/// The right to write to a run: one trainer holds it, and the kernel frees it however that one
/// ends.
///
/// While it is held, the time of its file moves twice a second: the trainer's sign of life, which
/// does not depend on how long a step takes and stops with the process. Where several machines
/// share the run, a `Lease` is part of it.
package final class TrainerLock: Sendable {
  private static let beat = 0.5

  /// Seconds between two looks at another machine's lease.
  private static let poll = 0.1

  private let file: LockFile
  private let lease: Lease?
  private let queue = DispatchQueue(label: "supertop.heartbeat", qos: .userInteractive)
  // Only made and cancelled here.
  nonisolated(unsafe) private let timer: any DispatchSourceTimer

  /// Takes the lock of a run folder; `.busy` with the holder's process when another has it.
  ///
  /// With `waits` it waits for a sign of life from another machine that has it, or for long enough
  /// to take it over; else a dead one is found out by calling again.
  init(runFolder: String, waits: Bool) throws {
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
    lease = try Self.lease(runFolder, waits: waits)
    timer = DispatchSource.makeTimerSource(queue: queue)
    let descriptor = file.descriptor
    timer.setEventHandler { [lease] in
      futimens(descriptor, nil)
      _ = lease?.renew()
    }
    timer.schedule(deadline: .now() + Self.beat, repeating: Self.beat)
    timer.resume()
  }

  // On the timer's queue: no beat is under way when the file is closed.
  deinit {
    queue.sync { timer.cancel() }
    lease?.release()
  }

  /// Whether another machine has taken the run over, which heard nothing of this one.
  package var isLost: Bool { lease.map { !$0.renew() } ?? false }

  /// Takes the lease of a folder that machines share; nil for one that they do not.
  private static func lease(_ runFolder: String, waits: Bool) throws -> Lease? {
    guard let sharing = try Sharing.of(runFolder) else { return nil }
    let path = leasePath(in: runFolder)
    let first = Lease.holder(of: path)
    while true {
      let lease = try Lease.claim(path, watch: .process, patience: sharing.patience)
      if let lease { return lease }
      let holder = Lease.holder(of: path)
      guard waits, holder == nil || holder == first else {
        throw UserError(
          .busy,
          runFolder,
          "another trainer\(holder.map { " (process \($0.process) on \($0.host))" } ?? "") is at "
            + "work on this run",
          remedy: "watch it there, or stop that one first"
        )
      }
      Thread.sleep(forTimeInterval: poll)
    }
  }

  /// Who holds the lease in that folder, dead or alive; nil where nobody does.
  static func leaseholder(in runFolder: String) -> Lease.Holder? {
    Lease.holder(of: leasePath(in: runFolder))
  }

  private static func leasePath(in runFolder: String) -> String { runFolder + "/lease.json" }

  /// Process that trains on the run in that folder now; nil when none does.
  static func holder(of runFolder: String) -> Int32? { LockFile.holder(of: path(in: runFolder)) }

  /// Seconds since 1970 of the last sign of life in that folder; nil where no trainer ever was.
  package static func lastSign(in runFolder: String) -> Double? {
    modificationTime(path(in: runFolder))
  }

  private static func path(in runFolder: String) -> String { runFolder + "/trainer.lock" }
}
