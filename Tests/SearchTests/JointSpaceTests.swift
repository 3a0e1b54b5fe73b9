import Foundation
import Networks
import Runs
import Tensor
import Testing

@testable import Search

/// Points of a joint space as networks and recipes (spec S41).
@Suite struct JointSpaceTests {
  /// One stage of two depths behind the stem, one without a choice of its own behind it.
  private static func settings() throws -> JointConfiguration {
    var it = try JointConfiguration.preset("fbnet-v3-digits")
    it.space.stem.widths = [8, 16]
    it.space.resolutions = [6, 8]
    it.space.stages = [
      JointConfiguration.Space.Stage(
        widths: [12, 24],
        depths: [1, 3],
        stride: 2,
        kernels: [3, 5],
        firstExpansions: [2, 4],
        expansions: [1, 3],
        squeeze: [.none, .se],
        activations: [.relu, .hswish]
      ),
      JointConfiguration.Space.Stage(widths: [], kernels: [3], firstExpansions: [2]),
    ]
    it.space.head = JointConfiguration.Space.Head(expansion: 0, width: 32)
    it.budget.flops = 0
    return it
  }

  private func point(_ space: JointSpace, _ taken: [String: Int]) -> Architecture {
    Architecture(space.choices.map { taken[$0.id] ?? 0 })
  }

  @Test func `a point's network has the blocks that its options say`() throws {
    let space = try JointSpace.laidOut(Self.settings(), channels: 1, classes: 10)
    let network = space.network(
      of: point(
        space,
        [
          "network.resolution": 1, "stem.width": 1, "stage1.width": 1, "stage1.depth": 1,
          "stage1.first_kernel": 1, "stage1.first_expansion": 1, "stage1.squeeze": 1,
          "stage1.activation": 1, "stage1.kernel": 0, "stage1.expansion": 1,
        ]
      ),
      name: "x"
    )
    #expect(network.height == 8 && network.width == 8 && network.channels == 1)
    // Stem, three blocks of stage 1, one of stage 2, and the last convolution.
    #expect(network.blocks.map(\.output) == [16, 24, 24, 24, 24, 32])
    #expect(network.blocks.map(\.stride) == [1, 2, 1, 1, 1, 1])
    let middles = network.blocks.compactMap { block -> BlockDescription.Bottleneck? in
      if case .bottleneck(let middle) = block.kind { middle } else { nil }
    }
    #expect(middles.map(\.middle) == [64, 72, 72, 48])
    #expect(middles.map(\.kernels) == [[5], [3], [3], [3]])
    // A quarter of the input, made divisible by 8: 4 and 6 channels become 8.
    #expect(middles.map { $0.squeeze?.channels } == [8, 8, 8, nil])
    #expect(middles.map(\.zeroGamma) == [false, true, true, true])
    #expect(middles.map(\.activation) == [.hswish, .hswish, .hswish, .hswish])
  }

  @Test func `a network is priced by hand`() throws {
    let space = try JointSpace.laidOut(Self.settings(), channels: 1, classes: 10)
    let network = space.network(of: point(space, [:]), name: "x")
    // 6x6 images: the stem 9·8; 8→16, 3x3, 16→12 on 3x3; 12→24, 3x3, 24→12; 12→32; 32→10.
    let stem = 36 * 9 * 8
    let first = 36 * 8 * 16 + 9 * 9 * 16 + 9 * 16 * 12
    let second = 9 * (12 * 24 + 9 * 24 + 24 * 12)
    #expect(network.flops == Double(stem + first + second + 9 * 12 * 32 + 32 * 10))
    #expect(space.problem.costs(point(space, [:])) == [network.flops, network.params])
  }

  @Test func `an expansion of 1 has no convolution before the depthwise one`() throws {
    let space = try JointSpace.laidOut(Self.settings(), channels: 1, classes: 10)
    let network = space.network(of: point(space, ["stage1.depth": 1]), name: "x")
    guard case .bottleneck(let middle) = network.blocks[2].kind else {
      Issue.record("no bottleneck")
      return
    }
    #expect(!middle.expands && middle.middle == 12)
  }

  @Test func `what no block uses makes no other candidate`() throws {
    let space = try JointSpace.laidOut(Self.settings(), channels: 1, classes: 10)
    let shallow = point(space, ["stage1.kernel": 1, "stage1.expansion": 1, "recipe.mixup": 1])
    #expect(space.canonical(shallow) == point(space, ["recipe.mixup": 1]))
    let deep = point(space, ["stage1.depth": 1, "stage1.kernel": 1])
    #expect(space.canonical(deep) == deep)
    #expect(
      space.network(of: shallow, name: "") == space.network(of: space.canonical(shallow), name: "")
    )
  }

  @Test func `all seven axes reach the recipe`() throws {
    let settings = try Self.settings()
    let space = try JointSpace.laidOut(settings, channels: 1, classes: 10)
    let ranges = settings.ranges
    let last = space.recipe(
      of: Architecture(space.choices.map { $0.options.count - 1 })
    )
    #expect(last.optimiser == .rmsprop && last.learningRate == ranges.learningRates.last)
    #expect(last.weightDecay == ranges.weightDecays.last && last.mixup == ranges.mixups.last)
    #expect(last.dropout == ranges.dropouts.last && last.dropPath == ranges.dropPaths.last)
    #expect(last.ema == ranges.emas.last)
    #expect(last.epochs == settings.recipe.epochs && last.batch == settings.recipe.batch)
    // SGD has a multiple of RMSProp's rate.
    let first = space.recipe(of: point(space, [:]))
    #expect(
      first.optimiser == .sgd && first.learningRate == ranges.sgdFactor * ranges.learningRates[0]
    )
    #expect(space.choices.count { $0.kind == .recipe } == 7)
  }

  @Test func `the baselines search one half and fix the other`() throws {
    var settings = try Self.settings()
    settings.search.algorithm = .architecture
    settings.recipe.learningRate = 0.07
    let networks = try JointSpace.laidOut(settings, channels: 1, classes: 10)
    #expect(networks.choices.allSatisfy { $0.kind != .recipe } && !networks.choices.isEmpty)
    #expect(networks.recipe(of: Architecture(networks.choices.map { _ in 0 })) == settings.recipe)

    settings.search.algorithm = .recipe
    let recipes = try JointSpace.laidOut(settings, channels: 1, classes: 10)
    #expect(recipes.choices.allSatisfy { $0.kind == .recipe })
    let first = Architecture(recipes.choices.map { _ in 0 })
    // Without a limit the largest network, with one the largest that keeps it.
    let largest = recipes.network(of: first, name: "").flops
    settings.budget.flops = largest / 2
    let limited = try JointSpace.laidOut(settings, channels: 1, classes: 10)
    let kept = limited.network(of: first, name: "").flops
    #expect(kept <= largest / 2 && kept > largest / 4)
    settings.budget.flops = 10
    let error = #expect(throws: UserError.self) {
      try JointSpace.laidOut(settings, channels: 1, classes: 10)
    }
    #expect(error?.place == "budget")
  }

  @Test func `the preset of the paper holds its table`() throws {
    let settings = try JointConfiguration.preset("fbnet-v3")
    let space = try JointSpace.laidOut(settings, channels: 3, classes: 1000)
    let sizes = space.choices.filter { $0.kind != .recipe }
      .reduce(0.0) { $0 + log10(Double($1.options.count)) }
    // The paper speaks of 10^17 architectures; kernels apart for the first block and the others, as
    // its networks have them, make that more.
    #expect((17...21).contains(sizes), "10^\(sizes)")
    let smallest = space.network(of: Architecture(space.choices.map { _ in 0 }), name: "")
    #expect(smallest.blocks.count == 1 + 1 + 4 + 4 + 4 + 6 + 5 + 1 + 1)
    guard case .pool(let middle, _, .hswish)? = smallest.blocks.last?.kind else {
      Issue.record("no pooling tail")
      return
    }
    #expect(middle == 6 * 180 && smallest.end.channels == 1984)
    // FBNetV3_A has 357 M FLOPs; the space reaches from below it to above G's resolution.
    #expect(smallest.flops < 357e6)
  }
}
