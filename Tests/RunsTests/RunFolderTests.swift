import Foundation
import Runs
import TestSupport
import Testing

@Suite struct RunFolderTests {
  private func files(_ path: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }

  @Test func `a new run holds its four parts and its settings`() throws {
    try inTemporaryFolder {
      var config = try Configuration.preset("digits")
      config.seed = 99
      let run = try RunFolder.create(at: $0 + "/deep/er/mine/", config: config)
      #expect(run.name == "mine")
      #expect(try files(run.path) == ["checkpoints", "config.yaml", "exports", "run.sqlite"])
      let again = try RunFolder.open(path: run.path)
      #expect(again == run)
      #expect(try again.configuration() == config)
      #expect(try again.reader().status() == nil)
      #expect(try again.latestCheckpoint() == nil)
    }
  }

  @Test func `runs are numbered after the highest`() throws {
    try inTemporaryFolder {
      let parent = $0 + "/runs"
      let config = try Configuration.preset("digits")
      #expect(try RunFolder.createNext(for: config, under: parent).name == "digits-1")
      #expect(try RunFolder.createNext(for: config, under: parent).name == "digits-2")
      for name in ["digits-7", "digits-x", "cifar-9"] {
        try FileManager.default.createDirectory(
          atPath: parent + "/" + name,
          withIntermediateDirectories: true
        )
      }
      #expect(try RunFolder.createNext(for: config, under: parent).name == "digits-8")
      #expect(
        try RunFolder.createNext(for: try Configuration.preset("cifar-small"), under: parent).name
          == "cifar-small-1"
      )
    }
  }

  @Test func `places that cannot take a run are refused`() throws {
    try inTemporaryFolder { folder in
      let config = try Configuration.preset("digits")
      func error(_ path: String) throws -> UserError? {
        try userError { _ = try RunFolder.create(at: path, config: config) }
      }
      let file = try write("", to: folder, as: "file")
      #expect(try error(file)?.code == .cannotCreate)
      #expect(try error(file + "/below")?.code == .cannotCreate)
      #expect(
        try userError { _ = try RunFolder.createNext(for: config, under: file) }?.code
          == .cannotCreate
      )
      let full = try #require(try error(folder))
      #expect(full.code == .cannotCreate && full.problem == "is not empty")
      _ = try RunFolder.create(at: folder + "/run", config: config)
      let taken = try #require(try error(folder + "/run"))
      #expect(taken.problem == "holds a run already" && taken.remedy.contains("resume"))
    }
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/self"), "needs Linux's /proc"))
  func `a file system that takes no folder is refused`() throws {
    let config = try Configuration.preset("digits")
    let error = try userError { _ = try RunFolder.create(at: "/proc/self/run", config: config) }
    #expect(error?.code == .cannotCreate)
  }

  @Test func `settings that do not hold make no folder`() throws {
    try inTemporaryFolder { folder in
      var config = try Configuration.preset("digits")
      config.search.epochs = 0
      let error = try userError {
        _ = try RunFolder.create(at: folder + "/run", config: config)
      }
      #expect(error?.code == .configuration)
      #expect(try files(folder) == [])
    }
  }

  @Test func `what is no run is refused`() throws {
    try inTemporaryFolder { folder in
      func error(_ path: String) throws -> UserError? {
        try userError { _ = try RunFolder.open(path: path) }
      }
      #expect(try error(folder + "/none")?.code == .noInput)
      #expect(try error(folder)?.code == .data)
      _ = try write("", to: folder, as: "run.sqlite")
      #expect(try error(folder)?.problem == "its run.sqlite is not the store of a run")
      _ = try write(String(repeating: "no database ", count: 500), to: folder, as: "run.sqlite")
      #expect(try error(folder)?.code == .data)
      #expect(try error(folder + "/run.sqlite")?.code == .data)
    }
  }

  @Test func `one trainer at a time`() throws {
    try inTemporaryFolder {
      let run = try RunFolder.create(at: $0 + "/run", config: try Configuration.preset("digits"))
      #expect(run.trainer() == nil)
      var lock: TrainerLock? = try run.lock()
      #expect(run.trainer() == ProcessInfo.processInfo.processIdentifier)
      let error = try #require(try userError { _ = try run.lock() })
      #expect(error.code == .busy)
      #expect(error.problem.contains("process \(ProcessInfo.processInfo.processIdentifier)"))
      withExtendedLifetime(lock) {}
      lock = nil
      #expect(run.trainer() == nil)
      lock = try run.lock()
      #expect(run.trainer() != nil)
      withExtendedLifetime(lock) {}
    }
  }

  private static let flock = "/usr/bin/flock"

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: flock), "needs util-linux"))
  func `the kernel frees the lock of a killed trainer`() throws {
    try inTemporaryFolder {
      let run = try RunFolder.create(at: $0 + "/run", config: try Configuration.preset("digits"))
      // Another process holds the lock file: -o keeps it from the `cat` that it runs.
      let input = Pipe()
      let holder = Process()
      holder.executableURL = URL(fileURLWithPath: Self.flock)
      holder.arguments = ["-o", run.path + "/trainer.lock", "cat"]
      holder.standardInput = input
      try holder.run()
      #expect(eventually { run.trainer() != nil })
      #expect(try userError { _ = try run.lock() }?.code == .busy)
      kill(holder.processIdentifier, SIGKILL)
      #expect(eventually { run.trainer() == nil })
      _ = try run.lock()
      // `waitUntilExit` returns once the orphaned `cat` is gone too.
      try input.fileHandleForWriting.close()
      holder.waitUntilExit()
    }
  }

  @Test func `the newest three checkpoints stay, and eight spread over those before`() throws {
    try inTemporaryFolder {
      let run = try RunFolder.create(at: $0 + "/run", config: try Configuration.preset("digits"))
      for step in [5, 10, 15, 20, 123_456_789] {
        try run.writeCheckpoint(Checkpoint(metadata: ["step": "\(step)"]), step: step)
      }
      #expect(run.checkpointSteps() == [5, 10, 15, 20, 123_456_789])
      #expect(run.checkpointPath(step: 15).hasSuffix("/checkpoints/step-00000015.safetensors"))
      let latest = try #require(try run.latestCheckpoint())
      #expect(latest.step == 123_456_789)
      #expect(latest.checkpoint.metadata["step"] == "123456789")
      // Going on from an earlier step: the later future goes.
      try run.writeCheckpoint(Checkpoint(), step: 17)
      #expect(run.checkpointSteps() == [5, 10, 15, 17])
      // Of a long run those that stay are spread over all of it, the first among them.
      for step in stride(from: 20, through: 1000, by: 10) {
        try run.writeCheckpoint(Checkpoint(), step: step)
      }
      let steps = run.checkpointSteps()
      #expect(steps.count == 11 && steps.first == 5 && steps.suffix(3) == [980, 990, 1000])
      let gaps = zip(steps, steps.dropFirst()).map { $1 - $0 }
      #expect(gaps.max() ?? 0 <= 300, "\(steps)")
      #expect(RunFolder.spread([1, 2, 3], 0, before: 4) == [])
      #expect(RunFolder.spread([1, 2, 9], 2, before: 10) == [1, 9])
    }
  }

  @Test func `a broken newest checkpoint is passed over`() throws {
    try inTemporaryFolder {
      let run = try RunFolder.create(at: $0 + "/run", config: try Configuration.preset("digits"))
      for step in [5, 10] {
        try run.writeCheckpoint(Checkpoint(metadata: ["step": "\(step)"]), step: step)
      }
      // What SIGKILL in the middle of a write leaves: an unfinished file beside the whole ones.
      _ = try write("half", to: run.checkpointsPath, as: "step-00000015.safetensors.part")
      #expect(try run.latestCheckpoint()?.step == 10)
      _ = try write("broken", to: run.checkpointsPath, as: "step-00000010.safetensors")
      var warnings: [String] = []
      let latest = try run.latestCheckpoint { warnings.append($0) }
      #expect(latest?.step == 5)
      #expect(warnings.count == 1 && warnings[0].contains("step-00000010"))
      _ = try write("broken", to: run.checkpointsPath, as: "step-00000005.safetensors")
      #expect(try userError { _ = try run.latestCheckpoint() }?.code == .data)
      try run.writeCheckpoint(Checkpoint(), step: 12)
      #expect(
        try files(run.checkpointsPath).filter { $0.hasSuffix(".part") } == []
      )
    }
  }
}
