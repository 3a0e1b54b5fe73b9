import Foundation
import Runs
import TestSupport
import Testing

/// Who may write to a run, who may steer it, and what shows that somebody is there.
@Suite struct LockTests {
  private func inRun(_ body: (RunFolder) throws -> Void) throws {
    try inTemporaryFolder {
      try body(try RunFolder.create(at: $0 + "/run", config: try Configuration.preset("digits")))
    }
  }

  @Test func `a trainer gives signs of life until it ends`() throws {
    try inRun { run in
      #expect(run.lastSign() == nil)
      var lock: TrainerLock? = try run.lock()
      let first = try #require(run.lastSign())
      // Again and again, not once.
      for count in 1...2 {
        #expect(eventually { run.lastSign().map { $0 > first + 0.4 * Double(count) } ?? false })
      }
      #expect(run.trainer() == getpid())
      withExtendedLifetime(lock) {}
      lock = nil
      // Free at once, and quiet.
      #expect(run.trainer() == nil)
      let last = try #require(run.lastSign())
      usleep(1_200_000)
      #expect(run.lastSign() == last)
      _ = try run.lock()
    }
  }

  @Test func `of several viewers one steers, and the next takes over when it leaves`() throws {
    try inRun { run in
      var first: SteeringClaim? = SteeringClaim(run)
      let second = SteeringClaim(run)
      #expect(first?.look() == .granted)
      #expect(second.look() == .held(by: getpid()))
      #expect(second.look().reason?.contains("read-only: PID \(getpid()) steers") == true)
      #expect(first?.look() == .granted)
      first = nil
      #expect(second.look() == .granted)
      #expect(second.look().reason == nil)
      // The viewers' lock is not the trainer's.
      #expect(run.trainer() == nil)
      _ = try run.lock()
    }
  }

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/flock")))
  func `a lock of another process is free once that one is killed`() throws {
    try inRun { run in
      let other = Process()
      other.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
      other.arguments = ["-F", run.path + "/steering.lock", "sleep", "60"]
      try other.run()
      func waits(until holds: (Steering) -> Bool) -> Bool {
        // A claim of its own each time, which is given back.
        eventually { holds(SteeringClaim(run).look()) }
      }
      // Who holds it has left no number.
      #expect(waits { $0 == .held(by: 0) || $0 == .held(by: getpid()) })
      kill(other.processIdentifier, SIGKILL)
      other.waitUntilExit()
      #expect(waits { $0 == .granted })
    }
  }

  @Test func `a lock that cannot be written, and whoever asks not to steer, is read-only`() throws {
    try inRun { run in
      try FileManager.default.createDirectory(
        atPath: run.path + "/steering.lock",
        withIntermediateDirectories: true
      )
      guard case .refused(let reason) = SteeringClaim(run).look() else {
        Issue.record("granted")
        return
      }
      #expect(reason.contains("cannot be written"))
    }
    try inRun { run in
      let refusal = try #require(SteeringClaim.refusal(isReadOnly: true, [:]))
      #expect(SteeringClaim(run, refusal: refusal).look() == .refused(refusal))
      #expect(SteeringClaim(run).look() == .granted)
    }
    for (value, isRefused) in [("1", true), ("yes", true), ("0", false), ("", false)] {
      #expect((SteeringClaim.refusal(["SUPERTOP_READ_ONLY": value]) != nil) == isRefused)
    }
    #expect(SteeringClaim.refusal([:]) == nil)
  }
}
