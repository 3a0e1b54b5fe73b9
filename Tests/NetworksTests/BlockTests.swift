import Networks
import Tensor
import TestSupport
import Testing

@Suite struct BlockTests {
  private func description(
    _ kind: BlockDescription.Kind,
    input: Int = 16,
    output: Int = 24,
    stride: Int = 2,
    size: Int = 9
  ) -> BlockDescription {
    BlockDescription(
      name: "block",
      kind: kind,
      input: input,
      output: output,
      stride: stride,
      height: size,
      width: size + 2
    )
  }

  private let kinds: [BlockDescription.Kind] = [
    .invertedResidual(kernel: 3, middle: 96, groups: 1, activation: .relu),
    .invertedResidual(kernel: 5, middle: 16, groups: 2, activation: .relu),
    .invertedResidual(kernel: 3, middle: 48, groups: 1, activation: .hswish),
    .depthwiseSeparable(kernel: 5, channels: 16, activation: .relu),
    .skip,
  ]

  @Test func `cost of an inverted residual is counted by hand`() {
    let block = description(.invertedResidual(kernel: 3, middle: 96, groups: 1, activation: .relu))
    // 9×11 pixels in, 5×6 out.
    #expect(block.flops == Double(16 * 96 * 99 + 9 * 96 * 30 + 96 * 24 * 30))
    #expect(block.params == Double(16 * 96 + 9 * 96 + 96 * 24))
  }

  @Test func `groups divide the cost of the pointwise convolutions`() {
    let block = description(.invertedResidual(kernel: 5, middle: 16, groups: 2, activation: .relu))
    #expect(block.params == Double(16 * 16 / 2 + 25 * 16 + 16 * 24 / 2))
  }

  @Test func `without expansion the depthwise convolution and the projection remain`() {
    let block = description(.depthwiseSeparable(kernel: 5, channels: 16, activation: .relu))
    #expect(block.params == Double(25 * 16 + 16 * 24))
    #expect(block.flops == block.params * 30)
  }

  @Test func `skip is free where the shape stays and priced where it changes`() {
    #expect(description(.skip, input: 24, stride: 1).flops == 0)
    #expect(description(.skip, input: 24, stride: 1).params == 0)
    #expect(description(.skip).flops == Double(16 * 24 * 30))
    #expect(description(.skip, stride: 1).params == Double(16 * 24))
  }

  @Test func `only an inverted residual that keeps the shape has a shortcut`() {
    for kind in kinds {
      #expect(description(kind, input: 24, stride: 1).isResidual == (kind != .skip))
      #expect(!description(kind, input: 24, stride: 2).isResidual)
      #expect(!description(kind, input: 16, stride: 1).isResidual)
    }
  }

  @Test(arguments: [1, 2]) func `built blocks have the described shape and weights`(stride: Int) {
    for kind in kinds {
      let engine = Engine(threads: 1)
      var initialiser = Initialiser(seed: 1)
      let description = description(kind, stride: stride)
      let block = Block(description, name: "b", engine: engine, initialiser: &initialiser)
      let x = engine.tensor(
        [Float](repeating: 0.5, count: 2 * 9 * 11 * 16),
        shape: [2, 9, 11, 16]
      )
      #expect(
        block(x).shape
          == [2, description.outputSize(9), description.outputSize(11), 24]
      )
      let weights = block.parameters.filter { $0.name.hasSuffix(".weight") }
      #expect(weights.reduce(0) { $0 + Double($1.value.count) } == description.params)
      let norms =
        switch kind {
        case .bottleneck(let middle): middle.expands ? 3 : 2
        default: 1
        }
      #expect(block.norms.count == norms)
    }
  }

  @Test func `a skip that keeps the shape is its input`() {
    let engine = Engine(threads: 1)
    var initialiser = Initialiser(seed: 1)
    let block = Block(
      description(.skip, input: 24, stride: 1),
      name: "b",
      engine: engine,
      initialiser: &initialiser
    )
    let x = engine.tensor([Float](repeating: 1, count: 24 * 99), shape: [1, 9, 11, 24])
    #expect(block(x) === x)
    #expect(block.parameters.isEmpty)
  }

  @Test func `every parameter samples from a stream of its own`() {
    let engine = Engine(threads: 1)
    var initialiser = Initialiser(seed: 3)
    let first = Parameter(name: "a", shape: [8], engine: engine)
    let second = Parameter(name: "b", shape: [8], engine: engine)
    initialiser.normal(first, deviation: 1)
    initialiser.normal(second, deviation: 1)
    #expect(Array(first.value.elements) != Array(second.value.elements))
  }
}
