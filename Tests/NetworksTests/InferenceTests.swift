import Networks
import Tensor
import TestSupport
import Testing

/// The inference path against the operations that training uses.
@Suite struct InferenceTests {
  /// A network with weights and statistics sampled at random.
  private func network(
    _ description: NetworkDescription,
    engine: Engine,
    seed: UInt64 = 1
  ) -> Network {
    let network = Network(description, engine: engine, seed: seed)
    var random = Philox(seed: seed, purpose: .test)
    for norm in network.norms {
      for c in norm.runningMean.indices {
        norm.gamma.value.pointer[c] = 0.5 + random.uniform()
        norm.beta.value.pointer[c] = random.normal() / 2
        norm.runningMean[c] = Double(random.normal()) / 2
        norm.runningVariance[c] = 0.5 + Double(random.uniform())
      }
    }
    for parameter in network.parameters where parameter.name == "classifier.bias" {
      for c in 0..<parameter.value.count { parameter.value.pointer[c] = random.normal() }
    }
    engine.mode = .inference
    return network
  }

  private func images(_ description: NetworkDescription, count: Int, engine: Engine) -> Tensor {
    let shape = [count, description.height, description.width, description.channels]
    var random = Philox(seed: 9, purpose: .test)
    return engine.tensor((0..<shape.reduce(1, *)).map { _ in random.normal() }, shape: shape)
  }

  private func description(
    height: Int,
    width: Int,
    channels: Int = 3,
    stem: Int = 16,
    stride: Int = 1,
    head: Int = 40,
    classes: Int = 10,
    blocks add: (inout NetworkDescription) -> Void
  ) -> NetworkDescription {
    var network = NetworkDescription(
      name: "test",
      height: height,
      width: width,
      channels: channels,
      classes: classes
    )
    network.add(
      .convolution(kernel: 3, padding: nil, activation: .relu),
      output: stem,
      stride: stride
    )
    add(&network)
    network.add(.convolution(kernel: 1, padding: nil, activation: .relu), output: head)
    return network
  }

  /// Every kind of block on odd and even sizes, with widths that fill no vector.
  private var cases: [NetworkDescription] {
    var all: [NetworkDescription] = []
    for kernel in [3, 5] {
      for expansion in [1, 3, 6] {
        for activation in [Activation.relu, .hswish] {
          for groups in [1, 2] {
            all.append(
              description(height: 13, width: 9, stem: 12, stride: 1) { network in
                for (output, stride) in [(12, 1), (20, 2), (20, 1), (10, 2)] {
                  let middle = network.end.channels * expansion
                  network.add(
                    .invertedResidual(
                      kernel: kernel,
                      middle: middle,
                      groups: groups,
                      activation: activation
                    ),
                    output: output,
                    stride: stride
                  )
                }
              }
            )
          }
        }
      }
    }
    let others = description(height: 17, width: 14, channels: 1, stem: 8, stride: 2, head: 17) {
      $0.add(.skip, output: 8, stride: 1)
      $0.add(.skip, output: 24, stride: 1)
      $0.add(.depthwiseSeparable(kernel: 3, channels: 24, activation: .relu), output: 24, stride: 1)
      $0.add(
        .depthwiseSeparable(kernel: 5, channels: 24, activation: .hswish),
        output: 40,
        stride: 2
      )
      $0.add(.skip, output: 36, stride: 2)
      $0.add(
        .invertedResidual(kernel: 7, middle: 70, groups: 1, activation: .relu),
        output: 36,
        stride: 1
      )
      $0.add(
        .invertedResidual(kernel: 1, middle: 50, groups: 1, activation: .relu),
        output: 9,
        stride: 2
      )
      $0.add(
        .invertedResidual(kernel: 3, middle: 18, groups: 3, activation: .relu),
        output: 9,
        stride: 3
      )
    }
    all.append(others)
    all.append(large)
    return all + NetworkDescription.inferenceForms
  }

  /// The published networks for images as small as they take; 43 networks of 10 classes.
  static let published: [NetworkDescription] = Zoo.entries.compactMap { entry in
    [32, 48, 64, 96].lazy.compactMap {
      entry.network.adapted(height: $0, width: $0, channels: 3, classes: 10)
    }.first
  }

  @Test(arguments: published.map(\.name))
  func `every published network gives what the training operations give`(name: String) throws {
    let description = try #require(InferenceTests.published.first { $0.name == name })
    let engine = Engine(threads: 1)
    let network = network(description, engine: engine)
    // With statistics that are not those of its maps a deep network grows from block to block, and
    // its gates make much of any rounding.
    for (block, layer) in zip(network.blocks, description.blocks) where layer.isResidual {
      for gamma in block.norms.suffix(1).map(\.gamma) {
        for c in 0..<gamma.value.count { gamma.value.pointer[c] *= 0.2 }
      }
    }
    let x = images(description, count: 1, engine: engine)
    let difference = difference(
      "scores",
      network.inference()(x).values.map(Double.init),
      network(x).values.map(Double.init),
      relative: 1e-5,
      absolute: 0
    )
    #expect(difference == nil)
  }

  @Test func `a stopwatch marks every layer once, of however many stages`() {
    let engine = Engine(threads: 1)
    for description in NetworkDescription.inferenceForms {
      let inference = network(description, engine: engine).inference()
      let watch = Stopwatch()
      inference.stopwatch = watch
      watch.start()
      _ = inference(images(description, count: 1, engine: engine))
      let layers = description.blocks.filter { $0.kind != .skip || !$0.keepsShape }
      #expect(watch.laps.count == layers.count, "\(description.blocks)")
    }
  }

  @Test func `no published network is left out`() {
    #expect(InferenceTests.published.map(\.name) == Zoo.entries.map(\.network.name))
  }

  /// A network whose first maps are done in bands of rows.
  private var large: NetworkDescription {
    description(height: 83, width: 75, stem: 16, stride: 1, classes: 7) {
      $0.add(.depthwiseSeparable(kernel: 3, channels: 16, activation: .relu), output: 16, stride: 1)
      $0.add(
        .invertedResidual(kernel: 5, middle: 96, groups: 1, activation: .relu),
        output: 16,
        stride: 1
      )
      $0.add(
        .invertedResidual(kernel: 3, middle: 96, groups: 1, activation: .hswish),
        output: 24,
        stride: 2
      )
      $0.add(
        .invertedResidual(kernel: 5, middle: 144, groups: 1, activation: .relu),
        output: 24,
        stride: 1
      )
      $0.add(
        .invertedResidual(kernel: 3, middle: 72, groups: 1, activation: .relu),
        output: 40,
        stride: 2
      )
    }
  }

  @Test(arguments: InstructionSet.available.sorted { $0.rawValue < $1.rawValue })
  func `inference gives what the training operations give`(set: InstructionSet) {
    for description in cases {
      let engine = Engine(instructionSet: set, threads: 1)
      let network = network(description, engine: engine)
      let x = images(description, count: 2, engine: engine)
      let scores = network.inference()(x)
      let expected = network(x)
      #expect(scores.shape == [2, description.classes])
      let difference = difference(
        "scores",
        scores.values.map(Double.init),
        expected.values.map(Double.init)
      )
      #expect(difference == nil, "\(description.blocks)")
    }
  }

  @Test(arguments: [1, 2, 3])
  func `any number of threads gives the same bits`(count: Int) {
    for description in [cases[5]] + cases.suffix(2 + NetworkDescription.inferenceForms.count) {
      let all = [1, 2, 5].map { threads in
        let engine = Engine(threads: threads)
        let network = network(description, engine: engine)
        return network.inference()(images(description, count: count, engine: engine)).values
      }
      #expect(all[0].allSatisfy { $0.isFinite })
      #expect(Set(all.map { $0.map(\.bitPattern) }).count == 1)
    }
  }

  @Test func `an image's scores do not depend on the others of its batch`() {
    let engine = Engine(threads: 2)
    let description = large
    let inference = network(description, engine: engine).inference()
    let batch = images(description, count: 3, engine: engine)
    let together = inference(batch).values
    let size = batch.count / 3
    for i in 0..<3 {
      let one = engine.tensor(
        Array(batch.values[i * size..<(i + 1) * size]),
        shape: [1] + batch.shape.dropFirst()
      )
      #expect(inference(one).values == Array(together[i * 7..<(i + 1) * 7]))
    }
  }

  @Test(arguments: [1, 4]) func `a steady call asks the system for nothing`(count: Int) {
    let engine = Engine(threads: 2)
    let description = large
    let inference = network(description, engine: engine).inference()
    let x = images(description, count: count, engine: engine)
    _ = inference(x)
    let before = engine.pool.systemAllocations
    for _ in 0..<3 { _ = inference(x) }
    #expect(engine.pool.systemAllocations == before)
  }

  @Test func `an inference network keeps the weights it was made from`() {
    let engine = Engine(threads: 1)
    let description = cases[0]
    let network = network(description, engine: engine)
    let x = images(description, count: 1, engine: engine)
    let inference = network.inference()
    let before = inference(x).values
    for parameter in network.parameters { parameter.value.clear() }
    #expect(inference(x).values == before)
    #expect(network.inference()(x).values != before)
  }

  @Test func `the costs of a network are those of its parts`() {
    let network = description(height: 9, width: 8, channels: 3, stem: 4, stride: 2, head: 6) {
      $0.add(.depthwiseSeparable(kernel: 3, channels: 4, activation: .relu), output: 5, stride: 2)
      // 9×8 pixels in, 5×4 behind the stem, 3×2 behind the block.
      #expect($0.end == (3, 2, 5))
    }
    let stem = 27 * 4
    let block = 9 * 4 + 4 * 5
    #expect(network.flops == Double(stem * 20 + block * 6 + 5 * 6 * 6 + 6 * 10))
    #expect(network.params == Double(stem + block + 5 * 6 + 6 * 10))
  }
}
