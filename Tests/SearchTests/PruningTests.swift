import Foundation
import Runs
import TestSupport
import Testing

@testable import Search
@testable import Training

/// Candidates that stay improbable leave the search: recorded, undone and repeated like what people
/// ask for.
@Suite(.serialized) struct PruningTests {
  private static let overrides = ["search.prune_below=0.333", "search.prune_after=1"]
  /// Where the third epoch begins, the second of θ.
  private static let begin = 16

  private func unbroken() throws -> (run: TinyRun, result: SearchResult) {
    let run = try TinyRun(overrides: Self.overrides)
    return (run, try run.finished())
  }

  private func bans(_ run: RunReader) throws -> [Intervention] {
    try run.interventions().filter { if case .banOption = $0.action { true } else { false } }
  }

  private func theta(_ probabilities: [[Float]]) -> ThetaRecord {
    ThetaRecord(
      step: 0,
      epoch: 0,
      logits: probabilities.map { $0.map { $0 == 0 ? -1e9 : log($0) } },
      accuracyPull: [],
      costPull: []
    )
  }

  @Test func `what was below the floor all the time is pruned, and nothing else`() {
    let pruning = Pruning(floor: 0.1, epochs: 1)
    let thetas = [
      theta([[0.05, 0.9, 0.05, 0], [0.2, 0.8]]), theta([[0.08, 0.82, 0.05, 0.05], [0.05, 0.95]]),
      theta([[0.01, 0.88, 0.11, 0], [0.09, 0.91]]),
    ]
    // The third rose above it, the fourth was barred; the second choice began above it.
    #expect(pruning.places(thetas, Course()) == [.init(choice: 0, option: 0)])
    #expect(
      pruning.places([thetas[2]], Course())
        == [.init(choice: 0, option: 0), .init(choice: 1, option: 0)]
    )
    var course = Course()
    course.pins = [.init(choice: 0, option: 1)]
    course.bans = [.init(choice: 1, option: 0)]
    #expect(pruning.places([thetas[2]], course).isEmpty)
    #expect(pruning.places([], Course()).isEmpty)
  }

  @Test func `an improbable candidate is banned at the start of an epoch, and says why`() throws {
    let run = try unbroken().run
    let bans = try bans(run.reader)
    #expect(!bans.isEmpty)
    for ban in bans {
      #expect(ban.state == .done && ban.step == Self.begin)
      #expect(ban.note == "pruned, below 33.3% for 1 epoch")
    }
    let line = "\(Format.counted(bans.count, "candidate")) pruned, below 33.3% for 1 epoch"
    #expect(try run.reader.log().contains { $0.text == line })
    // Not more of them, and none that was above the floor.
    let thetas = try run.reader.thetas()
    let expected = Pruning(floor: 0.333, epochs: 1)
      .places(thetas.filter { $0.step < Self.begin }, Course())
    #expect(
      bans.map(\.action) == expected.map { .banOption(choice: $0.choice, option: $0.option) }
    )
    for place in expected {
      for theta in thetas where theta.step > Self.begin {
        #expect(theta.logits[place.choice][place.option] == ArchitectureParameters.outOfSearch)
      }
    }
  }

  @Test(arguments: [15, 16, 18])
  func `a run stopped around the pruning ends as an unbroken one`(steps: Int) throws {
    let expected = try unbroken()
    let run = try TinyRun(overrides: Self.overrides)
    try run.stopped(after: steps)
    let result = try run.finished()
    #expect(result.thetaHash == expected.result.thetaHash)
    #expect(result.weightsHash == expected.result.weightsHash)
    #expect(try bans(run.reader).map(\.action) == bans(expected.run.reader).map(\.action))
  }

  @Test func `what is allowed again stays in the search, in a replay too`() throws {
    let run = try TinyRun(overrides: Self.overrides + ["search.epochs=4"])
    let trainer = try Trainer(folder: run.folder)
    try run.reader.request(.runToEpoch(2))
    trainer.start()
    _ = try run.status { $0.state == .paused && $0.epoch == 2 }
    let pruned = try bans(run.reader)
    let first = try #require(pruned.first)
    guard case .banOption(let choice, let option) = first.action else { return }
    for _ in pruned.dropFirst() { try run.reader.request(.undo) }
    try run.reader.request(.allowOption(choice: choice, option: option))
    try run.reader.request(.resume)
    #expect(run.outcome(of: trainer) != nil)
    // None twice: the one that was allowed is as improbable as before.
    let all = try bans(run.reader).map(\.action)
    #expect(Set(all.map { "\($0)" }).count == all.count)
    let last = try #require(try run.reader.thetas().last)
    #expect(last.logits[choice][option] > ArchitectureParameters.outOfSearch)

    #expect(try expectReplay(run) >= pruned.count + 1)
  }

  /// Repeats a run, and returns how many requests were compared.
  @discardableResult private func expectReplay(_ run: TinyRun) throws -> Int {
    let copy = try run.folder.makeReplay(at: run.folder.path + "-replay")
    defer { removeAll(copy.path) }
    let trainer = try Trainer(folder: copy)
    trainer.start()
    #expect(trainer.wait(seconds: patience) != nil)
    let found = try RunComparison(run.folder, copy)
    #expect(found.isIdentical, "\(String(describing: found.firstDifference))")
    return found.interventions
  }

  @Test func `what a new course has overtaken is pruned again, in a replay too`() throws {
    let run = try TinyRun(overrides: Self.overrides)
    try run.stopped(after: 18)
    for step in run.folder.checkpointSteps() where step > 7 {
      try FileManager.default.removeItem(atPath: run.folder.checkpointPath(step: step))
    }
    try run.reader.request(.setRate(.weights, 0.5))
    _ = try run.finished()
    let bans = try bans(run.reader)
    #expect(bans.contains { $0.state == .refused && $0.step == nil })
    let done = bans.filter { $0.state == .done }
    #expect(!done.isEmpty && done.allSatisfy { $0.step == Self.begin })
    try expectReplay(run)
  }

  @Test func `a floor that all candidates begin below is refused`() throws {
    let run = try TinyRun(overrides: ["search.prune_below=0.34"])
    let error = #expect(throws: UserError.self) { try run.finished() }
    #expect(error?.description.contains("search.prune_below: 0.34 is not below 1/3") == true)
  }
}
