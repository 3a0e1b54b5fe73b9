import Data
import Dispatch
import Foundation
import Networks
import Runs
import Synchronization
import TestSupport
import Testing

@testable import Training

/// Trials are trained once, whoever asks and however often (spec S46).
@Suite(.serialized) struct TrialRunnerTests {
  static func trial(_ name: String, seed: UInt64, epochs: Int = 2) throws -> Trial {
    var settings = TrainingConfiguration(
      network: "tiny",
      data: TrainingConfiguration.Images(source: "digits", resolution: 8)
    )
    try settings.apply([
      "epochs=\(epochs)", "batch=256", "recalibration_images=256", "seed=\(seed)",
    ])
    return Trial(name: name, network: try TinyNetwork.description(), settings: settings)
  }

  @Test func `trials give the results of trainings of their own, in their order`() throws {
    let folder = TemporaryFolder()
    let trials = try [Self.trial("a", seed: 1), Self.trial("b", seed: 2)]
    let together = try #require(try TrialRunner(path: folder.path).run(trials))
    let alone = TemporaryFolder()
    let second = try #require(try TrialRunner(path: alone.path).run([trials[1]]))
    #expect(together.count == 2)
    #expect(together[1].weightsHash == second[0].weightsHash)
    #expect(together[0].weightsHash != together[1].weightsHash)
  }

  @Test func `a finished trial is not trained again`() throws {
    let folder = TemporaryFolder()
    let trial = try Self.trial("a", seed: 1)
    let runner = TrialRunner(path: folder.path)
    let first = try #require(try runner.run([trial]))
    let steps = try runner.folder(of: trial).reader().steps().count
    let again = try #require(try runner.run([trial]))
    #expect(again[0].weightsHash == first[0].weightsHash)
    #expect(try runner.folder(of: trial).reader().steps().count == steps)
    #expect(names(in: folder.path) == ["a"])
  }

  @Test func `other settings under a name are another trial`() throws {
    let folder = TemporaryFolder()
    let runner = TrialRunner(path: folder.path)
    let first = try runner.folder(of: try Self.trial("a", seed: 1))
    let other = try runner.folder(of: try Self.trial("a", seed: 2))
    #expect([first.name, other.name] == ["a", "a-2"])
    #expect(try runner.folder(of: try Self.trial("a", seed: 1)).name == "a")
  }

  @Test func `a stopped trial continues to the bits of an unbroken one`() throws {
    let trial = try Self.trial("a", seed: 1, epochs: 3)
    let folder = TemporaryFolder()
    let runner = TrialRunner(path: folder.path)
    var stops = false
    let stopped = try runner.run([trial], stops: { stops }) { _, progress in
      if progress.epochsDone > 0 { stops = true }
    }
    // A quick machine may be through before it is asked to stop.
    if stopped == nil {
      #expect(try runner.folder(of: trial).reader().result() == nil)
    }
    let resumed = try #require(try runner.run([trial]))
    let unbroken = try #require(try TrialRunner(path: TemporaryFolder().path).run([trial]))
    #expect(resumed[0].weightsHash == unbroken[0].weightsHash)
  }

  @Test func `two runners share the trials and each is trained once`() throws {
    let folder = TemporaryFolder()
    let trials = try (1...4).map { try Self.trial("t\($0)", seed: UInt64($0)) }
    let hashes = Mutex<[[String]]>([])
    DispatchQueue.concurrentPerform(iterations: 2) { _ in
      let results = try? TrialRunner(path: folder.path).run(trials)
      hashes.withLock { $0.append((results ?? []).map(\.weightsHash)) }
    }
    let found = hashes.withLock { $0 }
    #expect(found.count == 2 && found[0] == found[1] && found[0].count == 4)
    #expect((names(in: folder.path) ?? []).sorted() == ["t1", "t2", "t3", "t4"])
    for trial in trials {
      let run = try TrialRunner(path: folder.path).folder(of: trial)
      let steps = try run.reader().steps().map(\.step)
      #expect(steps == Array(0..<steps.count))
    }
  }

  @Test func `the remains of a killed process are no trial`() throws {
    let folder = TemporaryFolder()
    let trial = try Self.trial("a", seed: 1)
    // Killed while it made the run: nothing has the trial's name yet.
    #expect(makeFolders(folder.path + "/a.new-1") == 0)
    let results = try #require(try TrialRunner(path: folder.path).run([trial]))
    #expect(results.count == 1)
  }

  @Test func `a claimed trial is left to the process that has it`() throws {
    let folder = TemporaryFolder()
    let runner = TrialRunner(path: folder.path)
    let trial = try Self.trial("a", seed: 1)
    let lock = try runner.folder(of: trial).lock()
    #expect(try runner.run(trial) == .claimed)
    withExtendedLifetime(lock) {}
  }
}

/// Trials that machines share.
@Suite(.serialized) struct SharedTrialTests {
  private static let sharing = Sharing(patience: 0.5, version: "1", instructionSet: "any")

  private static func lease(_ run: RunFolder, beats: Int) throws {
    let text = """
      {"beats":\(beats),"host":"far","machine":"far, since noon","process":7,"token":"far"}
      """
    try Data(text.utf8).write(to: URL(fileURLWithPath: run.path + "/lease.json"))
  }

  @Test func `what another machine is at is left to it, and taken over when it is dead`() throws {
    let folder = TemporaryFolder()
    let runner = TrialRunner(path: folder.path, sharing: Self.sharing)
    let trial = try TrialRunnerTests.trial("a", seed: 1)
    let run = try runner.folder(of: trial)
    for beats in 0..<3 {
      try Self.lease(run, beats: beats)
      #expect(try runner.run(trial) == .claimed)
    }
    let results = try #require(try runner.run([trial]))
    let alone = try #require(try TrialRunner(path: TemporaryFolder().path).run([trial]))
    #expect(results[0].weightsHash == alone[0].weightsHash)
    #expect(!pathExists(run.path + "/lease.json"))
    #expect(try run.report().result == results[0])
    #expect(try run.report().epochs.count == 2)
  }

  @Test func `a training that another machine took over ends without a checkpoint`() throws {
    let folder = TemporaryFolder()
    let runner = TrialRunner(path: folder.path, sharing: Self.sharing)
    let trial = try TrialRunnerTests.trial("a", seed: 1, epochs: 400)
    let attempt = try #require(try runner.start(trial))
    while try attempt.reader.epochs().isEmpty { #expect(try attempt.wait(seconds: 0.01) == nil) }
    var fault: UserError?
    do {
      // Again and again: its holder may be writing it just now.
      repeat { try Self.lease(attempt.run, beats: 0) } while try attempt.wait(seconds: 0.05) == nil
    } catch {
      fault = error as? UserError
    }
    #expect(fault?.code == .busy)
    #expect(try attempt.run.report().fault == nil)
  }

  @Test func `a trial is not trained on other data than it was picked for`() throws {
    let folder = TemporaryFolder()
    let runner = TrialRunner(path: folder.path, sharing: Self.sharing)
    var trial = try TrialRunnerTests.trial("a", seed: 1)
    var data = try Dataset.load(RunSettings.training(trial.settings).data).fingerprint
    data.train.content[3] = "other pixels"
    trial.data = data
    let error = #expect(throws: UserError.self) { _ = try runner.run(trial) }
    #expect(error?.code == .data && error?.description.contains("training images in 3") == true)
    // Another machine may have the right ones.
    #expect(try runner.folder(of: trial).report().fault == nil)
  }

  @Test func `whoever hears that a training has ended finds its run free`() throws {
    struct Ended: Error {}
    let folder = TemporaryFolder()
    let runner = TrialRunner(path: folder.path, sharing: Self.sharing)
    let run = try runner.folder(of: TrialRunnerTests.trial("a", seed: 1))
    for _ in 0..<50 {
      do {
        let trainer = try Trainer(folder: run) { _, _ in throw Ended() }
        trainer.start()
        while trainer.wait(seconds: 0) == nil {}
      }
      #expect(!pathExists(run.path + "/lease.json"))
      #expect(run.trainer() == nil)
    }
  }

  @Test func `a failure of the trial itself is on its report`() throws {
    let folder = TemporaryFolder()
    let runner = TrialRunner(path: folder.path)
    var trial = try TrialRunnerTests.trial("a", seed: 1)
    trial.settings.recipe.learningRate = 1e30
    let error = #expect(throws: UserError.self) { _ = try runner.run(trial) }
    #expect(error?.code == .configuration)
    #expect(try runner.folder(of: trial).report().fault == error?.description)
  }
}

/// A folder that is removed with the value.
private final class TemporaryFolder: Sendable {
  let path = FileManager.default.temporaryDirectory.path + "/supertop-trials-\(UUID().uuidString)"

  deinit { removeAll(path) }
}
