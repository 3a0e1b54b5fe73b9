import Data
import Networks
import Ranks
import Runs
import Tensor
import TestSupport
import Testing

@testable import Training

/// Batches that are cut into shards (spec S103).
@Suite struct ShardTests {
  /// A sum whose value shows the order of its additions.
  private func sum(_ node: Range<Int>) -> String {
    guard node.count > 1 else { return "\(node.lowerBound)" }
    let middle = ShardTree.middle(node)
    return "(" + sum(node.lowerBound..<middle) + "+" + sum(middle..<node.upperBound) + ")"
  }

  @Test(arguments: 1...17)
  func `shards are added in one order by any number of ranks`(shards: Int) {
    let tree = ShardTree(shards: shards)
    for ranks in 1...shards {
      let own = (0..<ranks).map { tree.shards(of: $0, ranks: ranks) }
      #expect(own.flatMap(Array.init) == Array(0..<shards))
      let leaves = own.flatMap { tree.subtrees(in: $0) }
      var sums = leaves.map(sum)
      for (to, from) in tree.additions(of: leaves) { sums[to] = "(\(sums[to])+\(sums[from]))" }
      #expect(sums[0] == sum(0..<shards))
    }
  }

  @Test func `the parts of a batch are the batch`() {
    let data = TinyNetwork.digits
    for (batch, parts) in [(24, 3), (25, 4), (7, 7)] {
      var plan = BatchPlan(
        training: data,
        indices: Array(0..<60),
        batch: batch,
        augmentation: Augmentation(shift: 1, flip: false),
        seed: 3,
        epoch: 1,
        stream: 0
      )
      let whole = plan.batch(1)
      #expect(whole.count == batch && whole.total == batch)
      var pixels: [Float] = []
      var labels: [Int32] = []
      for part in 0..<parts {
        plan.part = BatchPart(part..<part + 1, of: parts)
        let piece = plan.batch(1)
        #expect(piece.total == batch)
        pixels += piece.pixels
        labels += piece.labels
      }
      #expect(pixels == whole.pixels && labels == whole.labels)
    }
  }

  private func trained(_ batches: [Batch], shards: Int, _ recipe: Recipe) throws
    -> (loss: Double, correct: Int, weights: [String: [Float]])
  {
    let training = try NetworkTraining(
      try TinyNetwork.description(),
      recipe: recipe,
      seed: 1,
      shards: try Shards(shards),
      engine: Engine.ofRun(threads: 2)
    )
    var outcome = StepOutcome(loss: 0, crossEntropy: 0, cost: 0, correct: 0)
    for (step, batch) in batches.enumerated() {
      outcome = training.train(batch, learningRate: 0.1, step: step)
    }
    return (outcome.loss, outcome.correct, TinyNetwork.weights(training.network))
  }

  /// Of three shards of which one is larger, each with statistics of its own.
  @Test func `a step's gradient is the mean of its shards' gradients`() throws {
    let batch = TinyNetwork.batch(32)
    let whole = try trained([batch], shards: 3, TinyNetwork.plain)
    let before = try trained([], shards: 1, TinyNetwork.plain).weights
    let pieces = try [0..<10, 10..<21, 21..<32].map {
      (share: Double($0.count) / 32, try trained([batch[$0]], shards: 1, TinyNetwork.plain))
    }
    #expect(abs(whole.loss - pieces.reduce(0) { $0 + $1.share * $1.1.loss }) < 1e-5)
    #expect(whole.correct == pieces.reduce(0) { $0 + $1.1.correct })
    for (name, start) in before {
      let steps = pieces.map { share, piece in
        zip(piece.weights[name] ?? [], start).map { Double($0 - $1) * share }
      }
      for (place, end) in try #require(whole.weights[name]).enumerated() {
        let expected = steps.reduce(Double(start[place])) { $0 + $1[place] }
        #expect(abs(Double(end) - expected) < 1e-5, "\(name)")
      }
    }
  }

  @Test func `one shard is a batch as a whole, and noise differs from shard to shard`() throws {
    let batches = [TinyNetwork.batch(32), TinyNetwork.batch(32)]
    let plain = try TinyNetwork.training(TinyNetwork.noisy)
    for (step, batch) in batches.enumerated() {
      _ = plain.train(batch, learningRate: 0.1, step: step)
    }
    let one = try trained(batches, shards: 1, TinyNetwork.noisy)
    #expect(one.weights == TinyNetwork.weights(plain.network))
    // Two equal halves: only what is drawn for them can differ.
    let half = TinyNetwork.batch(16)
    let twice = Batch(pixels: half.pixels + half.pixels, labels: half.labels + half.labels)
    var recipe = TinyNetwork.plain
    let single = try trained([half], shards: 1, recipe)
    #expect(try trained([twice], shards: 2, recipe).loss == single.loss)
    recipe.dropout = 0.5
    let noisy = try trained([half], shards: 1, recipe)
    #expect(try trained([twice], shards: 2, recipe).loss != noisy.loss)
  }

  @Test func `a step on many hosts costs what its exchange moves`() {
    var model = ScalingModel(
      step: 0.1,
      floats: 1 << 20,
      addition: 1e-9,
      bandwidth: 1e9,
      latency: 1e-5
    )
    #expect(model.seconds(ranks: 1) == 0.1 && model.efficiency(ranks: 1) == 1)
    // On four hosts three quarters, twice, in three rounds for each of four buckets.
    let share = 0.75 * Double(1 << 20)
    let exchange = share * 1e-9 + 2 * (4 * share / 1e9 + 3 * 4 * 1e-5)
    #expect(abs(model.seconds(ranks: 4) - 0.1 - exchange) < 1e-12)
    let most = model.ranks(efficiency: 0.8)
    #expect(model.efficiency(ranks: most) >= 0.8 && model.efficiency(ranks: most + 1) < 0.8)
    model.latency = 0
    #expect(model.ranks(efficiency: 0.8, most: 100) == 100)
    model.bandwidth = 1e7
    #expect(model.ranks(efficiency: 0.8) == 1)
  }

  @Test func `more shards than images are refused`() throws {
    let description = try TinyNetwork.description()
    #expect(throws: UserError.self) {
      try description.checkBatch(8, recalibration: 8, images: 100, shards: 9, section: "recipe")
    }
    #expect(throws: UserError.self) {
      try description.checkBatch(8, recalibration: 8, images: 3, shards: 4, section: "recipe")
    }
    try description.checkBatch(8, recalibration: 8, images: 100, shards: 4, section: "recipe")
  }
}
