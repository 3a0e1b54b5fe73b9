import Networks
import Runs
import Tensor
import Testing

@testable import Search

/// Networks of a search make use of its budget, uniform scaling among them (spec S8, S11, S26).
@Suite(.serialized) struct BudgetUseTests {
  private typealias Masked = Configuration.Space.Masked

  /// The space of the widths of a small network, 4,096 networks of it.
  private static func slimming() throws -> Configuration {
    var it = NetworkDescription(name: "own", height: 8, width: 8, channels: 1, classes: 10)
    it.add(.convolution(kernel: 3, padding: nil, activation: .relu), output: 16)
    for (middle, output, stride) in [(48, 24, 2), (72, 24, 1), (72, 40, 2)] {
      it.add(
        .bottleneck(
          .init(kernels: [3], middle: middle, expands: true, squeeze: nil, activation: .relu)
        ),
        output: output,
        stride: stride
      )
    }
    it.add(.convolution(kernel: 1, padding: nil, activation: .relu), output: 48)
    var settings = try Configuration.preset("fbnet-v2-digits")
    settings.space = try Configuration.Space(
      slimming: it,
      fractions: [0.25, 0.5, 0.75, 1],
      place: "own"
    )
    settings.data.resolution = 8
    settings.threads = 1
    return settings
  }

  private static func supernet(_ settings: Configuration) throws -> Supernet {
    try Supernet(configuration: settings, classes: 10, channels: 1, height: 8, width: 8)
  }

  @Test func `a network uses the budget wherever one of the space does`() throws {
    let sparse = AdditiveCost(layers: [[1, 20, 50], [2, 30, 90], [4, 4, 60]], fixed: 3)
    let slim = try Self.supernet(Self.slimming())
    var sides = [false: 0, true: 0]
    let models: [(any CostModel, [Int])] = [
      (sparse, sparse.optionCounts), (slim.costModel, slim.space.optionCounts),
    ]
    for (model, optionCounts) in models {
      let costs = everyArchitecture(optionCounts).map { model.cost($0) }
      for percent in stride(from: 0, through: 100, by: 2) {
        let range = model.range
        let limit =
          range.lowerBound + Double(percent) / 100 * (range.upperBound - range.lowerBound)
        let isUsed = costs.contains { (0.95 * limit...limit).contains($0) }
        let useful = model.useful(limit, even: evenScores(optionCounts))
        #expect(useful.upperBound == CostLimit.within(limit).upperBound)
        #expect(useful.lowerBound == (isUsed ? 0.95 * limit : -.infinity), "\(limit)")
        sides[isUsed, default: 0] += 1
      }
    }
    #expect(sides.values.allSatisfy { $0 > 10 }, "both happen: \(sides)")
    #expect(sparse.useful(nil, even: evenScores([3, 3, 3])) == CostLimit.within(nil))
  }

  @Test(arguments: [0.3, 0.5, 0.7, 0.9])
  func `a search begins its choice with uniform scaling, and both use the budget`(
    share: Double
  ) throws {
    var settings = try Self.slimming()
    let range = try Self.supernet(settings).costModel.range
    let budget = (share * range.upperBound).rounded()
    settings.budget[.flops] = budget
    let supernet = try Self.supernet(settings)
    let using = everyArchitecture(supernet.space.optionCounts)
      .filter { (0.95 * budget...budget).contains(supernet.costModel.cost($0)) }
    let within = everyArchitecture(supernet.space.optionCounts)
      .filter { supernet.costModel.cost($0) <= budget }
    var bound = [false: 0, true: 0]
    var random = Philox(seed: 3, purpose: .test)
    // Options that cost little are likely, then those that cost much.
    for tilt in [-10, -3, 3, 20, 20] as [Float] {
      supernet.theta.logits = supernet.space.optionCounts.map { count in
        (0..<count).map { 2 * random.normal() + tilt * Float($0) / Float(count) }
      }
      let starts = supernet.starts(limit: budget)
      let using = supernet.theta.binds(budget) ? using : within
      bound[supernet.theta.binds(budget), default: 0] += 1
      // By brute force: nothing that uses the budget is more probable.
      let best = try #require(using.map(supernet.theta.logProbability).max())
      #expect(using.contains(starts[0].architecture))
      #expect(abs(supernet.theta.logProbability(starts[0].architecture) - best) < 1e-6)
      #expect(Set(starts.map(\.architecture)).count == starts.count)
      #expect(["argmax", "repaired"].contains(starts[0].source))
      let uniform = try #require(
        supernet.uniform(like: starts[0].architecture, limit: budget)?.architecture
      )
      #expect(starts.contains { $0.architecture == uniform })
      // Quarters of a width are far apart.
      #expect((0.75 * budget...budget).contains(supernet.costModel.cost(uniform)))
      for start in starts.dropFirst() {
        #expect(start.source == (start.architecture == uniform ? "uniform" : "even"))
        #expect(start.source == "uniform" || using.contains(start.architecture))
      }
      for (choice, option) in zip(supernet.choices, uniform) where choice.kind == .expansion {
        #expect(option == choice.options.count - 1)
      }
    }
    #expect(bound.values.allSatisfy { $0 > 0 }, "\(bound)")
    supernet.theta.logits = supernet.space.optionCounts.map { (0..<$0).map(Float.init) }
    #expect(supernet.starts(limit: nil).map(\.source) == ["argmax"])
  }

  @Test func `networks that are banned make no use of a budget`() throws {
    let supernet = try Self.supernet(Self.slimming())
    // One network is left, a little below the budget; many others are nearer to it.
    let left = Architecture(supernet.space.optionCounts.map { $0 / 2 })
    supernet.theta.barred = zip(supernet.space.optionCounts, left).map { count, option in
      (0..<count).map { $0 != option }
    }
    let limit = 1.08 * supernet.costModel.cost(left)
    #expect(supernet.theta.useful(limit) == CostLimit.within(limit))
    #expect(supernet.starts(limit: limit).map(\.architecture) == [left])
    supernet.theta.barred = []
    supernet.theta.logits = zip(supernet.space.optionCounts, left).map { count, option in
      (0..<count).map { $0 == option ? 20 : 0 }
    }
    #expect(supernet.theta.useful(limit) == CostLimit.using(limit))
  }

  @Test(arguments: [0.3, 0.45, 0.6, 0.8])
  func `what a search exports uses its budget`(share: Double) throws {
    let prices = try TinyRun().space().prices(.flops)
    let budget =
      prices.range.lowerBound + share * (prices.range.upperBound - prices.range.lowerBound)
    let run = try TinyRun(overrides: ["budget.flops=\(budget)"])
    let result = try run.finished()
    let useful =
      result.expectedCost > 0.9 * budget
      ? prices.useful(budget, even: evenScores(prices.layers.map(\.count)))
      : CostLimit.within(budget)
    #expect(useful.contains(result.cost), "\(result.cost) of \(budget)")
    // The most probable network of all stands last where the budget bars it.
    let networks = try run.export().architectures
    let isBarred = !useful.contains(result.argmaxCost)
    #expect(networks.dropLast(isBarred ? 1 : 0).allSatisfy { useful.contains($0.flops) })
    #expect(networks.last?.flops == result.argmaxCost || !isBarred)
  }
}
