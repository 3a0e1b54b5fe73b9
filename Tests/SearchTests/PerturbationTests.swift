import Data
import Foundation
import Runs
import Tensor
import Testing

@testable import Search

/// What the supernet loses without a candidate (spec S11).
@Suite(.serialized) struct PerturbationTests {
  /// A search whose second layer lets nothing through but what its candidate 1 does.
  private func task(_ overrides: [String] = []) throws -> SearchTask {
    let task = try TinyRun(overrides: ["batch=64"] + overrides).task()
    for epoch in 0..<8 {
      let plan = task.batches(.weights, epoch: epoch)
      for index in 0..<plan.count {
        let step = epoch * plan.count + index
        _ = task.train(
          .weights,
          plan.batch(index),
          temperature: 5,
          learningRate: 0.1,
          step: step
        )
      }
    }
    let name = task.choices[1].options[1].name
    for parameter in task.supernet.parameters
    where parameter.name.hasPrefix("layers.2.") && !parameter.name.hasPrefix("layers.2.\(name).") {
      // The last batch-norm of each other candidate gives 0 for everything.
      if parameter.name.hasSuffix(".gamma") || parameter.name.hasSuffix(".beta") {
        parameter.value.pointer.update(repeating: 0, count: parameter.value.count)
      }
    }
    return task
  }

  private func bits(_ task: SearchTask) -> [[UInt32]] {
    task.state().map { $0.values.map(\.bitPattern) }
  }

  @Test func `the only candidate that carries the images is the one that cannot be spared`() throws
  {
    let task = try task()
    let found = try #require(try task.perturbation(temperature: 5, stops: { _ in false }))
    #expect(found.increases.map(\.count) == [3, 3])
    #expect(found.evaluations == 1 + 3 + 3)
    let increases = found.increases[1]
    #expect(increases[1] > 0.2, "\(increases)")
    #expect(increases[1] > 10 * max(abs(increases[0]), abs(increases[2])), "\(increases)")
    // θ is even, so another one would be called the most probable.
    let (network, layers) = task.selected(by: found)
    #expect(network[1] == 1)
    #expect(layers[1].selected == task.choices[1].options[1].name)
    #expect(layers[1].lossIncrease == increases[1])
    let probable = task.supernet.argmax[1]
    #expect(layers[1].probable == task.choices[1].options[probable].name)
    #expect(layers[1].probableLossIncrease == increases[probable])
    #expect(layers[1].differs == (probable != 1))
    #expect(abs(layers[1].probability - 1.0 / 3) < 1e-6)
  }

  @Test func `weights, theta and statistics are left as they were`() throws {
    let task = try task()
    let batch = task.plan(evaluating: .validation).batch(0)
    let network: Architecture = [0, 1]
    task.supernet.recalibrate(network, temperature: 5, batches: [batch])
    func score(_ network: Architecture?) -> Double {
      task.supernet.evaluate(network, temperature: 5, pixels: batch.pixels, labels: batch.labels)
        .crossEntropy
    }
    let before = (bits: bits(task), alone: score(network), mixture: score(nil))
    let found = try #require(try task.perturbation(temperature: 5, stops: { _ in false }))
    #expect(score(nil) == before.mixture && score(network) == before.alone)
    #expect(bits(task) == before.bits)
    #expect(try task.perturbation(temperature: 5, stops: { _ in false }) == found)
  }

  @Test func `the selection holds the budget`() throws {
    let range = try TinyRun().task().supernet.costModel.range
    let budget = range.lowerBound + 0.4 * (range.upperBound - range.lowerBound)
    let task = try TinyRun(overrides: ["budget.flops=\(budget)"]).task()
    let prices = try #require(task.supernet.costModel as? AdditiveCost)
    let expensive = prices.layers.map { layer in layer.map { $0 / 1e4 } }
    let selected = task.selected(by: Perturbation(increases: expensive, evaluations: 7)).network
    #expect(CostLimit.within(budget).contains(prices.cost(selected)))
    #expect(prices.cost(selected) > range.lowerBound)
  }

  @Test func `it reports how far it is and ends when asked to`() throws {
    let task = try TinyRun().task()
    var shares: [Double] = []
    let found = try task.perturbation(temperature: 1) {
      shares.append($0)
      return shares.count == 9
    }
    #expect(found == nil && shares.count == 9)
    #expect(shares == shares.sorted() && shares[0] == 0 && shares[8] < 1)
  }
}
