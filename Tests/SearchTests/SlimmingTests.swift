import Networks
import Runs
import Tensor
import TestSupport
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

  /// Whether the space's last options are the network, block by block and by all counting rules.
  private static func expectSame(_ network: NetworkDescription) throws {
    let space = try Self.space(network)
    let same = space.network(of: Self.last(space), name: "")
    let blocks = network.blocks.filter { !$0.isIdentity }
    #expect(same.blocks.count == blocks.count)
    for (found, block) in zip(same.blocks, blocks) {
      // No shortcut where the shape changes, whatever is said of it.
      #expect(found.isResidual == block.isResidual)
      #expect(found.kind.withShortcut == block.kind.withShortcut, "\(block)")
      #expect(found.input == block.input && found.output == block.output)
      #expect(found.height == block.height && found.width == block.width)
    }
    #expect(same.cost == network.cost)
    let oneHot = space.optionCounts.map { count in (0..<count).map { $0 == count - 1 ? 1 : 0 } }
    #expect(space.cost(oneHot) == network.cost)
    for metric in [CostMetric.flops, .params] {
      let most = metric == .flops ? network.flops : network.params
      #expect(EffectiveShapeCost(space, metric: metric).cost(Self.last(space)) == most)
    }
    #expect(space.choices.contains { $0.id == "head.width" })
  }

  @Test(arguments: ["own"] + SlimmedNetworks.forms)
  func `the last options are the network itself`(form: String) throws {
    try Self.expectSame(form == "own" ? Self.network() : SlimmedNetworks.network(form))
  }

  /// What the zoo has that masks cannot slim, by the words that say so.
  private static func obstacle(_ network: NetworkDescription) -> String? {
    for block in network.blocks {
      switch block.kind {
      case .bottleneck(let middle) where middle.groups > 1 || middle.depthwiseGroups != nil:
        return "groups"
      case .fused: return "dense convolution"
      default: continue
      }
    }
    return nil
  }

  @Test func `every network of the zoo is slimmed or names what is in the way`() throws {
    var refused: [String] = []
    for network in Zoo.entries.map(\.network) {
      guard let words = Self.obstacle(network) else {
        try Self.expectSame(network)
        continue
      }
      refused.append(network.name)
      let error = try #require(throws: UserError.self) {
        _ = try Configuration.Space(
          slimming: network,
          fractions: Self.fractions,
          place: network.name
        )
      }
      #expect(error.description.hasPrefix("\(network.name): block "), "\(error)")
      #expect(error.description.contains(words), "\(error)")
    }
    #expect(refused.count == 10, "\(refused)")
  }

  @Test(arguments: SlimmedNetworks.forms)
  func `the supernet computes what the network and what each cut of it do`(form: String) throws {
    let description = SlimmedNetworks.network(form)
    let space = try Self.space(description)
    let engine = Engine(threads: 2)
    var initialiser = Initialiser(seed: 3)
    let supernet = MaskedNetwork(space, engine: engine, initialiser: &initialiser)
    var random = Philox(seed: 3, purpose: .test)
    for entry in supernet.parameters.map(\.entry) + supernet.norms.flatMap(\.entries) {
      entry.write(MaskedSubject.values(entry, &random))
    }
    engine.mode = .inference
    let image = engine.tensor(
      (0..<4 * 16 * 16 * 3).map { _ in random.normal() },
      shape: [4, 16, 16, 3]
    )
    // With the arrays of the supernet under its own names.
    var whole = description
    if form != "plain" { whole = space.network(of: Self.last(space), name: "") }
    let network = Network(whole, engine: engine, seed: 0)
    if form == "plain" {
      // The identity moves the names by one.
      try network.restore(
        StateDictionary(
          supernet.state(of: Self.last(space)).map { array in
            let parts = array.name.split(separator: ".", maxSplits: 2).map(String.init)
            guard parts[0] == "blocks", let place = Int(parts[1]), place > 2 else { return array }
            return NamedArray(
              name: "blocks.\(place + 1).\(parts[2])",
              shape: array.shape,
              values: array.values
            )
          }
        )
      )
    } else {
      try network.restore(supernet.state(of: Self.last(space)))
    }
    func compare(_ found: [Float], _ expected: [Float], _ name: String) {
      #expect(Set(expected).count > 20 && expected.allSatisfy(\.isFinite))
      let fault = difference(
        name,
        found.map(Double.init),
        expected.map(Double.init),
        relative: 1e-5,
        absolute: 1e-6
      )
      #expect(fault == nil)
    }
    let scores = supernet.scores(image, of: Self.last(space)).values
    compare(network(image).values, scores, "network")
    compare(network.inference()(image).values, scores, "inference")
    for _ in 0..<10 {
      let architecture = Architecture(space.optionCounts.map { random.below($0) })
      let expected = supernet.scores(image, of: architecture).values
      compare(supernet.derived(architecture)(image).values, expected, "\(architecture)")
      #expect(
        space.cost(
          zip(space.optionCounts, architecture).map { count, option in
            (0..<count).map { $0 == option ? 1 : 0 }
          }
        ) == space.network(of: architecture, name: "").cost
      )
    }
  }

  @Test func `a squeeze-and-excite keeps its share of a narrower middle`() {
    let form = MaskedBlockForm(squeezeWidth: 18)
    #expect([72, 36, 20, 4].map { form.squeeze(middle: $0, of: 72) } == [18, 10, 6, 2])
    // Without a width of its own a quarter, by eights.
    #expect([72, 36, 4].map { MaskedBlockForm().squeeze(middle: $0, of: 72) } == [24, 16, 8])
  }

  @Test func `widths that shortcuts join are one choice`() throws {
    let space = try Self.space(Self.network())
    let widths = space.choices.filter { $0.kind == .width }
    #expect(
      widths.map { $0.options.map(\.name) } == [
        ["4", "8", "12", "16"], ["6", "12", "18", "24"], ["10", "20", "30", "40"],
        ["16", "32", "48", "64"],
      ]
    )
    // The block without a 1×1 convolution before it has nothing to expand.
    #expect(space.choices.count { $0.kind == .expansion } == 4)
    #expect(space.blocks.map(\.isResidual) == [true, false, true, false, true])
  }

  @Test(
    arguments: [
      ("fbnetv3_a_gpu", ["fbnetv3_a_gpu: block 3", "dense convolution"]),
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

extension BlockDescription.Kind {
  /// As if it had a shortcut, which counts only where the shape stays; a skip as the convolution
  /// that it is.
  fileprivate var withShortcut: BlockDescription.Kind {
    switch self {
    case .bottleneck(var middle):
      middle.hasShortcut = true
      return .bottleneck(middle)
    // Only those that change the shape are compared.
    case .skip: return .convolution(kernel: 1, padding: nil, activation: .relu)
    case .convolution, .fused, .pool: return self
    }
  }
}
