import Networks
import Tensor
import TestSupport
import Testing

/// The deviations of first weights by both rules, in every kind of convolution.
@Suite struct FirstValuesTests {
  /// A filter of a block: the end of its name, K²·D, and groups.
  typealias Filter = (name: String, outputs: Int, groups: Int)

  private static let dense: [Filter] = [("b.weight", 9 * 240, 1)]
  private static let grouped: [Filter] = [
    ("expand.weight", 192, 2), ("depthwise.weight", 25 * 192, 192), ("project.weight", 240, 2),
  ]
  private static let squeezed: [Filter] = [
    ("expand.weight", 192, 1), ("depthwise.weight", 9 * 192, 192),
    ("depthwise2.weight", 25 * 192, 192), ("reduce.weight", 48, 1), ("restore.weight", 192, 1),
    ("project.weight", 240, 1),
  ]
  private static let wide: [Filter] = [
    ("depthwise.weight", 9 * 192, 8), ("project.weight", 240, 1),
  ]

  private func block(
    _ kind: BlockDescription.Kind,
    _ fanOut: Initialiser.FanOut
  ) -> Block {
    var initialiser = Initialiser(seed: 3, fanOut: fanOut)
    return Block(
      BlockDescription(
        name: "b",
        kind: kind,
        input: 192,
        output: 240,
        stride: 1,
        height: 8,
        width: 8
      ),
      name: "b",
      engine: Engine(threads: 1),
      initialiser: &initialiser
    )
  }

  private func values(_ parameter: Parameter) -> [Float] {
    withExtendedLifetime(parameter) { Array(parameter.value.elements) }
  }

  /// Whether each filter's deviation is √(2 / fan-out) within five standard errors.
  private func check(_ kind: BlockDescription.Kind, _ filters: [Filter]) throws {
    for fanOut in [Initialiser.FanOut.ofGroup, .ofLayer] {
      let parameters = block(kind, fanOut).parameters.filter { $0.name.hasSuffix(".weight") }
      #expect(parameters.count == filters.count)
      for filter in filters {
        let values = values(try #require(parameters.first { $0.name.hasSuffix(filter.name) }))
        let variance = values.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(values.count)
        let fan = fanOut == .ofGroup ? filter.outputs / filter.groups : filter.outputs
        let error = 5 * (2 / Double(values.count)).squareRoot()
        #expect(abs(variance * Double(fan) / 2 - 1) < error, "\(filter.name), \(fanOut)")
      }
    }
  }

  @Test func `a dense convolution has one fan-out by either rule`() throws {
    try check(.convolution(kernel: 3, padding: nil, activation: .relu), Self.dense)
    let both = [Initialiser.FanOut.ofGroup, .ofLayer].map {
      values(block(.skip, $0).parameters[0])
    }
    #expect(both[0] == both[1])
  }

  @Test func `pointwise groups and depthwise channels divide the fan-out, or do not`() throws {
    try check(
      .invertedResidual(kernel: 5, middle: 192, groups: 2, activation: .relu),
      Self.grouped
    )
  }

  @Test func `so they do in a block of plain operations, whose squeeze has no groups`() throws {
    var middle = BlockDescription.Bottleneck(kernels: [3, 5], middle: 192, activation: .relu)
    middle.squeeze = .init(channels: 48, inner: .relu)
    try check(.bottleneck(middle), Self.squeezed)
  }

  @Test func `a grouped convolution of several channels a group lies between`() throws {
    var middle = BlockDescription.Bottleneck(
      kernels: [3],
      middle: 192,
      expands: false,
      activation: .relu
    )
    middle.depthwiseGroups = 8
    try check(.bottleneck(middle), Self.wide)
  }

  @Test func `a network passes the rule on to its blocks, and the classifier has its own`() {
    var description = NetworkDescription(name: "n", height: 8, width: 8, channels: 3, classes: 10)
    description.add(.convolution(kernel: 3, padding: nil, activation: .relu), output: 64)
    description.add(.depthwiseSeparable(kernel: 3, channels: 64, activation: .relu), output: 64)
    let weights = [Initialiser.FanOut.ofGroup, .ofLayer].map { fanOut in
      Network(description, engine: Engine(threads: 1), seed: 7, fanOut: fanOut).parameters
    }
    for (group, layer) in zip(weights[0], weights[1]) {
      // The same samples, √64 times as small.
      let factor: Float = group.name.hasSuffix("depthwise.weight") ? 8 : 1
      for (a, b) in zip(values(group), values(layer)) {
        #expect(abs(a - factor * b) <= 1e-6 * abs(a), "\(group.name)")
      }
    }
  }
}
