import Foundation
import Runs
import Testing

@testable import Data
@testable import Search

/// Which images a search looks at, and what it leaves as it was (spec S9, S11, S12).
@Suite(.serialized) struct SearchImagesTests {
  /// A whole search in this thread on data of the test's own.
  private func search(_ run: TinyRun, _ data: Dataset) throws -> (SearchResult, [EpochRecord]) {
    let store = try run.folder.store()
    try store.beginSession(step: 0)
    let task = try SearchTask(run.folder.configuration(), data: data)
    let session = try TrainingSession(folder: run.folder, store: store, task: task)
    try store.setChoices(task.choices)
    guard case .search(let result) = try #require(try session.train()) else {
      throw UserError(.software, "test", "no search")
    }
    let epochs = try run.reader.epochs().map { epoch in
      var epoch = epoch
      epoch.seconds = 0
      return epoch
    }
    return (result, epochs)
  }

  @Test(arguments: ["dnas", "random"])
  func `test images decide nothing and are looked at in the end`(algorithm: String) throws {
    var data = TinyNetwork.digits
    func searched() throws -> (SearchResult, [EpochRecord]) {
      try search(TinyRun(overrides: ["search.algorithm=\(algorithm)"]), data)
    }
    let (first, epochs) = try searched()
    // Every test image shows another class.
    data.test = data.test.relabelled((0..<10).map { ($0 + 1) % 10 })
    let (second, others) = try searched()
    #expect(first.thetaHash == second.thetaHash && first.weightsHash == second.weightsHash)
    #expect(epochs == others)
    #expect(first.architecture == second.architecture)
    #expect(first.argmaxAccuracy == second.argmaxAccuracy)
    #expect(first.validationLoss == second.validationLoss)
    #expect(first.testLoss != second.testLoss)
    #expect(first.testAccuracy != second.testAccuracy)
    #expect(first.supernetTestLoss != second.supernetTestLoss)
  }

  @Test func `the images that judge train nothing`() throws {
    let run = try TinyRun()
    let task = try SearchTask(run.folder.configuration(), data: TinyNetwork.digits)
    let parts = [task.split.weights, task.split.theta, task.split.validation]
    #expect(parts.allSatisfy { !$0.isEmpty })
    #expect(parts.reduce(0) { $0 + $1.count } == Set(parts.joined()).count)
    #expect(task.batches(.weights, epoch: 1).images == parts[0].count)
    #expect(task.batches(.theta, epoch: 1).images == parts[1].count)
    #expect(task.plan(judging: .theta).images == parts[1].count)
    #expect(task.plan(judging: .validation).images == parts[2].count)
    #expect(task.plan(judging: .test).images == task.data.test.count)
  }

  // MARK: Perturbation

  /// A search after some steps on its weights.
  private func trained(_ steps: Int) throws -> SearchTask {
    let task = try SearchTask(TinyRun().folder.configuration(), data: TinyNetwork.digits)
    var step = 0
    for epoch in 0... {
      for batch in BatchLoader(task.batches(.weights, epoch: epoch)) {
        _ = task.train(.weights, batch, temperature: 5, learningRate: 0.1, step: step)
        step += 1
        if step == steps { return task }
      }
    }
    return task
  }

  private func state(_ task: SearchTask) -> [String: (shape: [Int], values: [Float])] {
    Dictionary(
      uniqueKeysWithValues: task.state().map { ($0.name, (shape: $0.shape, values: $0.values)) }
    )
  }

  @Test func `the only candidate with a signal is missed most and nothing is changed`() throws {
    let task = try trained(24)
    let options = task.choices[1].options.map(\.name)
    let signal = try #require(options.firstIndex(of: "k3_e1"))
    #expect(options.count > 1)
    var silent = state(task)
    for (name, entry) in silent where name.hasPrefix("layers.2.") && !name.contains(".k3_e1.") {
      silent[name] = (entry.shape, entry.values.map { _ in 0 })
    }
    try task.restore(silent)
    let before = task.supernet.state().map(\.values)
    let batch = task.plan(judging: .validation).batch(0)
    func judged() -> Double {
      task.supernet.evaluate(nil, temperature: 1, pixels: batch.pixels, labels: batch.labels).0
    }
    _ = try task.evaluate(nil, on: .validation, temperature: 1) { _ in false }
    let loss = judged()
    var shares: [Double] = []
    let found = try #require(
      try task.perturbation(temperature: 1) {
        shares.append($0)
        return false
      }
    )
    #expect(judged() == loss)
    #expect(task.supernet.state().map(\.values) == before)
    #expect(found.increases.map(\.count) == task.choices.map(\.options.count))
    let row = found.increases[1]
    #expect(row.indices.max { row[$0] < row[$1] } == signal)
    let others = row.indices.filter { $0 != signal }.map { row[$0] }
    #expect(row[signal] > 0.3 && others.allSatisfy { abs($0) < 0.1 }, "\(row)")
    #expect(zip(shares, shares.dropFirst()).allSatisfy { $0 <= $1 })
    #expect(shares.first == 0 && shares.allSatisfy { $0 < 1 })
    let open = task.choices.reduce(0) { $0 + ($1.options.count > 1 ? $1.options.count : 0) }
    #expect(found.evaluations == open + 1)
    #expect(try task.perturbation(temperature: 1) { $0 > 0.5 } == nil)
  }

  @Test func `what is spared least is selected and told beside the most probable`() throws {
    let task = try SearchTask(TinyRun().folder.configuration(), data: TinyNetwork.digits)
    let increases = task.choices.map { choice in
      choice.options.indices.map { Double($0) / 10 }
    }
    let (network, layers) = task.selected(by: Perturbation(increases: increases, evaluations: 1))
    #expect(network == task.choices.map { $0.options.count - 1 })
    for (layer, choice) in task.choices.enumerated() {
      let likeliest = task.supernet.argmax[layer]
      #expect(layers[layer].selected == choice.options[network[layer]].name)
      #expect(layers[layer].probable == choice.options[likeliest].name)
      #expect(layers[layer].differs == (network[layer] != likeliest))
      #expect(layers[layer].lossIncrease == increases[layer][network[layer]])
      #expect(layers[layer].probableLossIncrease == increases[layer][likeliest])
    }
  }
}
