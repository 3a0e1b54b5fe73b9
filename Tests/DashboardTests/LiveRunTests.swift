@testable import Dashboard
import Foundation
import Runs
import Testing

@Suite struct LiveRunTests {
  /// A run in a new folder, which goes away with the test.
  private func withRun(_ body: (RunFolder, RunStore, SimulatedRun) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let folder = try RunFolder.create(at: path, config: try Configuration.preset("digits"))
    let lock = try folder.lock()
    try body(folder, try folder.store(), SimulatedRun(layers: 4, epochs: 6))
    withExtendedLifetime(lock) {}
  }

  private func write(_ store: RunStore, _ delta: RunDelta) throws {
    if let choices = delta.choices { try store.setChoices(choices, prices: delta.prices) }
    for step in delta.steps {
      let theta = delta.thetas.first { $0.step == step.step }
      try store.record(step: step, theta: theta, status: delta.status ?? RunStatus())
    }
    for epoch in delta.epochs { try store.record(epoch: epoch) }
    if let status = delta.status { try store.setStatus(status) }
  }

  @Test func `a poll gives what is new and nothing twice`() throws {
    try withRun { folder, store, run in
      _ = try store.beginSession(step: 0)
      let live = try LiveRun(folder: folder)
      let before = try live.poll()
      #expect(before.summary?.preset == "digits")
      #expect(before.choices == nil && before.steps.isEmpty)

      let delta = run.advance(to: 170)
      try write(store, delta)
      let first = try live.poll()
      #expect(first.steps == delta.steps)
      #expect(first.thetas == delta.thetas)
      #expect(first.epochs == delta.epochs)
      #expect(first.status == delta.status)
      #expect(first.choices == delta.choices)
      #expect(first.prices == delta.prices && first.prices.count == 4)

      let again = try live.poll()
      #expect(again.steps.isEmpty && again.thetas.isEmpty && again.epochs.isEmpty)
      #expect(
        again.status == nil && again.choices == nil && again.prices.isEmpty && !again.startsAnew
      )
    }
  }

  @Test func `a command goes to the trainer and its answers come back`() throws {
    try withRun { folder, store, _ in
      let live = try LiveRun(folder: folder)
      _ = try live.poll()
      try live.request(.setTemperature(1.5))
      let intervention = try #require(try store.pendingInterventions().first)
      #expect(intervention.action == .setTemperature(1.5))
      #expect(try live.poll().interventions.map(\.state) == [.requested])
      try store.accept(intervention.id, step: 3)
      #expect(try live.poll().interventions.map(\.state) == [.accepted])
      try store.finish(intervention.id)
      #expect(try live.poll().interventions.map(\.state) == [.done])
      #expect(try live.poll().interventions == [])
      // A new watcher hears of what was settled before it came, but not as news.
      let late = try LiveRun(folder: folder).poll()
      #expect(late.interventions.map(\.state) == [.done])
      var model = Model(size: Size(80, 24))
      _ = update(&model, .data(late))
      #expect(model.message == nil && model.interventions.count == 1)
    }
  }

  @Test func `a resumed run is read again`() throws {
    try withRun { folder, store, run in
      _ = try store.beginSession(step: 0)
      try write(store, run.advance(to: 100))
      let live = try LiveRun(folder: folder)
      var model = Model(size: Size(120, 36))
      _ = update(&model, .data(try live.poll()))
      #expect(model.curves.cost.buckets.count == 100)
      _ = try store.beginSession(step: 40)
      let delta = try live.poll()
      #expect(delta.startsAnew && delta.steps.count == 40)
      _ = update(&model, .data(delta))
      #expect(model.curves.cost.buckets.count == 40)
    }
  }

  @Test func `a long run comes in pieces that say so, and is judged as a whole`() throws {
    try withRun { folder, store, _ in
      _ = try store.beginSession(step: 0)
      var long = SimulatedRun(layers: 2, epochs: 70).advance(to: .max)
      long.steps[0].crossEntropy = .nan
      try write(store, long)
      let live = try LiveRun(folder: folder)
      var model = Model(size: Size(120, 36))
      let first = try live.poll()
      #expect(first.hasMore && first.thetas.count == 500)
      _ = update(&model, .data(first))
      #expect(model.findings == [] && model.diagnose() != [])
      let second = try live.poll()
      #expect(!second.hasMore && second.thetas.count == long.thetas.count - 500)
      _ = update(&model, .data(second))
      #expect(model.findings == model.diagnose() && model.findings.count > 0)
      var whole = try Still(source: LiveRun(folder: folder))
      try whole.show(.film)
      #expect(whole.text.contains("70"))
    }
  }

  @Test func `a trainer that is gone is noticed`() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let folder = try RunFolder.create(at: path, config: try Configuration.preset("digits"))
    try folder.store().setStatus(RunStatus(state: .running))
    #expect(try LiveRun(folder: folder).poll().trainerAlive == false)
    let lock = try folder.lock()
    #expect(try LiveRun(folder: folder).poll().trainerAlive == true)
    withExtendedLifetime(lock) {}
  }

  @Test func `a screenshot is the frame of the run, made without a terminal`() throws {
    try withRun { folder, store, run in
      _ = try store.beginSession(step: 0)
      try write(store, run.advance(to: 100))
      let svg = try Still(
        source: try LiveRun(folder: folder),
        size: Size(100, 30),
        colours: .direct
      ).svg
      #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n"))
      for word in ["Layers", "Loss", "Acc", "Cost", folder.name] {
        #expect(svg.contains(word), "\(word)")
      }
      #expect(throws: UserError.self) {
        try Still(source: try LiveRun(folder: folder), theme: "nosuch")
      }
    }
  }
}
