import Data
import Foundation
import Runs
import Tensor
import Testing

@testable import Search
@testable import Training

/// Numbers that are none end a search at their step, with the key that is to blame.
@Suite(.serialized) struct NumberFaultTests {
  /// Trains until it fails.
  private func failure(_ run: TinyRun) throws -> UserError {
    let trainer = try Trainer(folder: run.folder)
    trainer.start()
    guard case .failed(let error) = run.outcome(of: trainer) else {
      throw UserError(.software, "test", "the run did not fail")
    }
    return error
  }

  @Test(
    arguments: [
      (["temperature.end=1e-300", "temperature.rate=400"], "temperature.end", 7),
      (["temperature.end=1e-37", "temperature.rate=90"], "temperature.end", 7),
      (["theta.learning_rate=1e38"], "theta.learning_rate", 15),
      (["theta.learning_rate=1e39"], "theta.learning_rate", 14),
    ] as [([String], String, Int)]
  )
  func `the step and the key are reported and the last checkpoint stays`(
    overrides: [String],
    key: String,
    step: Int
  ) throws {
    let run = try TinyRun(overrides: overrides)
    let error = try failure(run)
    #expect(error.code == .configuration)
    #expect("\(error)".contains(key), "\(error)")
    #expect("\(error)".contains("not a finite number"), "\(error)")
    #expect(!"\(error)".contains("\n"))
    #expect(try run.reader.status()?.state == .failed)
    let steps = try run.reader.steps()
    #expect(steps.allSatisfy { $0.loss.isFinite && $0.cost.isFinite })
    #expect(
      try run.reader.thetas().allSatisfy { $0.logits.allSatisfy { $0.allSatisfy(\.isFinite) } }
    )
    #expect(steps.count == step)
    #expect(error.problem.contains("step \(step) in epoch 2"), "\(error)")
    #expect(run.folder.checkpointSteps() == [7])
  }

  @Test func `a loss beyond the numbers is reported before there is a checkpoint`() throws {
    let run = try TinyRun(overrides: ["loss.form=log", "loss.alpha=1e38"])
    let error = try failure(run)
    #expect(error.code == .configuration)
    #expect("\(error)".contains("loss.alpha"), "\(error)")
    #expect(error.problem.contains("the loss of step 0 is not a finite number"), "\(error)")
    #expect(try run.reader.steps().isEmpty)
    #expect(run.folder.checkpointSteps().isEmpty)
  }

  @Test func `with another value it continues from there`() throws {
    let run = try TinyRun(overrides: ["temperature.end=1e-300", "temperature.rate=400"])
    _ = try failure(run)
    // Again at the same place as long as nothing is changed.
    #expect(try failure(run).problem.contains("step 7 in epoch 2"))
    var settings = try run.folder.configuration()
    settings.temperature.end = 0.5
    try settings.yaml().write(
      toFile: run.folder.configurationPath,
      atomically: true,
      encoding: .utf8
    )
    let result = try run.finished()
    #expect(result.steps == 25)
    #expect(try run.reader.steps().map(\.step) == Array(0..<25))
  }

  @Test func `what is no number is found wherever it is`() throws {
    let task = try TinyRun().task()
    let batch = task.batches(.theta, epoch: 1).batch(0)
    let good = task.train(.theta, batch, temperature: 1, learningRate: 0.01, step: 0)
    #expect(task.fault(good, .theta) == nil)
    var cost = good
    cost.cost = .infinity
    #expect(task.fault(cost, .weights)?.what == "the expected cost")
    let saved = task.state()
    for name in ["theta.1", "theta.2", "theta.1.m", "theta.2.v"] {
      for value in [Float.nan, .infinity] {
        var broken = saved
        broken[name]?.values[1] = value
        try task.restore(broken)
        #expect(task.fault(good, .theta)?.key == "theta.learning_rate", "\(name)")
        // A step on the weights leaves θ alone.
        #expect(task.fault(good, .weights) == nil)
      }
    }
    try task.restore(saved)
    #expect(task.fault(good, .theta) == nil)
  }
}
