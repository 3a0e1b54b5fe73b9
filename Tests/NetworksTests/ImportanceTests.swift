import Networks
import Tensor
import Testing

/// Channels in the order of their importance (spec S20, S21).
struct ImportanceTests {
  private typealias Bottleneck = BlockDescription.Bottleneck

  /// A stem, a block that does not expand, shortcuts, an identity, squeeze-and-excite, and a head.
  private static let description: NetworkDescription = {
    var it = NetworkDescription(name: "own", height: 8, width: 8, channels: 3, classes: 5)
    func block(_ middle: Int, expands: Bool = true, squeeze: Int? = nil) -> BlockDescription.Kind {
      .bottleneck(
        Bottleneck(
          kernels: [3],
          middle: middle,
          expands: expands,
          squeeze: squeeze.map { .init(channels: $0, inner: .relu) },
          activation: .relu
        )
      )
    }
    it.add(.convolution(kernel: 3, padding: nil, activation: .relu), output: 8)
    it.add(block(8, expands: false), output: 8)
    it.add(block(16, squeeze: 8), output: 12, stride: 2)
    it.add(.skip, output: 12)
    it.add(block(24), output: 12)
    it.add(block(24), output: 16, stride: 2)
    it.add(.convolution(kernel: 1, padding: nil, activation: .relu), output: 20)
    return it
  }()

  /// Two depthwise convolutions, a plain one, a skip that changes the shape, and a pooling tail.
  private static let forms: NetworkDescription = {
    var it = NetworkDescription(name: "forms", height: 8, width: 8, channels: 3, classes: 5)
    it.add(.convolution(kernel: 5, padding: nil, activation: .hswish), output: 8)
    it.add(.skip, output: 12)
    it.add(
      .bottleneck(Bottleneck(kernels: [3, 5], middle: 20, activation: .hswish)),
      output: 12
    )
    it.add(.convolution(kernel: 3, padding: nil, activation: .relu), output: 12, stride: 2)
    it.add(
      .bottleneck(Bottleneck(kernels: [3], middle: 12, expands: false, activation: .relu)),
      output: 12
    )
    it.add(.pool(middle: 24, bias: true, activation: .hswish), output: 16)
    return it
  }()

  @Test(arguments: [description, forms])
  func `ordered channels compute the same`(_ description: NetworkDescription) throws {
    let engine = Engine(threads: 1)
    let (network, image) = try Self.network(description, engine: engine)
    let before = network(image).values
    let state = network.state()
    let ordered = description.orderedByImportance(Array(state))
    #expect(ordered.map(\.name) == Array(state).map(\.name))
    #expect(ordered != Array(state))
    try network.restore(StateDictionary(ordered))
    for (old, new) in zip(before, network(image).values) { #expect(abs(old - new) < 1e-4) }
  }

  /// A network whose batch-norms tell channels apart, and images for it.
  private static func network(
    _ description: NetworkDescription,
    engine: Engine
  ) throws -> (Network, Tensor) {
    let network = Network(description, engine: engine, seed: 3)
    var random = Philox(seed: 5, purpose: .test)
    for entry in network.entries {
      let values = entry.read().map { value in
        entry.name.hasSuffix("variance") || entry.name.hasSuffix("gamma")
          ? 0.5 + random.uniform() : value + 0.2 * random.normal()
      }
      entry.write(values)
    }
    engine.mode = .inference
    engine.isRecording = false
    let pixels = (0..<4 * 8 * 8 * 3).map { _ in random.normal() }
    return (network, engine.tensor(pixels, shape: [4, 8, 8, 3]))
  }

  @Test func `the first channels are those that are read most`() throws {
    let engine = Engine(threads: 1)
    let (network, _) = try Self.network(Self.description, engine: engine)
    let ordered = Self.description.orderedByImportance(Array(network.state()))

    func reads(_ names: String...) throws -> [Float] {
      let arrays = try names.map { name in try #require(ordered.first { $0.name == name }) }
      let channels = arrays[0].shape[arrays[0].shape.count - 2]
      return (0..<channels).map { channel in
        arrays.reduce(0) { sum, array in
          let inner = array.shape[array.shape.count - 1]
          return sum
            + array.values.indices.filter { $0 / inner % channels == channel }
            .reduce(0) { $0 + abs(array.values[$1]) }
        }
      }
    }
    for sums in [
      try reads("blocks.4.expand.weight", "blocks.5.expand.weight"),
      try reads("blocks.1.project.weight", "blocks.2.expand.weight"),
      try reads("blocks.2.squeeze.reduce.weight", "blocks.2.project.weight"),
      try reads("blocks.4.project.weight"), try reads("head.weight"),
    ] {
      #expect(zip(sums, sums.dropFirst()).allSatisfy { $0 >= $1 - 1e-4 }, "\(sums)")
    }
    // Nothing is moved twice, and what is not there is passed over.
    #expect(Self.description.orderedByImportance(ordered) == ordered)
    let part = ordered.filter { !$0.name.hasPrefix("blocks.4") }
    #expect(Self.description.orderedByImportance(part).map(\.shape) == part.map(\.shape))
  }
}
