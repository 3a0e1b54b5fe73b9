import Foundation
import Tensor
import TestSupport
import Testing

/// Optimisers, averages, schedules and scores of training recipes.
@Suite struct RecipeTests {
  private struct RMSPropFixture: Decodable {
    var start: [Float]
    var gradients: [[Float]]
    var decayed: [[Double]]
    var plain: [[Double]]
    var still: [[Double]]
  }

  private static func fixture() throws -> RMSPropFixture {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Fixtures/rmsprop.json")
    return try JSONDecoder().decode(RMSPropFixture.self, from: Data(contentsOf: file))
  }

  @Test(arguments: instructionSets)
  func `three steps of RMSProp are PyTorch's`(_ set: InstructionSet) throws {
    let fixture = try RecipeTests.fixture()
    let engine = Engine(instructionSet: set, threads: 2)
    let count = fixture.start.count
    func parameter(decays: Bool) -> Parameter {
      let p = Parameter(name: "w", shape: [count], decays: decays, engine: engine)
      p.value.pointer.update(from: fixture.start, count: count)
      return p
    }
    func optimiser(_ parameters: [Parameter], momentum: Float) -> RMSProp {
      RMSProp(
        parameters,
        alpha: 0.9,
        epsilon: 1e-3,
        momentum: momentum,
        weightDecay: 1e-2,
        engine: engine
      )
    }
    let moving = [parameter(decays: true), parameter(decays: false)]
    let still = [parameter(decays: true)]
    let optimisers = [optimiser(moving, momentum: 0.9), optimiser(still, momentum: 0)]
    for (i, gradient) in fixture.gradients.enumerated() {
      for p in moving + still { p.gradient.pointer.update(from: gradient, count: count) }
      for optimiser in optimisers { optimiser.step(learningRate: 0.02) }
      let expected = [fixture.decayed[i], fixture.plain[i], fixture.still[i]]
      for (p, expected) in zip(moving + still, expected) {
        let w = p.value.elements.map { Double($0) }
        #expect(difference("w", w, expected, relative: 2e-6, absolute: 2e-6) == nil)
        #expect(p.gradient.elements.allSatisfy { $0 == 0 })
      }
    }
    #expect(optimisers[0].squares.count == 2 && optimisers[0].velocities.count == 2)
    #expect(optimisers[0].squares[0].elements.allSatisfy { $0 > 0 })
  }

  @Test(arguments: instructionSets)
  func `updates of weights have the same bits for any number of threads`(_ set: InstructionSet) {
    func run(threads: Int) -> [[Float]] {
      let engine = Engine(instructionSet: set, threads: threads)
      let parameters = [5, 1000, 37, 1].map {
        Parameter(name: "w", shape: [$0], engine: engine)
      }
      var random = Philox(seed: 3, purpose: .test)
      for p in parameters { for i in 0..<p.value.count { p.value.pointer[i] = random.normal() } }
      let optimiser = RMSProp(
        parameters,
        alpha: 0.95,
        epsilon: 1e-3,
        momentum: 0.9,
        weightDecay: 1e-4,
        engine: engine
      )
      let average = MovingAverage(parameters, decay: 0.99, engine: engine)
      for _ in 0..<3 {
        for p in parameters {
          for i in 0..<p.gradient.count { p.gradient.pointer[i] = random.normal() }
        }
        optimiser.step(learningRate: 0.05)
        average.update()
      }
      return parameters.map { Array($0.value.elements) }
        + average.averages.map { Array($0.elements) }
    }
    let one = run(threads: 1)
    #expect(one.joined().contains { $0 != 0 })
    for threads in [2, 5] { #expect(run(threads: threads) == one) }
  }

  @Test(arguments: instructionSets)
  func `a moving average follows its formula and changes places with the weights`(
    _ set: InstructionSet
  ) {
    let engine = Engine(instructionSet: set, threads: 2)
    // More than a piece of the exchange, and no whole number of vectors.
    let sizes = [3, 9001]
    let parameters = sizes.map { Parameter(name: "w", shape: [$0], engine: engine) }
    var random = Philox(seed: 5, purpose: .test)
    func sample() {
      for p in parameters { for i in 0..<p.value.count { p.value.pointer[i] = random.normal() } }
    }
    sample()
    let average = MovingAverage(parameters, decay: 0.15, engine: engine)
    #expect(
      zip(parameters, average.averages).allSatisfy {
        Array($0.value.elements) == Array($1.elements)
      }
    )
    var expected = average.averages.map { $0.elements.map { Double($0) } }
    // min(0.15, (1 + n)/(10 + n)): 1/10, then the bound, since 2/11 is above it.
    for decay in [0.1, 0.15, 0.15] {
      sample()
      average.update()
      for i in expected.indices {
        for j in expected[i].indices {
          expected[i][j] += (1 - decay) * (Double(parameters[i].value.pointer[j]) - expected[i][j])
        }
      }
    }
    #expect(average.updates == 3)
    for (a, e) in zip(average.averages, expected) {
      let found = a.elements.map { Double($0) }
      #expect(difference("average", found, e, relative: 1e-6, absolute: 1e-6) == nil)
    }
    let weights = parameters.map { Array($0.value.elements) }
    let averages = average.averages.map { Array($0.elements) }
    average.swap()
    #expect(parameters.map { Array($0.value.elements) } == averages)
    #expect(average.averages.map { Array($0.elements) } == weights)
    average.swap()
    #expect(parameters.map { Array($0.value.elements) } == weights)
  }

  @Test func `schedules give the rates worked out by hand`() {
    typealias Schedule = LearningRateSchedule
    func near(_ a: Double, _ b: Double) -> Bool { abs(a - b) < 1e-12 }
    let constant = Schedule(form: .constant, peak: 0.5, warmupEpochs: 2)
    #expect(near(constant.rate(epoch: 0, of: 10), 0))
    #expect(near(constant.rate(epoch: 0.5, of: 10), 0.125))
    #expect(near(constant.rate(epoch: 2, of: 10), 0.5))
    #expect(near(constant.rate(epoch: 9.9, of: 10), 0.5))

    let cosine = Schedule(form: .cosine, peak: 0.4, warmupEpochs: 2)
    #expect(near(cosine.rate(epoch: 1, of: 10), 0.2))
    #expect(near(cosine.rate(epoch: 2, of: 10), 0.4))
    #expect(near(cosine.rate(epoch: 4, of: 10), 0.2 * (1 + 0.5.squareRoot())))
    #expect(near(cosine.rate(epoch: 6, of: 10), 0.2))
    #expect(near(cosine.rate(epoch: 10, of: 10), 0))
    #expect(near(cosine.rate(epoch: 12, of: 10), 0))
    // A warm-up as long as the training has nothing to follow.
    #expect(near(cosine.rate(epoch: 2, of: 2), 0.4))

    let step = Schedule(form: .step(every: 2.4, factor: 0.5), peak: 1, warmupEpochs: 1)
    #expect(near(step.rate(epoch: 1, of: 20), 1))
    #expect(near(step.rate(epoch: 3.39, of: 20), 1))
    #expect(near(step.rate(epoch: 3.4, of: 20), 0.5))
    #expect(near(step.rate(epoch: 8.2, of: 20), 0.125))

    let exponential = Schedule(form: .exponential(factor: 0.25), peak: 2)
    #expect(near(exponential.rate(epoch: 0, of: 3), 2))
    #expect(near(exponential.rate(epoch: 0.5, of: 3), 1))
    #expect(near(exponential.rate(epoch: 2, of: 3), 0.125))
  }

  @Test func `a warm-up's steps rise from the first share to the peak`() {
    let schedule = LearningRateSchedule(form: .constant, peak: 0.8, warmupEpochs: 2)
    let rates = (0..<10).map { schedule.rate(step: $0, stepsPerEpoch: 4, of: 5) }
    let expected = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.8, 0.8]
    #expect(zip(rates, expected).allSatisfy { abs($0 - $1) < 1e-12 })
    // Part of a step left over is a step of its own, and never above the peak.
    let odd = LearningRateSchedule(form: .constant, peak: 1, warmupEpochs: 0.625)
    #expect((0..<4).map { odd.rate(step: $0, stepsPerEpoch: 4, of: 5) } == [0.4, 0.8, 1, 1])
  }

  @Test func `the cosine falls from the peak to 0 and stays there`() {
    let schedule = LearningRateSchedule(form: .cosine, peak: 0.3)
    #expect(schedule.rate(epoch: 0, of: 8) == 0.3)
    #expect(abs(schedule.rate(epoch: 2, of: 8) - 0.15 * (1 + 0.5.squareRoot())) < 1e-15)
    #expect(abs(schedule.rate(epoch: 4, of: 8) - 0.15) < 1e-15)
    #expect(schedule.rate(epoch: 8, of: 8) == 0 && schedule.rate(epoch: 9, of: 8) == 0)
    #expect(schedule.rate(epoch: 0, of: 0) == 0.3)
  }

  @Test func `labels among the largest scores are counted, equal ones in order of their number`() {
    let engine = Engine(threads: 1)
    let scores = engine.tensor(
      [0.1, 0.9, 0.5, 0.2, 1, 1, 1, 1, -3, -1, -2, -4],
      shape: [3, 4]
    )
    func count(_ labels: [Int32], _ k: Int) -> Int {
      engine.topCorrect(scores, labels: labels, k: k)
    }
    // Ranks of the labels: 2, 1, 0.
    #expect((0...4).map { count([3, 1, 1], $0) } == [0, 1, 2, 3, 3])
    // Ranks: 0, 3, 3.
    #expect((0...5).map { count([1, 3, 3], $0) } == [0, 1, 1, 1, 3, 3])
    let (_, correct) = engine.crossEntropy(scores, labels: [1, 0, 2])
    #expect(count([1, 0, 2], 1) == correct)
    let broken = engine.tensor([1, .nan, 2], shape: [1, 3])
    #expect((1...3).map { engine.topCorrect(broken, labels: [1], k: $0) } == [0, 0, 1])
    #expect(engine.topCorrect(broken, labels: [2], k: 1) == 0)
  }

  @Test(arguments: [1, 3, 5])
  func `a grouped filter folded for inference gives the grouped convolution`(kernel: Int) {
    let engine = Engine(threads: 1)
    engine.mode = .inference
    let (groups, from, to) = (3, 12, 6)
    let taps = Array(repeating: kernel, count: kernel > 1 ? 2 : 0)
    let shape = [groups] + taps + [from / groups, to / groups]
    let filter = Parameter(name: "w", shape: shape, engine: engine)
    var random = Philox(seed: 9, purpose: .test)
    for i in 0..<filter.value.count { filter.value.pointer[i] = random.normal() }
    let norm = BatchNorm(name: "norm", channels: to, engine: engine)
    for c in 0..<to {
      norm.gamma.value.pointer[c] = 0.5 + random.uniform()
      norm.beta.value.pointer[c] = random.normal()
      norm.runningMean[c] = Double(random.normal())
      norm.runningVariance[c] = 0.5 + Double(random.uniform())
    }
    let x = engine.tensor(
      (0..<2 * 5 * 6 * from).map { _ in random.normal() },
      shape: [2, 5, 6, from]
    )
    var geometry = ConvolutionGeometry(kernel: kernel, padding: kernel / 2, groups: groups)
    let grouped = engine.materialise(
      engine.convolution(x, filter: filter, geometry: geometry, norm: norm)
    )
    // A 1×1 becomes dense, wider kernels keep their groups.
    let isDense = kernel == 1
    let folded =
      isDense
      ? FoldedConvolution(filter, norm: norm, activation: .none)
      : FoldedConvolution(grouped: filter, norm: norm, geometry: geometry, activation: .none)
    geometry.groups = isDense ? 1 : groups
    #expect(folded.geometry.groups == geometry.groups)
    #expect(folded.input == from && folded.output == to)
    let weights = Parameter(
      name: "folded",
      shape: isDense ? [1, 1, from, to] : shape,
      engine: engine
    )
    weights.value.pointer.update(from: folded.filter, count: weights.value.count)
    let bias = Parameter(name: "bias", shape: [to], engine: engine)
    bias.value.pointer.update(from: folded.bias, count: to)
    let plain = engine.convolution(x, filter: weights, geometry: geometry, bias: bias)
    let found = plain.values.map { Double($0) }
    #expect(difference("output", found, grouped.values.map { Double($0) }) == nil)
  }

  @Test func `the score of a mixture counts the first labels`() {
    let engine = Engine(threads: 1)
    let logits = engine.tensor([3, 0, 0, 0, 0, 3], shape: [2, 3])
    let (_, correct) = engine.crossEntropy(logits, labels: [0, 1], mixed: ([1, 2], 0.9))
    #expect(correct == 1)
  }
}
