import Foundation
import Runs
import Testing

@testable import Search

/// Numbers that are none end a search at their step, with a key to change (spec S82).
@Suite(.serialized) struct NumberFaultTests {
  /// A search that fails in its second epoch, the first with steps on θ.
  private func fails(
    _ override: String,
    at step: Int,
    key: String,
    naming what: String
  ) throws {
    let run = try TinyRun(overrides: [override])
    for _ in 0..<2 {
      // The second trainer goes on from the first one's checkpoint, and ends the same.
      let trainer = try Trainer(folder: run.folder)
      trainer.start()
      guard case .failed(let error) = run.outcome(of: trainer) else {
        Issue.record("the search went on")
        return
      }
      #expect(error.code == .configuration)
      #expect(error.place == key)
      #expect(error.problem.contains(what) && error.problem.contains("step \(step) "))
      #expect(error.remedy.contains(key) && error.remedy.contains("checkpoint is kept"))
      let status = try #require(try run.reader.status())
      #expect(status.state == .failed && status.message == error.description)
      #expect(try run.reader.steps().map(\.step) == Array(0..<step))
      #expect(try run.reader.steps().allSatisfy { $0.loss.isFinite && $0.cost.isFinite })
      #expect(try run.reader.thetas().isEmpty)
    }
    let last = try #require(run.folder.checkpointSteps().last)
    #expect(last > 0 && last <= step)
    #expect(try Trainer(folder: run.folder).firstStep == last)
  }

  @Test func `theta`() throws {
    let plan = try SearchTask(TinyRun().folder.configuration(), data: TinyNetwork.digits).plan
    try fails(
      "theta.learning_rate=1e39",
      at: 2 * plan.weightSteps,
      key: "theta.learning_rate",
      naming: "theta"
    )
  }

  @Test func `the temperature`() throws {
    let plan = try SearchTask(TinyRun().folder.configuration(), data: TinyNetwork.digits).plan
    try fails(
      "temperature.rate=200",
      at: plan.weightSteps,
      key: "temperature.end",
      naming: "temperature"
    )
  }

  @Test func `the cost and what θ has become are told apart`() throws {
    let task = try SearchTask(TinyRun().folder.configuration(), data: TinyNetwork.digits)
    var outcome = StepOutcome(loss: 1, crossEntropy: 1, cost: 1e6, correct: 3)
    #expect(task.fault(outcome, .weights) == nil && task.fault(outcome, .theta) == nil)
    for cost in [Double.nan, .infinity] {
      outcome.cost = cost
      for phase in [Phase.weights, .theta] {
        let fault = task.fault(outcome, phase)
        #expect(fault?.what == "the expected cost" && fault?.key == "theta.learning_rate")
      }
    }
    outcome.cost = 1
    for value in [Float.nan, .infinity, -.infinity] {
      task.supernet.theta.logits[1][0] = value
      #expect(task.fault(outcome, .theta)?.what == "theta")
      // Steps on the weights leave it as it is.
      #expect(task.fault(outcome, .weights) == nil)
    }
  }
}
