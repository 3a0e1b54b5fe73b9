import Foundation
import Runs
import Testing

/// Branches, and the records that they take over (spec S84).
@Suite struct BranchTests {
  private func inFolder(_ body: (RunFolder) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(
      "supertop-branch-\(UUID().uuidString)"
    ).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let run = try RunFolder.create(
      at: path + "/run",
      config: try Configuration.preset("digits")
    )
    let store = try run.store()
    try store.beginSession(step: 0)
    var status = RunStatus(state: .running)
    for step in 0..<30 {
      status.step = step + 1
      try store.record(
        step: StepRecord(
          step: step,
          epoch: step / 10,
          phase: .weights,
          loss: Double(step),
          crossEntropy: 1,
          accuracy: 0.5,
          cost: 1,
          temperature: 5,
          learningRate: 0.1,
          seconds: 0.1,
          images: 8
        ),
        status: status
      )
      if step % 10 == 4 { try store.log(.notice, "half of epoch \(step / 10)") }
      if step % 10 == 9 {
        let place = "{\"epoch\":\(step / 10 + 1),\"lastIntervention\":\(step / 10)}"
        try run.writeCheckpoint(
          Checkpoint(metadata: [Checkpoint.placeKey: place, "step": "\(step + 1)"]),
          step: step + 1
        )
      }
    }
    for step in [5, 15, 25] {
      let id = try store.reader.request(.setTemperature(Double(step))).id
      try store.accept(id, step: step)
      try store.finish(id)
    }
    try body(run)
  }

  @Test func `a branch has the records up to its checkpoint and nothing later`() throws {
    try inFolder { run in
      let branch = try run.makeBranch(step: 27, changes: ["temperature.rate=0.9"])
      #expect(branch.path == run.path + "-b1")
      #expect(try branch.parent() == RunParent(run: run.absolutePath, step: 20))
      let reader = try branch.reader()
      #expect(try reader.steps().map(\.step) == Array(0..<20))
      #expect(try reader.interventions().compactMap(\.step) == [5, 15])
      let log = try reader.log().map(\.text)
      #expect(log.prefix(2) == ["half of epoch 0", "half of epoch 1"])
      #expect(log.last == "branched from run at step 20")
      #expect(try reader.status()?.step == 20 && reader.status()?.state == .stopped)
      #expect(branch.checkpointSteps() == [20])
      #expect(try branch.latestCheckpoint()?.checkpoint.metadata["step"] == "20")
      #expect(try branch.configuration().temperature.rate == 0.9)
      // The parent is as it was, and the next branch has a name of its own.
      #expect(try run.reader().steps().count == 30 && run.parent() == nil)
      #expect(try run.makeBranch().path == run.path + "-b2")
    }
  }

  @Test func `what weights and records depend on may not change`() throws {
    try inFolder { run in
      for change in ["seed=2", "search.batch=3", "data.resolution=16", "space.head=8"] {
        let error = #expect(throws: UserError.self, "\(change)") {
          try run.makeBranch(changes: [change])
        }
        #expect(error?.place == "--set \(change)", "\(change)")
      }
      #expect(throws: UserError.self) { try run.makeBranch(changes: ["temperature.rate=hot"]) }
      #expect(throws: UserError.self) { try run.makeBranch(step: 9) }
      // Nothing is left behind by what was refused.
      let parent = (run.path as NSString).deletingLastPathComponent
      let names = try FileManager.default.contentsOfDirectory(atPath: parent)
      #expect(names == ["run"])
    }
  }

  @Test func `a damaged parent.json is one clear line`() throws {
    try inFolder { run in
      let branch = try run.makeBranch()
      try Data("{".utf8).write(to: URL(fileURLWithPath: branch.path + "/parent.json"))
      let error = #expect(throws: UserError.self) { try branch.parent() }
      #expect(error?.place == branch.path + "/parent.json")
    }
  }

  @Test func `a moment has the last step and the last theta before it`() throws {
    try inFolder { run in
      let store = try run.store()
      for step in [3, 13] {
        try store.record(
          theta: ThetaRecord(
            step: step,
            epoch: Double(step) / 10,
            logits: [[0, Float(step)]],
            accuracyPull: [[0, 0]],
            costPull: [[0, 0]]
          )
        )
      }
      let reader = try run.reader()
      #expect(try reader.moment(step: 0) == RunMoment(step: 0))
      let moment = try reader.moment(step: 13)
      #expect(moment.lastStep?.step == 12 && moment.theta?.step == 3)
      #expect(try reader.moment(step: 14).theta?.logits == [[0, 13]])
    }
  }
}
