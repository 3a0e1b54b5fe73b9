import Foundation
import Networks
import Runs
import TestSupport
import Testing

@testable import Search
@testable import Training

/// Whole joint searches on tiny networks: what is recorded, what people change, and that
/// interruptions leave no trace (spec S43–S46).
@Suite(.serialized) struct JointSessionTests {
  /// What the run comes to that nobody touches.
  private static let unbroken = Result {
    let run = try TinyJointRun()
    return (result: try run.finished(), table: try run.table(), progress: try run.progress())
  }

  @Test func `a finished run holds its candidates, its progress and its exports`() throws {
    let run = try TinyJointRun()
    let result = try run.finished()
    let trials = try run.reader.trials()
    #expect(trials.map(\.number) == Array(1...trials.count))
    #expect(trials.filter { $0.stage == .coarse }.map(\.round) == [0, 0, 0, 0, 1, 1, 1, 1])
    #expect(trials.allSatisfy { $0.state == .finished && $0.flops <= 40_000 })
    #expect(trials.prefix(4).allSatisfy { $0.accuracies.count == 3 && $0.predicted == nil })
    let progress = try run.progress()
    let stop = try #require(progress.stopEpoch)
    #expect(stop == result.stopEpoch && (1...3).contains(stop))
    #expect(trials[4..<8].allSatisfy { $0.accuracies.count == stop && $0.predicted != nil })
    #expect(trials[8...].allSatisfy { $0.stage == .fine && $0.accuracies.count == 3 })
    // No candidate is picked twice but the best, which may have been stopped early.
    let space = try JointRecords(run.folder).space
    let points = trials.filter { $0.predicted != nil || $0.round == 0 }
      .map { space.canonical(Architecture($0.options)) }
    #expect(Set(points).count == points.count)
    let whole = trials.filter { $0.accuracies.count == 3 }
    #expect(result.validationAccuracy == whole.compactMap(\.accuracies.last).max())
    #expect(result.candidate == trials.first { $0.number == result.candidate }?.number)
    #expect(result.trainedCandidates == trials.count && result.failedCandidates == 0)
    #expect(try run.reader.status()?.state == .finished)
    #expect(try run.reader.result() == (try result.json()))
    for name in ["network.safetensors", "network.json", "recipe.yaml"] {
      #expect(pathExists(run.folder.exportsPath + "/" + name))
    }
    #expect(try Recipe.load(path: run.folder.exportsPath + "/recipe.yaml") == result.recipe)
  }

  @Test(arguments: [1, 3, 5, 8])
  func `a run stopped after some candidates ends as an unbroken one`(candidates: Int) throws {
    let unbroken = try Self.unbroken.get()
    let run = try TinyJointRun()
    try run.stopped(after: candidates)
    #expect(try run.reader.status()?.state == .stopped)
    let result = try run.finished()
    #expect(try run.table() == unbroken.table)
    #expect(try run.progress() == unbroken.progress)
    #expect(result.candidate == unbroken.result.candidate)
    #expect(result.validationAccuracy == unbroken.result.validationAccuracy)
  }

  @Test func `a run whose candidates have no reports, as before there were any, is concluded`()
    throws
  {
    let unbroken = try Self.unbroken.get()
    let run = try TinyJointRun()
    try run.stopped(after: 9)
    let trials = run.folder.path + "/trials"
    for name in names(in: trials) ?? [] { removeAll("\(trials)/\(name)/trial.json") }
    #expect(try run.finished().candidate == unbroken.result.candidate)
    #expect(try run.table() == unbroken.table)
  }

  @Test func `a candidate that another process trains holds up neither the others nor a stop`()
    throws
  {
    let whole = try TinyJointRun()
    _ = try whole.finished()
    let run = try TinyJointRun()
    let other = try RunFolder.open(path: whole.folder.path + "/trials/candidate-2")
    let claimed = try RunFolder.create(
      at: run.folder.path + "/trials/candidate-2",
      settings: try other.settings(),
      network: try other.network()
    )
    var lock: TrainerLock? = try claimed.lock()
    do {
      let trainer = try Trainer(folder: run.folder)
      trainer.start()
      try run.wait { try $0.trials().count { $0.state == .finished } == 3 }
      #expect(try run.reader.trials().map(\.state) == [.finished, .waiting, .finished, .finished])
      try run.reader.request(.stop)
      #expect(trainer.wait(seconds: patience) == .stopped)
    }
    withExtendedLifetime(lock) {}
    lock = nil
    _ = try run.finished()
    #expect(try run.table() == whole.table())
  }

  @Test func `the time to go is that of the epochs that are left`() throws {
    let run = try TinyJointRun()
    _ = try run.finished()
    var records = try JointRecords(run.folder)
    let stop = records.stopEpoch
    records.trials = Array(records.trials.prefix(2))
    // Three epochs of 1,000 FLOPs took six seconds.
    (records.trials[0].flops, records.trials[0].seconds) = (1000, 6)
    records.trials[1].state = .running
    records.trials[1].flops = 500
    records.trials[1].accuracies = [0.1]
    // Two epochs of the second; no second training runs beside it.
    #expect(records.secondsLeft(coarse: 0, fine: 0, parallel: 2) == 2)
    let toCome = 1000 + 750 * Double(2 * stop + 3)
    let all = try #require(records.secondsLeft(coarse: 2, fine: 1, parallel: 2))
    #expect(abs(all - 0.002 * toCome / 2) < 1e-9)
    records.trials.removeFirst()
    #expect(records.secondsLeft(coarse: 2, fine: 1, parallel: 2) == nil)
  }

  @Test func `a limit that nothing keeps ends the run before the first training`() throws {
    let run = try TinyJointRun(["budget.flops=100"])
    let error = try run.failed()
    #expect(error.code == .configuration && error.description.contains("flops"))
    #expect(error.description.contains { $0.isNumber })
    #expect(try run.reader.trials().isEmpty)
  }

  @Test func `a candidate that diverges is recorded and the others go on`() throws {
    let run = try TinyJointRun(["ranges.learning_rates=[0.001, 1e30]"])
    let result = try run.finished()
    let trials = try run.reader.trials()
    let failed = trials.filter { $0.state == .failed }
    #expect(!failed.isEmpty && failed.allSatisfy { $0.message.contains("not a finite number") })
    #expect(failed.allSatisfy { $0.recipe.learningRate >= 1e30 })
    #expect(result.failedCandidates == failed.count)
    #expect(result.recipe.learningRate < 1)
    #expect(try run.reader.log().contains { $0.text.contains("failed") && $0.level == .warning })
  }

  @Test func `people stop, add and limit candidates and start the fine stage`() throws {
    let run = try TinyJointRun(["search.rounds=4"])
    let trainer = try Trainer(folder: run.folder)
    try run.reader.request(.pause)
    trainer.start()
    try run.wait { try $0.status()?.state == .paused }
    let first = try #require(try run.reader.trials().first)
    // Another option of the last choice of the recipe makes another candidate.
    var options = first.options
    options[options.count - 1] = 1 - options[options.count - 1]
    for action: Intervention.Action in [
      .stopCandidate(2), .addCandidate(options), .addCandidate(first.options), .addCandidate([9]),
      .setLimit(metric: .flops, 20_000), .setLimit(metric: .latency, 1), .singleStep,
      .startFineStage, .stopCandidate(77), .resume,
    ] { try run.reader.request(action) }
    let outcome = trainer.wait(seconds: patience)
    guard case .finished(.joint(let result)) = outcome else {
      Issue.record("the run ended with \(String(describing: outcome))")
      return
    }
    let trials = try run.reader.trials()
    #expect(trials[1].state == .stopped && trials[1].accuracies.count < 3)
    let added = trials.filter { $0.stage == .hand }
    let space = try JointRecords(run.folder).space
    #expect(added.map(\.point) == [space.canonical(Architecture(options))])
    #expect(added.allSatisfy { $0.state == .finished })
    // The coarse stage ended with its first round, and the fine stage kept the limit.
    #expect(Set(trials.map(\.round)) == [0, 1])
    #expect(trials.filter { $0.stage == .fine }.allSatisfy { $0.flops <= 20_000 })
    #expect(result.flops <= 20_000)
    let states = try run.reader.interventions().map { ($0.action, $0.state) }
    let refused = states.filter { $0.1 == .refused }.map(\.0)
    #expect(
      refused == [
        .addCandidate(first.options), .addCandidate([9]), .setLimit(metric: .latency, 1),
        .singleStep, .stopCandidate(77),
      ]
    )
  }

  @Test func `a training has no candidates to stop`() throws {
    let run = try TinyRun()
    let trainer = try Trainer(folder: run.folder)
    try run.reader.request(.pause)
    trainer.start()
    try run.reader.request(.stopCandidate(1))
    try run.reader.request(.resume)
    guard case .finished = trainer.wait(seconds: patience) else {
      Issue.record("not finished")
      return
    }
    let refused = try run.reader.interventions().filter { $0.state == .refused }
    #expect(refused.map(\.action) == [.stopCandidate(1)])
    #expect(refused.first?.note.contains("joint") == true)
  }

  @Test func `other limits are answered without training`() throws {
    let run = try TinyJointRun()
    _ = try run.finished()
    let before = try run.reader.trials()
    let records = try JointRecords(run.folder)
    let limit = try CostLimit("flops<=15k", option: "--constraint")
    let answer = try JointAnswer(records, limits: [limit], count: 3)
    #expect(answer.candidates.count == 3)
    for candidate in answer.candidates {
      #expect(candidate.network.flops <= 15_000 && candidate.predicted != nil)
    }
    #expect(answer.trained.map { $0.trial.flops <= 15_000 } ?? true)
    #expect(try run.reader.trials() == before)
    let impossible = try CostLimit("params<=10", option: "--constraint")
    let error = #expect(throws: UserError.self) {
      try JointAnswer(records, limits: [limit, impossible], count: 3)
    }
    #expect(error?.code == .configuration && error?.description.contains("params") == true)
    let unknown = try CostLimit("latency<=1", option: "--constraint")
    #expect(throws: UserError.self) { try JointAnswer(records, limits: [unknown], count: 3) }
  }

  @Test func `a finished search can have more rounds`() throws {
    let run = try TinyJointRun()
    let first = try run.finished()
    let before = try run.table()
    let none = #expect(throws: UserError.self) { try JointRecords.extend(run.folder, to: 2) }
    #expect(none?.code == .usage)
    try JointRecords.extend(run.folder, to: 3)
    let result = try run.finished()
    let after = try run.table()
    #expect(Array(after.prefix(before.count)) == before)
    let new = after.dropFirst(before.count)
    #expect(new.count { $0.stage == .coarse } == 4 && new.count { $0.stage == .fine } >= 2)
    #expect(result.validationAccuracy >= first.validationAccuracy)
    // What the fine stage had found before is known in the new round.
    let space = try JointRecords(run.folder).space
    let known = Set(before.map { space.canonical($0.point) })
    #expect(
      new.filter { $0.predicted != nil }.allSatisfy {
        !known.contains(space.canonical($0.point))
      }
    )
    let training = try TinyRun()
    #expect(throws: UserError.self) { try JointRecords.extend(training.folder, to: 9) }
  }

  @Test func `a random search spends as many trainings and predicts nothing`() throws {
    let run = try TinyJointRun(["search.algorithm=random"])
    let result = try run.finished()
    let trials = try run.reader.trials()
    #expect(trials.allSatisfy { $0.predicted == nil })
    #expect(trials.count { $0.stage == .coarse } == 8 && trials.count { $0.stage == .fine } >= 2)
    #expect(result.predictorRankCorrelation == nil && result.algorithm == .random)
  }

  @Test func `the early stop is the first epoch whose ranks agree`() {
    func trial(_ number: Int, _ accuracies: [Double]) -> TrialRecord {
      var trial = TrialRecord(
        number: number,
        stage: .coarse,
        round: 0,
        options: [],
        resolution: 8,
        recipe: Recipe(),
        flops: 1,
        params: 1
      )
      trial.accuracies = accuracies
      trial.losses = accuracies.map { 1 - $0 }
      return trial
    }
    // After one epoch the order is reversed, after two one pair is, after three none.
    let curves = [[0.4, 0.1, 0.5], [0.3, 0.2, 0.6], [0.2, 0.4, 0.7], [0.1, 0.3, 0.8]]
    let ranks = JointProgress.EarlyRanks(curves.enumerated().map { trial($0.offset, $0.element) })
    #expect(ranks.accuracy.count == 3)
    #expect(abs(ranks.accuracy[0] + 1) < 1e-12 && abs(ranks.accuracy[1] - 0.8) < 1e-12)
    #expect(ranks.bestQuarter == nil && ranks.lossSum.count == 3)
    #expect(ranks.stopEpoch(at: 0.92) == 3 && ranks.stopEpoch(at: 0.8) == 2)
    #expect(ranks.stopEpoch(at: -1) == 1)
  }
}

/// A joint search of two rounds of four candidates on the digits, in a folder of its own.
final class TinyJointRun {
  let folder: RunFolder
  let reader: RunReader
  private let place: URL

  init(_ overrides: [String] = []) throws {
    place = FileManager.default.temporaryDirectory
      .appendingPathComponent("supertop-joint-\(UUID().uuidString)")
    let settings = try JointConfiguration.preset(
      "fbnet-v3-digits",
      overrides: [
        "budget.flops=40000", "recipe.epochs=3", "recipe.warmup_epochs=0", "recipe.batch=128",
        "recipe.recalibration_images=128", "space.resolutions=[6, 8]", "space.head.width=16",
        "space.stem.widths=[4, 8]", "ranges.learning_rates=[0.004, 0.016]", "ranges.mixups=[]",
        "ranges.dropouts=[]", "ranges.drop_paths=[]", "ranges.weight_decays=[]",
        "space.stages=[{widths: [8, 12], depths: [1, 2], stride: 2, first_expansions: [1, 2]}]",
        "search.rounds=2", "search.candidates=4",
        "search.explore=0.25", "search.pool=200", "fine.candidates=2",
        "fine.generations=3", "predictor.pretraining_epochs=2", "predictor.frozen_epochs=4",
        "predictor.epochs=4", "predictor.ensemble=2", "search.parallel=2",
      ] + overrides
    )
    folder = try RunFolder.create(at: place.path, settings: .joint(settings))
    reader = try folder.reader()
  }

  deinit { try? FileManager.default.removeItem(at: place) }

  func finished() throws -> JointResult {
    let trainer = try Trainer(folder: folder)
    trainer.start()
    let outcome = trainer.wait(seconds: patience)
    guard case .finished(.joint(let result)) = outcome else {
      throw UserError(.software, "test", "the run ended with \(String(describing: outcome))")
    }
    return result
  }

  func failed() throws -> UserError {
    let trainer = try Trainer(folder: folder)
    trainer.start()
    guard case .failed(let error) = trainer.wait(seconds: patience) else {
      throw UserError(.software, "test", "the run did not fail")
    }
    return error
  }

  /// Asks to stop as soon as so many candidates are settled.
  func stopped(after candidates: Int) throws {
    let trainer = try Trainer(folder: folder)
    trainer.start()
    try wait { try $0.trials().count { $0.isSettled } >= candidates }
    try reader.request(.stop)
    guard trainer.wait(seconds: patience) == .stopped else {
      throw UserError(.software, "test", "the run did not stop")
    }
  }

  func wait(until holds: (RunReader) throws -> Bool) throws {
    guard try eventually({ try holds(reader) }) else {
      throw UserError(.software, "test", "waited in vain")
    }
  }

  /// The candidates but for the times of their trainings.
  func table() throws -> [TrialRecord] {
    try reader.trials().map {
      var trial = $0
      trial.seconds = 0
      return trial
    }
  }

  func progress() throws -> JointProgress { try reader.jointProgress() ?? JointProgress() }
}
