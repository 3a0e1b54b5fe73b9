import Foundation
import Runs
import Testing

@testable import Dashboard

/// The screen of a joint search: what keys do, and what is derived from its candidates.
@Suite struct JointScreenTests {
  private func model(_ name: String = "joint") throws -> Model {
    try SimulatedJointRun.model(name, Size(120, 36))
  }

  private func press(_ model: inout Model, _ keys: Key...) -> [Effect] {
    keys.flatMap { update(&model, .key($0)) }
  }

  @Test func `the best comes first until a person orders by number`() throws {
    var model = try model()
    let states = model.candidates.map { model.trials[$0].state }
    #expect(states.prefix(2).allSatisfy { $0 == .running })
    let accuracies = model.candidates.map { model.trials[$0] }.filter { $0.state == .finished }
      .compactMap(\.accuracies.last)
    #expect(accuracies == accuracies.sorted(by: >) && accuracies.count == 11)
    #expect(states.last == .failed)
    _ = press(&model, .character("o"))
    #expect(model.candidates == Array(model.trials.indices))
  }

  @Test func `the first of the list is chosen until a person moves`() throws {
    var model = try model()
    #expect(model.selection == model.candidates.first)
    _ = press(&model, .down, .down)
    let chosen = model.selection
    #expect(chosen == model.candidates[2])
    _ = update(&model, .data(try SimulatedJointRun.delta(settled: 15)))
    #expect(model.selection == chosen)
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity, 1e308])
  func `an accuracy such as no trainer writes breaks no list`(odd: Double) throws {
    for place in [0, 3] {
      var model = try model()
      model.trials[place].accuracies = [odd, odd]
      #expect(view(model).text.contains("Candidates"))
      for index in model.trials.indices { model.trials[index].accuracies = [odd] }
      #expect(view(model).text.contains("Candidates"))
    }
  }

  @Test func `what theta was at no moment is left out`() {
    var history = ProbabilityHistory()
    for epoch in [.nan, 1, .infinity, 2] { history.append(.init(epoch: epoch, values: [[1]])) }
    #expect(history.samples.map(\.epoch) == [1, 2])
  }

  @Test func `a candidate is changed and trained`() throws {
    var model = try model()
    #expect(press(&model, .character("a")) == [])
    _ = press(&model, .enter)
    #expect(model.screen == .inspector && model.draft == nil)
    let before = try #require(model.candidate).options
    // The second choice has three options: one of the two keys changes it.
    _ = press(&model, .down, .character(">"), .character(">"), .character("<"))
    let draft = try #require(model.draft)
    #expect(draft[1] == 1 || before[1] == 1)
    #expect(zip(draft, before).count { $0 != $1 } == 1)
    #expect(press(&model, .character("a")) == [.request(.addCandidate(draft))])
    #expect(model.draft == nil)
    // Back where it was, nothing is changed.
    _ = press(&model, .character(">"), .character(">"), .character("<"), .escape)
    #expect(model.draft == nil && model.screen == .main)
  }

  @Test func `a candidate is stopped, a limit set, the fine stage started`() throws {
    var model = try model()
    let number = try #require(model.candidate).number
    #expect(press(&model, .character("x")) == [.request(.stopCandidate(number))])
    #expect(press(&model, .character("n")) == [.request(.startFineStage)])
    _ = press(&model, .character("b"))
    for key in "params 9.5k".unicodeScalars { _ = press(&model, .character(key)) }
    #expect(press(&model, .enter) == [.request(.setLimit(metric: .params, 9500))])
    #expect(model.overlay == nil)
  }

  @Test(arguments: [
    ("150k", CostMetric.flops, 150_000.0), ("flops<=2M", .flops, 2e6), ("params 9k", .params, 9000),
    ("latency<=0.5", .latency, 0.5), ("flops 0", .flops, 0), ("FLOPs = 1.5m", .flops, 1.5e6),
  ])
  func `limits are understood`(text: String, metric: CostMetric, most: Double) throws {
    let limit = try #require(Control.limit(text))
    #expect(limit.metric == metric && abs(limit.most - most) < 1e-6)
  }

  @Test(arguments: ["", "k", "watts 3", "bytes 4k", "flops", "-3", "1 2 3", "nan", "inf"])
  func `what is no limit is asked for again`(text: String) throws {
    #expect(Control.limit(text) == nil)
    var model = try model()
    model.overlay = .prompt(.limit, text: text, error: "")
    #expect(press(&model, .enter) == [])
    guard case .prompt(.limit, text, let error) = model.overlay else {
      Issue.record("the prompt is gone")
      return
    }
    #expect(error.contains("flops 150k"))
  }

  @Test func `keys of other searches say that there is nothing of the kind`() throws {
    var model = try model()
    for key in "st+hf".unicodeScalars {
      #expect(press(&model, .character(key)) == [])
      #expect(model.overlay == nil)
    }
    var other = Fixture.model("running", Size(120, 36))
    for key in "xbna><o".unicodeScalars {
      #expect(update(&other, .key(.character(key))) == [])
    }
    #expect(other.message == .notice("a search has no candidates"))
  }

  @Test func `a click chooses a candidate and a second one opens it`() throws {
    var model = try model()
    let layout = Layout(model)
    let y = layout.layerRows.y + 4
    _ = update(&model, .mouse(x: 5, y: y, button: 0))
    #expect(model.selection == model.candidates[4] && model.screen == .main)
    _ = update(&model, .mouse(x: 5, y: y, button: 0))
    #expect(model.screen == .inspector)
  }

  @Test func `a prediction is set against the epoch that decides`() throws {
    let model = try model()
    let early = try #require(model.trials.first { $0.round == 0 && $0.state == .finished })
    #expect(early.accuracies.count == 6 && model.value(of: early) == early.accuracies[2])
    let running = try #require(model.trials.first { $0.state == .running })
    #expect(model.value(of: running) == nil)
    #expect(model.bestSoFar == model.bestSoFar.sorted())
    // The list, the curve and the head tell of one best candidate.
    let best = try #require(model.bestCandidate)
    #expect(best.accuracies.last == model.bestSoFar.last)
    let first = model.candidates.first { model.trials[$0].state == .finished }
    #expect(first.map { model.trials[$0].accuracies.last } == best.accuracies.last)
  }
}
