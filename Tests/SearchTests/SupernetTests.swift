import Foundation
import Runs
import Tensor
import Testing
import Training

@testable import Data
@testable import Search

/// The supernet on a space small enough for finite differences.
@Suite struct SupernetTests {
  private static let batch = 8

  private func configuration(
    _ change: (inout Configuration) -> Void = { _ in }
  ) throws -> Configuration {
    var it = try Configuration.preset("digits")
    it.threads = 2
    it.space.stem.width = 8
    it.space.stages = [.init(width: 8, depth: 1, stride: 1), .init(width: 16, depth: 2, stride: 2)]
    it.space.head = 24
    change(&it)
    return it
  }

  private func supernet(_ configuration: Configuration) throws -> Supernet {
    try Supernet(configuration: configuration, classes: 10, channels: 1, height: 8, width: 8)
  }

  /// Random images and labels.
  private func images(_ index: UInt32 = 0, count: Int = batch) -> Batch {
    var random = Philox(seed: 5, purpose: .test, index: index)
    return Batch(
      pixels: (0..<count * 64).map { _ in random.normal() },
      labels: (0..<count).map { _ in Int32(random.below(10)) }
    )
  }

  private func bits(_ supernet: Supernet) -> [[UInt32]] {
    supernet.state().map { $0.values.map(\.bitPattern) }
  }

  private func step(_ net: Supernet, _ phase: Phase, _ index: Int, learningRate: Double = 0.05)
    -> StepOutcome
  {
    let batch = images(UInt32(index))
    return net.step(
      phase,
      batch,
      temperature: 2,
      learningRate: learningRate,
      step: index
    )
  }

  /// Multiply–accumulates and the like of a step.
  private func arithmetic(_ net: Supernet, _ phase: Phase) -> Double {
    let profile = Profile()
    net.engine.profile = profile
    defer { net.engine.profile = nil }
    _ = step(net, phase, 1)
    return profile.entries.reduce(0) { $0 + $1.work.arithmetic }
  }

  @Test func `a candidate without a share is not computed`() throws {
    let soft = try supernet(configuration())
    let whole = (weights: arithmetic(soft, .weights), theta: arithmetic(soft, .theta))
    // One candidate of nine on the weights; θ needs what all give, and a backward pass of one.
    let hard = try supernet(
      configuration {
        $0.search.hard = true
        $0.search.sampling = .batch
      }
    )
    #expect(arithmetic(hard, .weights) < 0.4 * whole.weights)
    #expect(arithmetic(hard, .theta) > 0.4 * whole.theta)
    let drawn = try supernet(
      configuration {
        $0.search.paths = .drawn
        $0.search.thetaPaths = .two
      }
    )
    #expect(arithmetic(drawn, .weights) < 0.6 * whole.weights)
    #expect(arithmetic(drawn, .theta) < 0.6 * whole.theta)
    // What people ban costs nothing in either.
    let banned = try supernet(configuration())
    banned.theta.barred = banned.space.optionCounts.map { count in (0..<count).map { $0 > 1 } }
    #expect(arithmetic(banned, .weights) < 0.4 * whole.weights)
    #expect(arithmetic(banned, .theta) < 0.4 * whole.theta)
  }

  @Test func `a step on one network's weights moves those alone`() throws {
    let net = try supernet(
      configuration {
        $0.search.hard = true
        $0.search.sampling = .batch
        $0.weights.weightDecay = 0
      }
    )
    let before = net.state()
    _ = step(net, .weights, 1)
    let moved = zip(before, net.state()).filter { $0.values != $1.values }.map(\.0.name)
    let layers = net.space.optionCounts.indices.map { layer in
      Set(
        moved.filter { $0.hasPrefix("layers.\(layer + 1).") && $0.hasSuffix(".weight") }
          .map { $0.split(separator: ".")[2] }
      )
    }
    #expect(layers.allSatisfy { $0.count <= 1 }, "\(layers)")
    #expect(layers.contains { $0.count == 1 } && moved.contains("stem.weight"))
  }

  @Test func `first_values says how large depthwise filters start`() throws {
    func weights(_ rule: FirstValues) throws -> [String: [Float]] {
      let state = try supernet(configuration { $0.weights.firstValues = rule }).state()
      return Dictionary(uniqueKeysWithValues: state.map { ($0.name, $0.values) })
    }
    let large = try weights(.groupFanOut)
    let small = try weights(.layerFanOut)
    // 8 channels in, six times as many in the middle; two groups of pointwise convolutions.
    for (name, factor) in [
      ("stem.weight", 1), ("layers.1.k3_e6.depthwise.weight", 48),
      ("layers.1.k5_e1_g2.expand.weight", 2), ("layers.1.k5_e1_g2.depthwise.weight", 8),
      ("head.weight", 1), ("classifier.weight", 1),
    ] {
      let (a, b) = (try #require(large[name]), try #require(small[name]))
      for (a, b) in zip(a, b) {
        #expect(abs(a - Float(factor).squareRoot() * b) <= 1e-5 * abs(a), "\(name)")
      }
    }
  }

  @Test(
    arguments: [
      ("cifar-small", 3, 10, 767_306), ("cifar", 3, 10, 11_146_138),
    ]) func `weights number as many as the same supernet's in PyTorch`(
      preset: String,
      channels: Int,
      classes: Int,
      expected: Int
    ) throws
  {
    let configuration = try Configuration.preset(preset)
    let net = try Supernet(
      configuration: configuration,
      classes: classes,
      channels: channels,
      height: 32,
      width: 32
    )
    #expect(net.parameters.reduce(0) { $0 + $1.value.count } == expected)
  }

  private typealias Loss = Configuration.LossSettings
  private static let losses: [(Loss.Form, Loss.Multiplier)] =
    Loss.Form.allCases.map { ($0, .fixed) } + [(.target, .learned), (.limit, .learned)]

  private static let samplings:
    [(Configuration.SearchSettings.Sampling, Configuration.SearchSettings.ThetaPaths)] = [
      (.batch, .all), (.sample, .all), (.sample, .two),
    ]

  @Test(arguments: samplings, losses)
  func `the two pulls on theta add up to the gradient of the loss`(
    sampling: (Configuration.SearchSettings.Sampling, Configuration.SearchSettings.ThetaPaths),
    form: (Configuration.LossSettings.Form, Configuration.LossSettings.Multiplier)
  ) throws {
    let net = try supernet(
      configuration {
        $0.search.sampling = sampling.0
        $0.search.thetaPaths = sampling.1
        ($0.loss.form, $0.loss.multiplier) = form
        $0.budget.flops = 2e4
        $0.loss.alpha = 0.5
        // A smooth network: the kinks of ReLU would blur the differences.
        for i in $0.space.candidates.indices { $0.space.candidates[i].activation = .hswish }
      }
    )
    for warm in 0..<3 { _ = step(net, .weights, warm) }
    // A step moves the learned multiplier, so each starts from the same state.
    let saved = net.theta.state()
    func loss(_ layer: Int, _ option: Int, _ delta: Float) throws -> Double {
      try net.theta.restore(saved)
      net.theta.logits[layer][option] += delta
      // Of a step whose draw is the same for θ a little off.
      return step(net, .theta, 9, learningRate: 0).loss
    }
    let h: Float = 0.02
    for layer in 0..<3 {
      for option in [0, 1, 3, 8] {
        let difference =
          (try loss(layer, option, h) - loss(layer, option, -h)) / Double(2 * h)
        _ = try loss(layer, option, 0)
        let pull = Double(net.theta.accuracyPull[layer][option] + net.theta.costPull[layer][option])
        #expect(
          abs(pull - difference) < 2e-4 + 0.03 * abs(difference),
          "layer \(layer) option \(option): \(pull) against \(difference)"
        )
      }
    }
    #expect(net.theta.costPull.flatMap { $0 }.contains { $0 != 0 })
    #expect(net.theta.accuracyPull.flatMap { $0 }.contains { $0 != 0 })
  }

  @Test func `the cost of a sample is the mixture's and of a hard sample one network's`() throws {
    let net = try supernet(
      configuration {
        $0.search.hard = true
        $0.search.sampling = .batch
      }
    )
    let cost = step(net, .theta, 0).cost
    var costs: Set<Double> = []
    for a in 0..<9 { for b in 0..<9 { for c in 0..<9 { costs.insert(net.flops([a, b, c])) } } }
    #expect(costs.contains { abs($0 - cost) < 1e-6 * cost })
    let soft = try supernet(configuration())
    let mixed = step(soft, .theta, 0).cost
    #expect(!costs.contains { abs($0 - mixed) < 1e-9 * mixed })
    #expect(mixed > (costs.min() ?? 0) && mixed < (costs.max() ?? 0))
  }

  @Test func `a weight step leaves theta alone and a theta step the weights`() throws {
    let net = try supernet(configuration())
    let before = net.state()
    _ = step(net, .weights, 0)
    #expect(net.theta.logits.flatMap { $0 }.allSatisfy { $0 == 1 / Float(9) })
    let between = net.state()
    #expect(zip(before, between).contains { $0.values != $1.values })
    _ = step(net, .theta, 1)
    let after = net.state()
    for (old, new) in zip(between, after) where !old.name.hasPrefix("theta") {
      #expect(old.values == new.values, "\(old.name) moved")
    }
    #expect(net.theta.logits.flatMap { $0 }.contains { $0 != 1 / Float(9) })
  }

  @Test func `weight steps learn a batch by heart`() throws {
    let net = try supernet(configuration())
    let batch = images()
    var losses: [Double] = []
    for index in 0..<60 {
      losses.append(
        net.step(
          .weights,
          batch,
          temperature: 5,
          learningRate: 0.05,
          step: index
        ).crossEntropy
      )
    }
    #expect(losses[0] > 1.5)
    // Every step samples another mixture, so the end is noisy.
    #expect(losses.suffix(5).reduce(0, +) / 5 < 0.4)
  }

  @Test(arguments: Configuration.SearchSettings.Paths.allCases)
  func `any number of threads gives the same bits`(
    paths: Configuration.SearchSettings.Paths
  ) throws {
    var results: [[[UInt32]]] = []
    for threads in [1, 2, 5] {
      let net = try supernet(
        configuration {
          $0.threads = threads
          $0.search.paths = paths
          $0.search.thetaPaths = paths == .drawn ? .two : .all
        }
      )
      for index in 0..<2 { _ = step(net, .weights, index) }
      _ = step(net, .theta, 2)
      results.append(bits(net))
    }
    #expect(results[0] == results[1])
    #expect(results[0] == results[2])
  }

  @Test func `a restored supernet continues as if nothing had happened`() throws {
    let net = try supernet(configuration())
    for index in 0..<3 { _ = step(net, index == 1 ? .theta : .weights, index) }
    let saved = net.state()
    // Evaluating in between must not disturb training.
    net.recalibrate(nil, temperature: 1, batches: [images(9)])
    _ = net.evaluate(net.argmax, temperature: 1, pixels: images().pixels, labels: images().labels)
    let copy = try supernet(configuration { $0.seed = 1 })
    try copy.restore(saved)
    for index in 3..<6 {
      let phase: Phase = index == 4 ? .theta : .weights
      #expect(step(net, phase, index) == step(copy, phase, index))
    }
    #expect(bits(net) == bits(copy))
  }

  @Test func `a checkpoint of another network is refused by name`() throws {
    let net = try supernet(configuration())
    var saved = net.state()
    let other = NamedArray(name: "classifier.weight", shape: [2], values: [0, 0])
    saved[other.name] = other
    var error = #expect(throws: UserError.self) { try net.restore(saved) }
    #expect(error?.problem.contains("classifier.weight") == true)
    saved["theta.2"] = nil
    saved["classifier.weight"] = nil
    error = #expect(throws: UserError.self) { try net.restore(saved) }
    #expect(error?.problem.contains("has no array") == true)
  }

  @Test func `a mixture with one certain choice a layer is that network`() throws {
    let net = try supernet(configuration())
    for index in 0..<3 { _ = step(net, .weights, index) }
    let architecture: Architecture = [3, 1, 7]
    for layer in 0..<3 {
      net.theta.logits[layer] = (0..<9).map { $0 == architecture[layer] ? 60 : -60 }
    }
    #expect(net.argmax == architecture)
    #expect(abs(net.expectedCost - net.flops(architecture)) < 1)
    let batch = images(11, count: 32)
    net.recalibrate(nil, temperature: 1, batches: [batch])
    let mixture = net.evaluate(nil, temperature: 1, pixels: batch.pixels, labels: batch.labels)
    net.recalibrate(architecture, temperature: 1, batches: [batch])
    let alone = net.evaluate(
      architecture,
      temperature: 1,
      pixels: batch.pixels,
      labels: batch.labels
    )
    #expect(abs(mixture.crossEntropy - alone.crossEntropy) < 1e-5)
    #expect(mixture.correct == alone.correct)
  }

  @Test func `recalibrated statistics reproduce the batch that they came from`() throws {
    let net = try supernet(configuration { $0.theta.initial = .zero })
    for index in 0..<3 { _ = step(net, .weights, index) }
    let batch = images(3, count: 64)
    net.recalibrate([3, 3, 3], temperature: 1, batches: [batch])
    let once = net.evaluate(
      [3, 3, 3],
      temperature: 1,
      pixels: batch.pixels,
      labels: batch.labels
    )
    net.recalibrate([3, 3, 3], temperature: 1, batches: [batch, batch, batch])
    let thrice = net.evaluate(
      [3, 3, 3],
      temperature: 1,
      pixels: batch.pixels,
      labels: batch.labels
    )
    #expect(abs(once.crossEntropy - thrice.crossEntropy) < 1e-5)
    net.recalibrate([3, 3, 3], temperature: 1, batches: [images(4, count: 64)])
    let other = net.evaluate(
      [3, 3, 3],
      temperature: 1,
      pixels: batch.pixels,
      labels: batch.labels
    )
    #expect(abs(once.crossEntropy - other.crossEntropy) > 1e-5)
  }

  @Test func `architectures are sampled in proportion to their probability`() throws {
    let net = try supernet(configuration())
    net.theta.logits[0] = [2, 1, 0, 0, 0, 0, 0, 0, -1]
    let within = CostLimit.within(nil)
    var counts = [Int](repeating: 0, count: 9)
    let samples = 4000
    let source = TrellisSampler(
      prices: try #require(net.costModel as? AdditiveCost),
      probabilities: net.theta.probabilities,
      within: within
    )
    for index in 0..<UInt32(samples) {
      var random = Philox(seed: 3, purpose: .sampling, index: index)
      counts[try #require(source.sample(&random))[0]] += 1
    }
    for option in 0..<9 {
      #expect(
        abs(Double(counts[option]) / Double(samples) - net.theta.probabilities[0][option]) < 0.03
      )
    }
    let once = net.theta.samples(5, seed: 3, within: within)
    #expect(once.count == 5 && Set(once).count == 5)
    #expect(net.theta.samples(5, seed: 3, within: within) == once)
    let others = net.theta.samples(5, seed: 3, within: within, except: Set(once.prefix(2)))
    #expect(others.count == 5 && Set(others).isDisjoint(with: once.prefix(2)))
    let middle = (net.costModel.range.lowerBound + net.costModel.range.upperBound) / 2
    let cheap = net.theta.samples(5, seed: 3, within: CostLimit.within(middle))
    #expect(cheap.count == 5 && cheap.allSatisfy { net.costModel.cost($0) <= middle })
    let expected = log(net.theta.probabilities[0][1]) + 2 * log(1.0 / 9)
    #expect(abs(net.theta.logProbability([1, 4, 4]) - expected) < 1e-9)
  }

  @Test func `a steady step asks the system for no memory`() throws {
    let net = try supernet(configuration())
    for index in 0..<4 { _ = step(net, index % 2 == 0 ? .weights : .theta, index) }
    let before = net.engine.pool.systemAllocations
    for index in 4..<8 { _ = step(net, index % 2 == 0 ? .weights : .theta, index) }
    #expect(net.engine.pool.systemAllocations == before)
  }

  @Test(arguments: [
    (Configuration.ThetaSettings.Initial.uniform, 1 / Float(9)), (.zero, 0), (.one, 1),
  ]) func `theta starts where the config says`(
    initial: Configuration.ThetaSettings.Initial,
    value: Float
  ) throws {
    let net = try supernet(configuration { $0.theta.initial = initial })
    #expect(net.theta.logits.flatMap { $0 }.allSatisfy { $0 == value })
  }
}
