import Networks
import Runs
import Tensor
import Testing
import Training

@testable import Search

/// Spaces made of a network's own widths (spec S20, S21).
struct SlimmingTests {
  private static let fractions = [0.25, 0.5, 0.75, 1]

  /// A stem, a residual block at the stem's width, two stages, an identity between, and a head.
  private static func network(side: Int = 16) -> NetworkDescription {
    var it = NetworkDescription(name: "own", height: side, width: side, channels: 3, classes: 10)
    func residual(_ kernel: Int, _ middle: Int, expands: Bool = true, squeeze: Int? = nil)
      -> BlockDescription.Kind
    {
      .bottleneck(
        .init(
          kernels: [kernel],
          middle: middle,
          expands: expands,
          squeeze: squeeze.map { .init(channels: $0, inner: .hswish) },
          activation: squeeze == nil ? .relu : .hswish
        )
      )
    }
    it.add(.convolution(kernel: 3, padding: nil, activation: .relu), output: 16)
    it.add(residual(3, 16, expands: false), output: 16)
    it.add(residual(5, 64), output: 24, stride: 2)
    it.add(.skip, output: 24)
    it.add(residual(3, 72, squeeze: 24), output: 24)
    it.add(residual(3, 96), output: 40, stride: 2)
    it.add(residual(5, 160), output: 40)
    it.add(.convolution(kernel: 1, padding: nil, activation: .relu), output: 64)
    return it
  }

  private static func configuration(_ network: NetworkDescription) throws -> Configuration {
    var it = try Configuration.preset("fbnet-v2-cifar")
    it.space = try Configuration.Space(slimming: network, fractions: fractions, place: "own")
    it.data.resolution = network.height
    it.threads = 2
    try it.validate()
    return it
  }

  private static func space(_ network: NetworkDescription) throws -> MaskedSpace {
    let space = try configuration(network).space
    return MaskedSpace(
      space,
      try #require(space.masked),
      classes: network.classes,
      channels: network.channels,
      height: network.height,
      width: network.width
    )
  }

  private static func last(_ space: MaskedSpace) -> Architecture {
    Architecture(space.optionCounts.map { $0 - 1 })
  }

  @Test(arguments: ["own", "mobilenet_v2", "fbnet_b", "fbnet_c"])
  func `the last options are the network itself`(name: String) throws {
    let network = name == "own" ? Self.network() : try #require(Zoo.named(name)).network
    let space = try Self.space(network)
    let same = space.network(of: Self.last(space), name: "")
    let blocks = network.blocks.filter { !$0.isIdentity }
    #expect(same.blocks.map(\.kind) == blocks.map(\.kind))
    #expect(same.blocks.map(\.output) == blocks.map(\.output))
    #expect(same.flops == network.flops && same.params == network.params)
  }

  @Test func `widths that shortcuts join are one choice`() throws {
    let space = try Self.space(Self.network())
    let widths = space.choices.filter { $0.kind == .width }
    #expect(
      widths.map { $0.options.map(\.name) } == [
        ["4", "8", "12", "16"], ["6", "12", "18", "24"], ["10", "20", "30", "40"],
      ]
    )
    // The block without a 1×1 convolution before it has nothing to expand.
    #expect(space.choices.count { $0.kind == .expansion } == 4)
    #expect(space.blocks.map(\.isResidual) == [true, false, true, false, true])
  }

  @Test(
    arguments: [
      ("fbnetv3_a", ["fbnetv3_a: block 0", "stem"]),
      ("fbnet_a", ["fbnet_a: block 12", "groups"]),
    ]
  )
  func `what masks cannot slim is named with the block`(name: String, words: [String]) throws {
    let network = try #require(Zoo.named(name)).network
    let error = try #require(throws: UserError.self) {
      _ = try Configuration.Space(slimming: network, fractions: Self.fractions, place: name)
    }
    for word in words { #expect(error.description.contains(word), "\(error)") }
  }

  @Test func `groups are named as what is in the way`() throws {
    var network = NetworkDescription(name: "", height: 8, width: 8, channels: 1, classes: 10)
    network.add(.convolution(kernel: 3, padding: nil, activation: .relu), output: 8)
    network.add(
      .invertedResidual(kernel: 3, middle: 16, groups: 2, activation: .relu),
      output: 8,
      name: "k3_e2_g2"
    )
    network.add(.convolution(kernel: 1, padding: nil, activation: .relu), output: 16)
    let error = try #require(throws: UserError.self) {
      _ = try Configuration.Space(slimming: network, fractions: [0.5, 1], place: "a.json")
    }
    #expect(error.description.contains("a.json: block 1 (k3_e2_g2): cannot be slimmed"))
    #expect(error.description.contains("it has groups"))
  }

  @Test func `uniform scaling is the widest that fits`() throws {
    let space = try Self.space(Self.network())
    let most = space.flops(Self.last(space))
    let all = try #require(space.uniform(like: Self.last(space)) { _ in true })
    #expect(all.scale == 1 && all.architecture == Self.last(space))
    let half = try #require(
      space.uniform(like: Self.last(space)) { space.flops($0) <= most / 2 }
    )
    #expect(space.flops(half.architecture) <= most / 2)
    #expect(half.scale < 1 && half.scale > 0.3)
    #expect(space.uniform(like: Self.last(space)) { _ in false } == nil)
    // With the expansions scaled too, widths are greater.
    let even = try #require(space.even(like: Self.last(space)) { space.flops($0) <= most / 2 })
    #expect(space.flops(even) <= most / 2)
    for (choice, both) in zip(space.choices, zip(half.architecture, even)) {
      switch choice.kind {
      case .expansion: #expect(both.0 == choice.options.count - 1 && both.1 < both.0)
      default: #expect(both.1 >= both.0)
      }
    }
    #expect(space.even(like: Self.last(space)) { _ in false } == nil)
  }

  @Test func `the supernet begins as the network whose weights it takes`() throws {
    let description = Self.network()
    let configuration = try Self.configuration(description)
    let engine = Engine(threads: 2)
    let network = Network(description, engine: engine, seed: 5)
    // As the command renames them: block 3 is an identity.
    let shift = ["blocks.4": "blocks.3", "blocks.5": "blocks.4", "blocks.6": "blocks.5"]
    let weights = Checkpoint(
      tensors: network.state().map { array in
        let block = array.name.split(separator: ".").prefix(2).joined(separator: ".")
        let name = shift[block].map { $0 + array.name.dropFirst(block.count) } ?? array.name
        return .init(name: name, shape: array.shape, values: array.values)
      }
    )
    let supernet = try Supernet(
      configuration: configuration,
      classes: 10,
      channels: 3,
      height: 16,
      width: 16
    )
    try supernet.start(from: weights, classNames: (0..<10).map { "\($0)" })
    let space = try Self.space(description)
    let own = supernet.state(of: Self.last(space))
    for array in weights.tensors where !array.name.contains("running") {
      let found = try #require(own[array.name], "\(array.name)")
      #expect(found.values == array.values, "\(array.name)")
    }
  }

  @Test func `a fixed weight that drowns the loss is refused`() throws {
    var settings = try Configuration.preset("fbnet-v2-digits").loss
    settings.form = .additive
    settings.alpha = 1e6
    let error = try #require(throws: UserError.self) {
      _ = try CostLoss(
        settings,
        metric: .flops,
        budget: nil,
        cheapest: 1e5,
        mostExpensive: 1e6
      )
    }
    #expect(error.description.contains("loss.alpha") && error.description.contains("drowns"))
    settings.alpha = 10
    _ = try CostLoss(settings, metric: .flops, budget: nil, cheapest: 1e5, mostExpensive: 1e6)
  }
}
