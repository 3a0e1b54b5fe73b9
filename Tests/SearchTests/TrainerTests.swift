import Foundation
import Runs
import TestSupport
import Testing

@testable import Search
@testable import Training

/// Whole searches on a network of two layers: what is recorded, what a person changes, and that
/// interruptions leave no trace in the result (spec S82, S120, S121).
@Suite(.serialized) struct TrainerTests {
  /// What the run comes to that nobody touches, and its mean losses.
  private static let unbroken = Result {
    let run = try TinyRun()
    let result = try run.finished()
    return (result: result, losses: try run.reader.epochs().map(\.trainLoss))
  }

  @Test func `the same seed gives the same bits and another seed others`() throws {
    let first = try TrainerTests.unbroken.get().result
    let second = try TinyRun().finished()
    let other = try TinyRun(seed: 2).finished()
    #expect(first.thetaHash == second.thetaHash)
    #expect(first.weightsHash == second.weightsHash)
    #expect(first.validationLoss == second.validationLoss)
    #expect(first.thetaHash != other.thetaHash)
    #expect(first.weightsHash != other.weightsHash)
  }

  @Test func `a finished run holds every step, its epochs, its result and its exports`() throws {
    let run = try TinyRun()
    let result = try run.finished()
    let steps = try run.reader.steps()
    let epochs = try run.reader.epochs()
    // 1,006 of 1,437 images for the weights, 287 for θ, batches of 128; the first epoch trains
    // weights alone.
    #expect(steps.map(\.step) == Array(0..<7 + 9 + 9))
    #expect(steps.filter { $0.phase == .theta }.map(\.epoch) == [1, 1, 2, 2])
    #expect(try run.reader.thetas().map(\.step) == [14, 15, 23, 24])
    #expect(epochs.map(\.step) == [7, 16, 25])
    #expect(zip(steps, steps.dropFirst()).allSatisfy { $0.epoch <= $1.epoch })
    let trained = steps.filter { $0.epoch == 1 && $0.phase == .weights }
    #expect(
      abs(epochs[1].trainLoss - trained.map(\.loss).reduce(0, +) / Double(trained.count)) < 1e-9
    )
    #expect(result.validationAccuracy == epochs[2].validationAccuracy)
    #expect(result.architecture.map(\.layer) == (try run.reader.choices()).map(\.name))
    let status = try #require(try run.reader.status())
    #expect(status.state == .finished)
    // What two looks at 25 steps have found the time to go into.
    let operations = try #require(status.operations)
    #expect(operations.contains { $0.operation.hasPrefix("expand") && $0.share > 0 })
    #expect(operations.last?.operation == "other" && operations.count > 3)
    #expect(abs(operations.reduce(0) { $0 + $1.share } - 1) < 1e-9)
    #expect(try run.reader.result() == (try result.json()))
    let export = try JSONDecoder().decode(
      ArchitectureExport.self,
      from: Data(contentsOf: URL(fileURLWithPath: run.folder.exportsPath + "/architecture.json"))
    )
    #expect(export.architectures.contains { $0.source == "argmax" })
    #expect(export.architectures.first?.blocks == result.architecture.map(\.choice))
    #expect(export.architectures.count > 1)
  }

  @Test func `the result is given again to whoever resumes a finished run`() throws {
    let run = try TinyRun()
    let result = try run.finished()
    let again = try Trainer(folder: run.folder)
    again.start()
    #expect(again.wait(seconds: 0) == .finished(.search(result)))
  }

  @Test func `a run has one trainer at a time`() throws {
    let run = try TinyRun()
    let trainer = try Trainer(folder: run.folder)
    let error = #expect(throws: UserError.self) { try Trainer(folder: run.folder) }
    #expect(error?.code == .busy)
    withExtendedLifetime(trainer) {}
  }

  @Test(arguments: [3, 7, 11, 15, 16])
  func `a run stopped after some steps ends as an unbroken one`(steps: Int) throws {
    let unbroken = try TrainerTests.unbroken.get()
    let run = try TinyRun()
    try run.stopped(after: steps)
    let status = try #require(try run.reader.status())
    #expect(status.state == .stopped)
    #expect(status.step == steps)
    #expect(run.folder.checkpointSteps().last == steps)
    let result = try run.finished()
    #expect(result.thetaHash == unbroken.result.thetaHash)
    #expect(result.weightsHash == unbroken.result.weightsHash)
    #expect(result.validationLoss == unbroken.result.validationLoss)
    #expect(result.architecture == unbroken.result.architecture)
    #expect(try run.reader.epochs().map(\.trainLoss) == unbroken.losses)
  }

  @Test func `a temperature set by hand comes again in a run resumed from before it`() throws {
    let requests: [(Int, Intervention.Action)] = [
      (10, .setTemperature(0.7)), (13, .scaleTemperature(1.1)), (20, .releaseTemperature),
    ]
    let unbroken = try TinyRun()
    let expected = try unbroken.finished(requests: requests)
    #expect(expected.thetaHash != (try TrainerTests.unbroken.get().result.thetaHash))

    // As after a SIGKILL at step 22: the newest checkpoint is that of step 7.
    let killed = try TinyRun()
    try killed.stopped(after: 22, requests: requests)
    for step in killed.folder.checkpointSteps() where step > 7 {
      try FileManager.default.removeItem(atPath: killed.folder.checkpointPath(step: step))
    }
    let result = try killed.finished()
    #expect(result.thetaHash == expected.thetaHash)
    #expect(result.weightsHash == expected.weightsHash)
    let temperatures = try killed.reader.steps().map(\.temperature)
    #expect(temperatures == (try unbroken.reader.steps().map(\.temperature)))
    #expect(temperatures[10..<13].allSatisfy { $0 == 0.7 })
    #expect(temperatures[13..<20].allSatisfy { abs($0 - 0.77) < 1e-12 })
    #expect(temperatures[20] != temperatures[19])
  }

  @Test func `a hand-held temperature survives a stop and a resume`() throws {
    let run = try TinyRun()
    try run.stopped(after: 12, requests: [(5, .setTemperature(2.5))])
    _ = try run.finished()
    let temperatures = try run.reader.steps().map(\.temperature)
    #expect(temperatures[5...].allSatisfy { $0 == 2.5 })
    #expect(temperatures[4] != 2.5)
  }

  @Test func `a paused run makes no step but keeps its heartbeat`() throws {
    let run = try TinyRun()
    let trainer = try Trainer(folder: run.folder)
    try run.reader.request(.singleStep)
    trainer.start()
    let paused = try run.status { $0.state == .paused && $0.step == 1 }
    let later = try run.status { $0.heartbeat > paused.heartbeat + 0.4 }
    #expect(later.state == .paused)
    #expect(try run.reader.steps().count == 1)
    try run.reader.request(.resume)
    #expect(run.outcome(of: trainer) != nil)
    #expect(try run.reader.steps().count == 25)
    let states = try run.reader.interventions().map(\.state)
    #expect(states == [.done, .done])
  }

  /// What is asked for after the last step of an epoch is seen in its evaluation.
  @Test func `networks are evaluated where a pause began in an evaluation`() throws {
    let run = try TinyRun()
    let trainer = try Trainer(folder: run.folder)
    try run.reader.request(.pause)
    trainer.start()
    var status = try run.status { $0.state == .paused }
    for step in 1...status.stepsPerEpoch {
      try run.reader.request(.singleStep)
      status = try run.status { $0.state == .paused && $0.step == step }
    }
    #expect(try run.reader.epochs().isEmpty)
    try run.reader.request(.sampleNetworks(2))
    #expect(try eventually { try run.reader.interventions().allSatisfy { $0.state == .done } })
    #expect(try run.reader.derived().count == 2 && run.reader.epochs().count == 1)
    _ = try run.status { $0.state == .paused && $0.step == status.step }
    try run.reader.request(.resume)
    #expect(run.outcome(of: trainer) != nil)
    #expect(try run.reader.steps().count == 25)
  }

  @Test func `a run that was stopped after an epoch is repeated to the bit`() throws {
    let run = try TinyRun()
    do {
      let trainer = try Trainer(folder: run.folder)
      try run.reader.request(.runToEpoch(1))
      trainer.start()
      _ = try run.status { $0.state == .paused && $0.epoch == 1 }
      #expect(try run.reader.epochs().count == 1)
      try run.reader.request(.stop)
      #expect(run.outcome(of: trainer) == .stopped)
    }
    let copy = try run.folder.makeReplay(at: run.folder.path + "-replay")
    defer { removeAll(copy.path) }
    let trainer = try Trainer(folder: copy)
    trainer.start()
    #expect(trainer.wait(seconds: patience) == .stopped)
    let found = try RunComparison(run.folder, copy)
    #expect(found.isIdentical, "\(String(describing: found.firstDifference))")
    #expect(try copy.reader().epochs().count == 1 && found.steps > 0)
  }

  /// A replay has all requests at once, where a person had asked for one after the other.
  @Test func `networks are those of the moment at which they were asked for`() throws {
    let run = try TinyRun()
    let trainer = try Trainer(folder: run.folder)
    try run.reader.request(.pause)
    try run.reader.request(.sampleNetworks(4))
    for choice in 0..<2 { try run.reader.request(.pinChoice(choice: choice, option: 0)) }
    try run.reader.request(.sampleNetworks(4))
    trainer.start()
    let asked = try run.status { $0.pinned?.count == 2 }
    #expect(asked.step == 0)
    #expect(try eventually { try run.reader.interventions().allSatisfy { $0.state == .done } })
    let notes = try run.reader.interventions().filter(\.action.asksForNetworks).map(\.note)
    #expect(notes.count == 2 && notes[0].hasPrefix("4 networks"), "\(notes)")
    #expect(notes.last?.hasPrefix("1 network,") == true, "\(notes)")
    try run.reader.request(.stop)
    #expect(run.outcome(of: trainer) == .stopped)
  }

  @Test func `an impossible temperature is refused with a reason`() throws {
    let run = try TinyRun()
    let trainer = try Trainer(folder: run.folder)
    try run.reader.request(.setTemperature(-1))
    try run.reader.request(.stop)
    trainer.start()
    #expect(run.outcome(of: trainer) == .stopped)
    let request = try #require(try run.reader.interventions().first)
    #expect(request.state == .refused)
    #expect(request.note.contains("temperature"))
  }

  @Test func `a loss that is not a number ends the run and keeps the last checkpoint`() throws {
    let run = try TinyRun(overrides: ["weights.learning_rate=1e30"])
    let trainer = try Trainer(folder: run.folder)
    trainer.start()
    guard case .failed(let error) = run.outcome(of: trainer) else {
      Issue.record("the run did not fail")
      return
    }
    #expect(error.code == .configuration)
    #expect(error.description.contains("not a finite number"))
    let status = try #require(try run.reader.status())
    #expect(status.state == .failed)
    #expect(status.message == error.description)
    #expect(try run.reader.steps().allSatisfy(\.loss.isFinite))
  }

  @Test func `random sampling is the mean and deviation of all sampled networks`() throws {
    var result = try TrainerTests.unbroken.get().result
    result.take(sampled: [])
    #expect(try result.sampledNetworks == nil && !result.json().contains("sampled"))
    result.take(sampled: [0.5, 0.75, 0.25, 0.5])
    #expect(result.sampledNetworks == 4 && result.sampledMean == 0.5)
    // Squares of 1/4 and -1/4, over three.
    #expect(abs((result.sampledDeviation ?? 0) - (0.125 / 3).squareRoot()) < 1e-12)
    #expect(try SearchResult(json: result.json()) == result)
    result.take(sampled: [0.5])
    #expect(result.sampledDeviation == 0)
  }

  @Test func `the result is one line with the hashes of what was learned`() throws {
    let json = try TrainerTests.unbroken.get().result.json()
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
    )
    #expect(object["event"] as? String == "done")
    for key in ["theta_sha256", "weights_sha256"] {
      #expect((object[key] as? String)?.count == 64)
    }
    #expect(!json.contains("\n"))
  }
}

/// A run of three epochs on the digits with a network of two searched layers, in a folder of its
/// own.
final class TinyRun {
  let folder: RunFolder
  let reader: RunReader
  private let place: URL

  init(seed: Int = 1, overrides: [String] = []) throws {
    place = FileManager.default.temporaryDirectory
      .appendingPathComponent("supertop-trainer-\(UUID().uuidString)")
    let settings = try Configuration.preset(
      "digits",
      overrides: [
        "seed=\(seed)", "search.epochs=3", "warmup_epochs=1", "batch=128",
        "recalibration_images=128", "space.stem.width=8", "space.head=16",
        "space.stages=[{width: 8, depth: 1, stride: 1}, {width: 16, depth: 1, stride: 2}]",
        "space.candidates=[k3_e1, k5_e1, skip]",
      ] + overrides
    )
    folder = try RunFolder.create(at: place.path, config: settings)
    reader = try folder.reader()
  }

  deinit {
    try? FileManager.default.removeItem(at: place)
  }

  /// Trains to the end, with `requests` each taken up before its step.
  func finished(requests: [(step: Int, action: Intervention.Action)] = []) throws -> SearchResult {
    let trainer = try Trainer(folder: folder)
    if requests.isEmpty {
      trainer.start()
    } else {
      try advance(trainer, to: requests.map(\.step).max() ?? 0, requests)
      try reader.request(.resume)
    }
    let outcome = outcome(of: trainer)
    guard case .finished(.search(let result)) = outcome else {
      throw UserError(.software, "test", "the run ended with \(String(describing: outcome))")
    }
    return result
  }

  /// Trains `steps` steps from the run's start and stops.
  func stopped(
    after steps: Int,
    requests: [(step: Int, action: Intervention.Action)] = []
  ) throws {
    let trainer = try Trainer(folder: folder)
    try advance(trainer, to: steps, requests)
    try reader.request(.stop)
    let outcome = outcome(of: trainer)
    guard outcome == .stopped else {
      throw UserError(.software, "test", "the run ended with \(String(describing: outcome))")
    }
  }

  /// Single steps to `steps`, so that every request is taken up at exactly its step.
  private func advance(
    _ trainer: Trainer,
    to steps: Int,
    _ requests: [(step: Int, action: Intervention.Action)]
  ) throws {
    try reader.request(.pause)
    trainer.start()
    for step in 0..<steps {
      for request in requests where request.step == step { try reader.request(request.action) }
      try reader.request(.singleStep)
      _ = try status { $0.state == .paused && $0.step == step + 1 }
    }
    for request in requests where request.step == steps { try reader.request(request.action) }
  }

  /// Waits for a status that holds.
  func status(where holds: (RunStatus) -> Bool) throws -> RunStatus {
    var last: RunStatus?
    let came = try eventually {
      last = try reader.status()
      return last.map(holds) ?? false
    }
    if came, let last { return last }
    throw UserError(
      .software,
      "test",
      "waited in vain, the status is \(String(describing: try reader.status()))"
    )
  }

  func outcome(of trainer: Trainer) -> Trainer.Outcome? {
    trainer.wait(seconds: patience)
  }
}
