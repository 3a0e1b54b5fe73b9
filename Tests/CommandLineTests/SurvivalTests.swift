import Foundation
import Runs
import TestSupport
import Testing

/// Whatever ends the program, the run continues from there to the same bits (spec S120).
struct SurvivalTests {
  private static let epochs = 40

  /// The result of a run that was left alone.
  private static let unbroken = Result {
    let folder = try Program.Folder()
    let ending = try Program.run(
      ["search", "--headless", "--json", "--run", "run"] + Program.tiny(epochs: epochs),
      in: folder
    )
    return try #require(ending.lines.last)
  }

  @Test func `a run killed again and again ends byte for byte as one left alone`() throws {
    let (ending, kills) = try Program.killing(
      ["search", "--headless", "--json", "--run", "run"]
        + Program.tiny(epochs: SurvivalTests.epochs),
      then: ["resume", "run", "--headless", "--json"],
      in: try Program.Folder()
    )
    #expect(ending.code == 0 && kills > 0)
    try expectSameResult(ending)
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func `a signal saves a checkpoint and ends with its own code`(signal: Int32) throws {
    let folder = try Program.Folder()
    let program = try Program(
      ["search", "--headless", "--json", "--run", "run"]
        + Program.tiny(epochs: SurvivalTests.epochs),
      in: folder
    )
    #expect(reaches(13, program))
    kill(program.process.processIdentifier, signal)
    let ending = program.ending()
    #expect(ending.code == 128 + signal)
    #expect(ending.errorLines.count == 1)
    #expect(ending.errors.contains("supertop resume run"))
    let run = try RunFolder.open(path: folder.path + "/run")
    let status = try #require(try run.reader().status())
    #expect(status.state == .stopped)
    #expect(run.checkpointSteps().last == status.step)
    let resumed = try Program.run(["resume", "run", "--headless", "--json"], in: folder)
    #expect(resumed.code == 0)
    #expect(resumed.objects.first?["step"] as? Int == status.step)
    try expectSameResult(resumed)
  }

  @Test func `another process watches and steers`() throws {
    let folder = try Program.Folder()
    let program = try Program(
      ["search", "--headless", "--run", "run"] + Program.tiny(epochs: 500),
      in: folder
    )
    defer { kill(program.process.processIdentifier, SIGKILL) }
    #expect(eventually { (try? RunFolder.open(path: folder.path + "/run")) != nil })
    let run = try RunFolder.open(path: folder.path + "/run")
    let reader = try run.reader()
    #expect(try eventually { (try reader.status()?.step ?? 0) > 3 })
    try reader.request(.setTemperature(1.25))
    try reader.request(.pause)
    #expect(try eventually { try reader.status()?.state == .paused })
    let held = try #require(try reader.status())
    #expect(held.temperature == 1.25 && held.temperatureHeld)

    let busy = try Program.run(["resume", "run", "--headless"], in: folder)
    #expect(busy.code == UserError.Code.busy.rawValue)
    #expect(busy.errorLines.count == 1)

    let watcher = try Program(["watch", "run", "--json"], in: folder)
    try reader.request(.resume)
    #expect(try eventually { try (reader.status()?.step ?? 0) > held.step + 3 })
    try reader.request(.stop)
    let ending = program.ending()
    #expect(ending.code == 0)
    #expect(ending.errors.contains("supertop resume"))
    let watched = watcher.ending()
    #expect(watched.objects.compactMap { $0["step"] as? Int }.first == 0)
    #expect(watched.objects.contains { $0["temperature"] as? Double == 1.25 })
    #expect(watched.errorLines.count == 1)
  }

  /// Waits until the program has printed global step `step`.
  private func reaches(_ step: Int, _ program: Program) -> Bool {
    eventually {
      program.output.contains("\"step\":\(step),") || !program.process.isRunning
    } && program.process.isRunning
  }

  private func expectSameResult(_ ending: Program.Ending) throws {
    let expected = try #require(Program.object(try SurvivalTests.unbroken.get()))
    let result = try #require(ending.objects.last)
    #expect(result["event"] as? String == "done")
    for key in ["theta_sha256", "weights_sha256"] {
      #expect(result[key] as? String == expected[key] as? String, "\(key)")
    }
    for key in ["val_accuracy", "argmax_accuracy", "val_loss", "flops", "params", "cost"] {
      #expect(result[key] as? Double == expected[key] as? Double, "\(key)")
    }
  }
}
