import Data
import Foundation
import Networks
import Runs
import Tensor
import TestSupport
import Testing

@testable import Training

/// What each setting of a recipe does to the weights, step by step (spec S41).
@Suite struct RecipeActionTests {
  /// Weights by name before and after some steps of one batch, and the losses of the steps.
  private struct Steps {
    var before: [String: [Float]]
    var after: [String: [Float]]
    var losses: [Double]

    func change(_ name: String) -> [Float] {
      zip(after[name] ?? [], before[name] ?? []).map { $0 - $1 }
    }
  }

  private let batch = TinyNetwork.batch(32)

  private func steps(
    _ count: Int,
    rate: Double = 0.1,
    network: NetworkDescription? = nil,
    batch: Batch? = nil,
    _ change: (inout Recipe) -> Void = { _ in }
  ) throws -> Steps {
    var recipe = TinyNetwork.plain
    change(&recipe)
    let training = try TinyNetwork.training(recipe, network: network)
    let before = TinyNetwork.weights(training.network)
    var losses: [Double] = []
    for step in 0..<count {
      losses.append(
        training.train(batch ?? self.batch, learningRate: rate, step: step).loss
      )
    }
    return Steps(before: before, after: TinyNetwork.weights(training.network), losses: losses)
  }

  @Test func `first_values says how large depthwise filters start`() throws {
    let large = try steps(0) { $0.firstValues = .groupFanOut }.before
    let small = try steps(0) { $0.firstValues = .layerFanOut }.before
    for (name, values) in large {
      // The blocks of the tiny network are 32 channels wide in the middle.
      let factor: Float = name.hasSuffix("depthwise.weight") ? Float(32).squareRoot() : 1
      for (a, b) in zip(values, small[name] ?? []) {
        #expect(abs(a - factor * b) <= 1e-5 * abs(a), "\(name)")
      }
    }
  }

  @Test func `sgd steps along the gradient, rmsprop by its sign where it is large`() throws {
    let sgd = try steps(1).change("classifier.weight")
    let rms = try steps(1) {
      $0.optimiser = .rmsprop
      $0.rmsAlpha = 0.75
      $0.rmsEpsilon = 1e-8
    }.change("classifier.weight")
    // √(1 − α)·|g| divides g: every weight moves by rate/√0.25, in the gradient's direction.
    for (slow, even) in zip(sgd, rms) where abs(slow) > 1e-5 {
      #expect(abs(abs(even) - 0.2) < 1e-3 && (even > 0) == (slow > 0))
    }
    #expect(sgd.contains { abs($0) > 1e-5 })
  }

  @Test func `rms_alpha sets how fast squares grow, rms_epsilon damps small gradients`() throws {
    func change(_ alpha: Double, _ epsilon: Double) throws -> Float {
      let changes = try steps(1) {
        $0.optimiser = .rmsprop
        $0.rmsAlpha = alpha
        $0.rmsEpsilon = epsilon
      }.change("classifier.bias")
      return abs(changes[0])
    }
    #expect(abs(try change(0.99, 1e-8) / change(0.75, 1e-8) - 5) < 1e-2)
    #expect(try change(0.9, 1000) < 1e-3 * change(0.9, 1e-8))
  }

  @Test func `the learning rate scales a step`() throws {
    let one = try steps(1, rate: 0.1).change("classifier.bias")
    let two = try steps(1, rate: 0.2).change("classifier.bias")
    #expect(zip(one, two).allSatisfy { abs($1 - 2 * $0) < 1e-5 * max(1, abs($0)) })
    #expect(one.contains { abs($0) > 1e-4 })
  }

  @Test func `momentum carries a share of the step before into the next`() throws {
    let name = "classifier.bias"
    let first = try steps(1).change(name)
    let without = try steps(2).change(name)
    let with = try steps(2) { $0.momentum = 0.5 }.change(name)
    // The first steps agree, so the second gradients do: the rest is half of the first step.
    for i in first.indices { #expect(abs(with[i] - without[i] - 0.5 * first[i]) < 1e-6) }
    #expect(first.contains { abs($0) > 1e-4 })
  }

  @Test func `weight decay shrinks weights and spares biases and batch-norms`() throws {
    let without = try steps(1)
    let with = try steps(1) { $0.weightDecay = 0.5 }
    for (name, before) in with.before {
      let pull = zip(with.change(name), without.change(name)).map { $0 - $1 }
      if name.hasSuffix(".weight") {
        for (pull, weight) in zip(pull, before) { #expect(abs(pull + 0.05 * weight) < 1e-5) }
      } else {
        #expect(pull.allSatisfy { $0 == 0 }, "\(name)")
      }
    }
    #expect(with.before.keys.contains("stem.gamma"))
    #expect(with.before.keys.contains("classifier.bias"))
  }

  @Test func `label smoothing keeps the loss above the entropy of its targets`() throws {
    let small = TinyNetwork.batch(4)
    let plain = try steps(150, batch: small).losses
    let smooth = try steps(150, batch: small) { $0.labelSmoothing = 0.3 }.losses
    // q = 0.73 for the label and 0.03 for each of the nine others.
    let entropy = -(0.73 * log(0.73) + 9 * 0.03 * log(0.03))
    #expect(plain[149] < 0.1)
    #expect(smooth.allSatisfy { $0 > entropy - 1e-6 })
    #expect(smooth[149] < entropy + 0.1)
  }

  @Test func `mixup trains on blended images with both labels`() throws {
    let recipe = { (recipe: inout Recipe) in recipe.mixup = 2.0 }
    let mixed = try steps(1, recipe).losses[0]
    var random = Philox(seed: 1, purpose: .mixup, step: 0)
    let share = random.mixupShare(alpha: 2)
    #expect(share > 0 && share <= 0.5)
    let blended = batch.blended(share: share)
    let own = try steps(1, batch: blended).losses[0]
    var turned = blended
    turned.labels.reverse()
    let other = try steps(1, batch: turned).losses[0]
    #expect(abs(mixed - (Double(1 - share) * own + Double(share) * other)) < 1e-5)
    #expect(abs(mixed - (try steps(1).losses[0])) > 1e-4)
  }

  @Test func `mixup's shares follow Beta(alpha, alpha), one a step`() {
    func shares(_ alpha: Double) -> [Float] {
      (0..<2000).map {
        var random = Philox(seed: 3, purpose: .mixup, step: UInt64($0))
        return random.mixupShare(alpha: alpha)
      }
    }
    func mean(_ values: [Float]) -> Float { values.reduce(0, +) / Float(values.count) }
    // Beta(1, 1) is uniform: its smaller side is 1/4 on average; E min = 3/8 − … grows with alpha.
    #expect(abs(mean(shares(1)) - 0.25) < 0.01)
    // Beta(2, 2): ∫ min(x, 1 − x)·6x(1 − x) = 5/16.
    #expect(abs(mean(shares(2)) - 0.3125) < 0.01)
    // Beta(½, ½), the arcsine law: 1/2 − 1/π.
    #expect(abs(mean(shares(0.5)) - (0.5 - 1 / .pi)) < 0.01)
    #expect(shares(1e-4).allSatisfy { (0...0.5).contains($0) })
    #expect(mean(shares(1e-4)) < 0.01)
    #expect(shares(1) == shares(1))
    #expect(Set(shares(1)).count > 1900)
  }

  @Test func `dropout sets its share of the classifier's inputs to 0`() throws {
    let wide = try TinyNetwork.description(head: 1000)
    /// Rows of the classifier that an image of its own leaves as they are.
    func untouched(_ share: Double) throws -> Double {
      let change = try steps(1, network: wide, batch: TinyNetwork.batch(1)) {
        $0.dropout = share
      }.change("classifier.weight")
      let rows = (0..<1000).filter { row in
        change[row * 10..<row * 10 + 10].allSatisfy { $0 == 0 }
      }
      return Double(rows.count) / 1000
    }
    let none = try untouched(0)
    #expect(none < 0.2)
    #expect(abs(try untouched(0.4) - (none + 0.4 * (1 - none))) < 0.05)
    #expect(try untouched(0.999) > 0.98)
  }

  @Test func `stochastic depth leaves blocks out, the later ones more often`() throws {
    let deep = try TinyNetwork.description(residuals: 2)
    /// How far the projections of the two residual blocks move in some steps.
    func moves(_ share: Double) throws -> [Float] {
      let steps = try steps(6, network: deep) { $0.dropPath = share }
      return ["blocks.1", "blocks.2"].map { block in
        steps.change(block + ".project.gamma").reduce(0) { $0 + abs($1) }
      }
    }
    let all = try moves(0)
    let few = try moves(0.9999)
    #expect(all.allSatisfy { $0 > 1e-4 })
    // The last block is left out by nearly every image, the one before by every second.
    #expect(few[1] < 0.05 * all[1])
    #expect(few[0] > 0.2 * all[0])
    #expect(try moves(0.3) != all)
  }

  @Test func `ema puts the moving average in the weights' place, and them back`() throws {
    var recipe = TinyNetwork.plain
    recipe.ema = 0.5
    let training = try TinyNetwork.training(recipe)
    func weights() -> [Float] { TinyNetwork.weights(training.network)["classifier.weight"] ?? [] }
    var average = weights()
    for step in 0..<6 {
      _ = training.train(batch, learningRate: 0.2, step: step)
      let decay = min(0.5, Float(1 + step) / Float(10 + step))
      average = zip(average, weights()).map { decay * $0 + (1 - decay) * $1 }
    }
    let trained = weights()
    let saved = training.state().map(\.values)
    training.averaged {
      for (mean, expected) in zip(weights(), average) { #expect(abs(mean - expected) < 1e-5) }
      // A checkpoint in the middle of an evaluation holds the weights as weights.
      #expect(training.state().map(\.values) == saved)
    }
    #expect(weights() == trained)
    #expect(zip(trained, average).contains { abs($0 - $1) > 1e-4 })

    let without = try TinyNetwork.training(TinyNetwork.plain)
    for step in 0..<6 { _ = without.train(batch, learningRate: 0.2, step: step) }
    without.averaged {
      #expect(TinyNetwork.weights(without.network)["classifier.weight"] == trained)
    }
  }

  @Test func `a state taken up again trains on to the same bits`() throws {
    var recipe = TinyNetwork.noisy
    for optimiser in Recipe.Optimiser.allCases {
      recipe.optimiser = optimiser
      let unbroken = try TinyNetwork.training(recipe)
      for step in 0..<3 { _ = unbroken.train(batch, learningRate: 0.01, step: step) }
      let resumed = try TinyNetwork.training(recipe, seed: 1)
      var state = unbroken.state()
      try resumed.restore(state)
      for step in 3..<6 {
        let a = unbroken.train(batch, learningRate: 0.01, step: step)
        let b = resumed.train(batch, learningRate: 0.01, step: step)
        #expect(a == b)
      }
      #expect(unbroken.state().map(\.values) == resumed.state().map(\.values))

      state["average.classifier.bias"] = nil
      let error = #expect(throws: UserError.self) { try resumed.restore(state) }
      #expect(error?.problem.contains("average.classifier.bias") == true)
      #expect(unbroken.state().map(\.values) == resumed.state().map(\.values))
    }
  }

  @Test func `weights to start from are taken where name and shape agree`() throws {
    let donor = try TinyNetwork.training(TinyNetwork.plain, seed: 9)
    let file = Checkpoint(
      tensors: donor.network.state().map {
        .init(name: $0.name, shape: $0.shape, values: $0.values)
      }
    )
    let start = try NetworkTraining(
      try TinyNetwork.description(classes: 7),
      recipe: TinyNetwork.plain,
      seed: 1,
      start: file,
      engine: Engine.ofRun(threads: 2)
    )
    let fresh = try NetworkTraining(
      try TinyNetwork.description(classes: 7),
      recipe: TinyNetwork.plain,
      seed: 1,
      engine: Engine.ofRun(threads: 2)
    )
    let (own, given, sampled) = (
      TinyNetwork.weights(start.network), TinyNetwork.weights(donor.network),
      TinyNetwork.weights(fresh.network)
    )
    #expect(own["stem.weight"] == given["stem.weight"])
    #expect(own["classifier.weight"] == sampled["classifier.weight"])
    #expect(own["stem.weight"] != sampled["stem.weight"])
  }

  @Test func `a classifier to start from is matched by the names of the classes`() throws {
    let donor = try TinyNetwork.training(TinyNetwork.plain, seed: 9)
    let digits = (0..<10).map(String.init)
    let learned = LearnedData(classNames: digits, mean: [0], standardDeviation: [1], side: 8)
    let file = Checkpoint(
      metadata: learned.metadata,
      tensors: donor.network.state().map {
        .init(name: $0.name, shape: $0.shape, values: $0.values)
      }
    )
    func classifier(_ names: [String]?, start: Checkpoint?) throws -> [[Float]] {
      let training = try NetworkTraining(
        try TinyNetwork.description(classes: names?.count ?? 10),
        recipe: TinyNetwork.plain,
        seed: 1,
        start: start,
        classNames: names,
        engine: Engine.ofRun(threads: 1)
      )
      let values = Array(training.network.classifier.value.elements)
      let classes = names?.count ?? 10
      return (0..<classes).map { column in
        stride(from: column, to: values.count, by: classes).map { values[$0] }
      }
    }
    let given = try classifier(nil, start: file)
    #expect(try classifier(digits, start: file) == given)
    let names = ["7", "new", "0"]
    let own = try classifier(names, start: file)
    #expect(own[0] == given[7] && own[2] == given[0])
    #expect(own[1] == (try classifier(names, start: nil))[1])
    let other = (0..<10).map { "x\($0)" }
    #expect(try classifier(other, start: file) == (try classifier(other, start: nil)))
  }
}
