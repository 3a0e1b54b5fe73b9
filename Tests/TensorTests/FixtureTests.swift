import Foundation
import Tensor
import TestSupport
import Testing

/// Values that PyTorch computed; Fixtures/make_fixtures.py writes them.
@Suite struct FixtureTests {
  private struct GraphFixture: Decodable {
    var leaves: [String: [Float]]
    var output: [Double]
    var gradients: [String: [Double]]

    var outcome: Outcome { Outcome(output: output, gradients: gradients) }
  }

  private struct OptimiserFixture: Decodable {
    var start: [Float]
    var gradients: [[Float]]
    var sgd: [[Double]]
    var adam: [[Double]]
  }

  private struct RecalibrationFixture: Decodable {
    var batches: [[Float]]
    var filter: [Float]
    var gamma: [Float]
    var beta: [Float]
    var mean: [Double]
    var variance: [Double]
    var test: [Float]
    var output: [Double]
    var weights: [Float]
    var testGradient: [Double]
    var gammaGradient: [Double]
    var betaGradient: [Double]
  }

  private static func load<T: Decodable>(_ name: String, as type: T.Type = T.self) throws -> T {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Fixtures/\(name).json")
    return try JSONDecoder().decode(type, from: Data(contentsOf: file))
  }

  static let graphs: [OperationCase] = [
    OperationCase(name: "k3_e3_stride2") { g in
      let x = g.input("x", [2, 7, 7, 8], .normal)
      let a = g.pointwise(x, "expand", to: 24, norm: .relu)
      let b = g.depthwise(a, "depthwise", kernel: 3, stride: 2, norm: .relu)
      return g.pointwise(b, "project", to: 12, norm: .linear)
    },
    OperationCase(name: "k5_e1_g2_residual") { g in
      let x = g.input("x", [2, 6, 5, 16], .normal)
      let a = g.pointwise(x, "expand", to: 16, groups: 2, norm: .relu)
      let b = g.depthwise(
        g.channelShuffle(a, groups: 2),
        "depthwise",
        kernel: 5,
        stride: 1,
        norm: .relu
      )
      let c = g.pointwise(b, "project", to: 16, groups: 2, norm: .linear)
      let m = g.input("m", [1], .normal)
      return g.weightedSum([(c, true)], shortcut: x, weights: m, forward: nil)
    },
    OperationCase(name: "mixed_layer") { g in mixedLayer(g, theta: [4]) },
    OperationCase(name: "mixed_layer_per_image") { g in mixedLayer(g, theta: [3, 4]) },
    OperationCase(name: "stem_and_head") { g in
      let stem = g.convolution(
        g.input("x", [4, 8, 9, 3], .normal),
        "stem",
        to: 16,
        geometry: .init(kernel: 3, stride: 2, padding: 1),
        bias: false,
        norm: .relu
      )
      let skip = g.convolution(
        stem,
        "skip",
        to: 20,
        geometry: .init(stride: 2),
        bias: false,
        norm: .relu
      )
      let pooled = g.averagePool(g.pointwise(skip, "head", to: 24, norm: .hswish))
      let logits = g.pointwise(pooled, "classifier", to: 10, bias: true)
      return g.crossEntropy(logits, labels: [3, 0, 9, 3], smoothing: 0.1)
    },
  ]

  /// What published networks and training recipes need besides.
  static let recipes: [OperationCase] = [
    OperationCase(name: "squeeze_excite_relu") { g in excited(g, .relu, inner: .relu) },
    OperationCase(name: "squeeze_excite_hswish") { g in excited(g, .hswish, inner: .hswish) },
    OperationCase(name: "activations") { g in
      let x = g.input("x", [3, 15], .normal)
      let y = g.add(g.unary(x, .hsigmoid), g.unary(x, .hswish))
      return g.add(y, g.unary(x, .relu))
    },
    OperationCase(name: "mixup") { g in
      g.crossEntropy(
        g.input("x", [5, 7], .normal),
        labels: [0, 6, 3, 3, 1],
        smoothing: 0.1,
        mixed: ([2, 6, 0, 1, 5], 0.3)
      )
    },
    OperationCase(name: "grouped_3x3") { g in
      g.convolution(
        g.pointwise(g.input("x", [2, 6, 7, 12], .normal), "before", to: 12),
        "grouped",
        to: 18,
        geometry: .init(kernel: 3, stride: 1, padding: 1, groups: 3),
        bias: true,
        norm: .off
      )
    },
    OperationCase(name: "grouped_5x5_stride2") { g in
      let x = g.convolution(
        g.pointwise(g.input("x", [2, 8, 7, 6], .normal), "before", to: 8, norm: .hswish),
        "grouped",
        to: 12,
        geometry: .init(kernel: 5, stride: 2, padding: 2, groups: 2),
        bias: false,
        norm: .relu
      )
      return g.materialise(x)
    },
    OperationCase(name: "depthwise_borders") { g in
      let x = g.pointwise(g.input("x", [2, 12, 11, 8], .normal), "before", to: 8, norm: .hswish)
      let a = g.depthwise(x, "a", kernel: 5, stride: 1, padding: 1, norm: .relu)
      return g.materialise(
        g.depthwise(a, "b", kernel: 5, stride: 2, padding: 0, norm: .linear)
      )
    },
  ]

  private static func excited(_ g: any Graph, _ norm: Norm, inner: Unary) -> Node {
    let x = g.pointwise(g.input("x", [3, 5, 4, 20], .normal), "before", to: 20, norm: norm)
    let y = g.squeezeExcite(x, "excite", through: 6, inner: inner)
    return g.pointwise(y, "after", to: 10)
  }

  private static func mixedLayer(_ g: any Graph, theta: [Int]) -> Node {
    let x = g.input("x", [3, 5, 5, 8], .normal)
    let a = g.depthwise(
      g.pointwise(x, "a1", to: 24, norm: .relu),
      "a2",
      kernel: 3,
      stride: 1,
      norm: .relu
    )
    let b = g.depthwise(x, "b1", kernel: 5, stride: 1, norm: .relu)
    return g.weightedSum(
      [
        (g.pointwise(a, "a3", to: 8, norm: .linear), true),
        (g.pointwise(b, "b2", to: 8, norm: .linear), true),
        (g.pointwise(x, "c", to: 8, norm: .relu), false), (x, false),
      ],
      shortcut: x,
      weights: g.unary(g.input("theta", theta, .normal), .softmax),
      forward: nil
    )
  }

  @Test(arguments: graphs + recipes)
  func `graphs give PyTorch's outputs and gradients`(_ operation: OperationCase) throws {
    let fixture: GraphFixture = try FixtureTests.load(operation.name)
    let leaves = Leaves(given: fixture.leaves)
    for set in instructionSets {
      let engine = Engine(instructionSet: set, threads: 2)
      let fault = difference(
        EngineGraph.run(engine, leaves, operation.build),
        fixture.outcome,
        relative: 1e-4,
        absolute: 1e-5
      )
      #expect(fault == nil, "\(set)")
    }
    let reference = ReferenceGraph.run(leaves, operation.build)
    #expect(difference(reference, fixture.outcome, relative: 1e-5, absolute: 1e-5) == nil)
  }

  @Test(arguments: instructionSets)
  func `three steps of SGD are PyTorch's`(_ set: InstructionSet) throws {
    let fixture: OptimiserFixture = try FixtureTests.load("optimisers")
    let engine = Engine(instructionSet: set, threads: 2)
    let count = fixture.start.count
    let parameters = [true, false].map {
      Parameter(name: "w", shape: [count], decays: $0, engine: engine)
    }
    for p in parameters { p.value.pointer.update(from: fixture.start, count: count) }
    let optimiser = StochasticGradientDescent(
      parameters,
      momentum: 0.9,
      weightDecay: 1e-2,
      engine: engine
    )
    for (gradient, expected) in zip(fixture.gradients, fixture.sgd) {
      for p in parameters { p.gradient.pointer.update(from: gradient, count: count) }
      optimiser.step(learningRate: 0.1)
      let w = parameters[0].value.elements.map { Double($0) }
      #expect(difference("w", w, expected, relative: 1e-6, absolute: 1e-6) == nil)
      #expect(parameters.allSatisfy { p in p.gradient.elements.allSatisfy { $0 == 0 } })
    }
    // Without decay the same gradients lead elsewhere.
    #expect(
      zip(parameters[0].value.elements, parameters[1].value.elements)
        .contains { abs($0 - $1) > 1e-4 }
    )
  }

  @Test func `three steps of Adam are PyTorch's`() throws {
    let fixture: OptimiserFixture = try FixtureTests.load("optimisers")
    // Two arrays of uneven size, to see that each keeps its own moments.
    let engine = Engine(threads: 1)
    let parameters = [0..<5, 5..<fixture.start.count].map { range in
      let p = Parameter(name: "theta.\(range.lowerBound)", shape: [range.count], engine: engine)
      p.entry.write(Array(fixture.start[range]))
      return p
    }
    func makeOptimiser() -> Adam {
      Adam(
        parameters,
        name: "theta",
        beta1: 0.9,
        beta2: 0.999,
        weightDecay: 5e-2,
        engine: engine
      )
    }
    var optimiser = makeOptimiser()
    for (gradient, expected) in zip(fixture.gradients, fixture.adam) {
      // Another one continues from its state.
      let saved = optimiser.state
      optimiser = makeOptimiser()
      try optimiser.restore(saved)
      var rest = gradient[...]
      for p in parameters {
        p.gradient.pointer.update(from: Array(rest.prefix(p.value.count)), count: p.value.count)
        rest = rest.dropFirst(p.value.count)
      }
      optimiser.step(learningRate: 0.01)
      let flat = parameters.flatMap { Array($0.value.elements) }.map { Double($0) }
      #expect(difference("w", flat, expected, relative: 1e-6, absolute: 1e-6) == nil)
    }
    #expect(optimiser.steps == 3)
  }

  @Test(arguments: instructionSets)
  func `recalibrated statistics and inference are PyTorch's`(_ set: InstructionSet) throws {
    let fixture: RecalibrationFixture = try FixtureTests.load("recalibration")
    let engine = Engine(instructionSet: set, threads: 2)
    let filter = Parameter(name: "w", shape: [3, 3, 8], engine: engine)
    filter.value.pointer.update(from: fixture.filter, count: 72)
    let norm = BatchNorm(name: "norm", channels: 8, engine: engine)
    norm.gamma.value.pointer.update(from: fixture.gamma, count: 8)
    norm.beta.value.pointer.update(from: fixture.beta, count: 8)
    func block(_ values: [Float]) -> (x: Tensor, y: Tensor) {
      let x = engine.tensor(values, shape: [2, 3, 3, 8], requiresGradient: true)
      let y = engine.depthwiseConvolution(
        x,
        filter: filter,
        stride: 1,
        norm: norm,
        activation: .relu
      )
      return (x, engine.materialise(y))
    }
    engine.mode = .recalibration
    _ = block(fixture.test)
    norm.resetStatistics()
    for batch in fixture.batches { _ = block(batch) }
    #expect(norm.batches == 3)
    #expect(difference("mean", norm.runningMean, fixture.mean) == nil)
    #expect(difference("variance", norm.runningVariance, fixture.variance) == nil)

    engine.mode = .inference
    engine.isRecording = true
    let (x, y) = block(fixture.test)
    #expect(difference("output", y.values.map { Double($0) }, fixture.output) == nil)
    #expect(norm.batches == 3)
    engine.backward(from: y, gradient: fixture.weights)
    let dx = x.gradientValues?.map { Double($0) } ?? []
    #expect(difference("dx", dx, fixture.testGradient) == nil)
    let dGamma = norm.gamma.gradient.elements.map { Double($0) }
    #expect(difference("gamma", dGamma, fixture.gammaGradient) == nil)
    let dBeta = norm.beta.gradient.elements.map { Double($0) }
    #expect(difference("beta", dBeta, fixture.betaGradient) == nil)
  }
}
