import Foundation
import Networks
import Runs
import Tensor
import Testing

@testable import Search

/// Latencies of masked blocks by a table of some of their widths (spec S6, S25).
@Suite struct WidthLatencyTests {
  private static let space = WidthLatencyFixture.small

  private static func model(noise: Double = 0) throws -> WidthLatencyCost {
    try space.widthLatency(
      WidthLatencyFixture.table(space, times: WidthLatencyFixture.noisy(noise)),
      place: "t"
    )
  }

  private static func probabilities(_ random: inout Philox) -> [[Double]] {
    space.optionCounts.map { count in softmax((0..<count).map { _ in Double(random.normal()) }) }
  }

  /// The sum of a network's cells as a table would have them.
  private static func sum(
    _ space: MaskedSpace,
    _ architecture: Architecture,
    _ times: (BlockDescription) -> Double = WidthLatencyFixture.milliseconds
  ) -> Double {
    space.network(of: architecture, name: "").blocks.reduce(0) { $0 + times($1) }
  }

  // MARK: What is measured

  private static func space(_ name: String) throws -> MaskedSpace {
    switch name {
    case "small": space
    case "pooled": WidthLatencyFixture.pooled
    case "headed": WidthLatencyFixture.headed
    default: try WidthLatencyFixture.preset(name)
    }
  }

  @Test(
    arguments: [
      ("fbnet-v2-digits", 900), ("fbnet-v2-cifar", 4000), ("pooled", 100), ("headed", 100),
    ]
  )
  func `the plan holds every cell, and there are not too many`(name: String, most: Int) throws {
    let space = try Self.space(name)
    let cells = Set(space.latencyCells.map(\.latencyCell))
    let ends = Set(space.latencyEnds.map { [$0.candidate, "\($0.block.latencyCell)"] })
    #expect(cells.count == space.latencyCells.count && ends.count == space.latencyEnds.count)
    #expect(cells.count <= most)
    var found: Set<LatencyTable.Cell> = []
    var foundEnds: Set<[String]> = []
    for (round, architecture) in space.latencyPlan {
      let network = space.network(of: architecture, name: "")
      found.formUnion(space.parts(of: architecture).map(\.block.latencyCell))
      foundEnds.insert(["stem", "\(network.blocks[0].latencyCell)"])
      foundEnds.insert(["rest", "\(network.blocks[network.blocks.count - 1].latencyCell)"])
      #expect(round == 0 && network.blocks.count == space.blocks.count + 2)
    }
    #expect(found == cells && foundEnds == ends)
  }

  @Test func `few widths are all measured, of many the ends and some between`() throws {
    #expect(MaskedSpace.spread(3, most: 5) == [0, 1, 2])
    #expect(MaskedSpace.spread(14, most: 5) == [0, 3, 7, 10, 13])
    #expect(MaskedSpace.spread(7, most: 7) == Array(0..<7))
    let digits = try WidthLatencyFixture.preset("fbnet-v2-digits")
    #expect(digits.measuredWidths.map(\.count) == [3, 3, 5, 7, 1])
    let cifar = try WidthLatencyFixture.preset("fbnet-v2-cifar")
    #expect(cifar.measuredWidths.map(\.count) == [1, 7, 7, 7, 7, 7, 1])
    #expect(cifar.measuredWidths[1...5].allSatisfy { $0.first == 0 && $0.last == 13 })
  }

  // MARK: Prices

  @Test func `a network whose cells were all measured costs their sum`() throws {
    for name in ["small", "pooled", "headed", "fbnet-v2-digits"] {
      let space = try Self.space(name)
      let model = try space.widthLatency(WidthLatencyFixture.table(space), place: "t")
      for (_, architecture) in space.latencyPlan {
        let sum = Self.sum(space, architecture)
        #expect(abs(model.cost(architecture) - sum) < 1e-9 * sum)
        let blocks = model.blocks(architecture)
        #expect(blocks.count == space.blocks.count)
        #expect(abs(blocks.reduce(model.ends(architecture), +) - sum) < 1e-9 * sum)
        #expect(abs((model.trellis.cost(of: architecture) ?? 0) - sum) < 1e-9 * sum)
        let oneHot = zip(space.optionCounts, architecture).map { count, option in
          (0..<count).map { $0 == option ? 1.0 : 0 }
        }
        #expect(abs(model.expected(oneHot) - sum) < 1e-9 * sum)
      }
    }
  }

  @Test func `a network of three blocks is priced by hand`() throws {
    let space = WidthLatencyFixture.space(
      .init(divisor: 1, stages: [.init(widths: [4, 8], stride: 2, expansions: [1, 2])])
    )
    // A stem, four blocks, two rests.
    let times: [String: Double] = [
      "stem": 1, "k3_e1_c4": 2, "k3_e2_c4": 3, "k3_e1_c8": 4, "k3_e2_c8": 6.5,
    ]
    let table = WidthLatencyFixture.table(space) {
      $0.name == "head" ? ($0.input == 4 ? 0.25 : 0.5) : times[$0.name] ?? -1
    }
    #expect(table.entries.count == 7)
    let model = try space.widthLatency(table, place: "t")
    #expect(space.choices.map(\.id) == ["stage1.width", "stage1.block1.expansion"])
    #expect(model.cost([0, 0]) == 3.25 && model.cost([0, 1]) == 4.25)
    #expect(model.cost([1, 0]) == 5.5 && model.cost([1, 1]) == 8)
    #expect(model.range == 3.25...8)
    #expect(model.blocks([1, 1]) == [6.5] && model.ends([1, 1]) == 1.5)
    // 0.25 · (0.5 · 3.25 + 0.5 · 4.25) + 0.75 · (0.5 · 5.5 + 0.5 · 8).
    #expect(abs(model.expected([[0.25, 0.75], [0.5, 0.5]]) - 6) < 1e-12)
    // What each option adds to the other one, in the widest network.
    let prices = space.choicePrices(of: [1, 1], latency: model)
    #expect(prices.map(\.latency) == [[0, 3.75], [0, 2.5]])
  }

  @Test func `between measured widths a network costs what the next wider one does`() throws {
    let space = try WidthLatencyFixture.preset("fbnet-v2-cifar")
    let model = try space.widthLatency(WidthLatencyFixture.table(space), place: "t")
    // Everything else at its greatest, so that no narrower middle comes in between.
    let widest = Architecture(space.optionCounts.map { $0 - 1 })
    let width = try #require(space.widths[1].axis.choice)
    let measured = space.measuredWidths[1]
    var prices: [Double] = []
    for option in 0..<14 {
      var network = widest
      network[width] = option
      prices.append(model.cost(network))
    }
    #expect(prices == prices.sorted())
    for option in 0..<14 where !measured.contains(option) {
      var network = widest
      network[width] = option
      #expect(model.cost(network) > Self.sum(space, network))
    }
    // The last block's output is in no middle of a block behind it but its own stage's.
    #expect(Set(prices).count >= measured.count && Set(prices).count <= 14)
  }

  @Test func `a block that is left out costs nothing`() throws {
    let model = try Self.model()
    let block = try #require(Self.space.blocks.firstIndex { $0.skip.choice != nil })
    let skip = try #require(Self.space.blocks[block].skip.choice)
    var network = Architecture(Self.space.optionCounts.map { $0 - 1 })
    #expect(network[skip] == 1 && model.blocks(network)[block] == 0)
    let without = model.cost(network)
    network[skip] = 0
    #expect(abs(model.cost(network) - without - model.blocks(network)[block]) < 1e-12)
    #expect(model.blocks(network)[block] > 0)
  }

  @Test(arguments: ["pooled", "headed"])
  func `the widths behind the blocks are priced in every network`(name: String) throws {
    let space = try Self.space(name)
    let model = try space.widthLatency(WidthLatencyFixture.table(space), place: "t")
    let networks = everyArchitecture(space.optionCounts)
    #expect(networks.count == (name == "pooled" ? 432 : 144))
    var random = Philox(seed: 4, purpose: .test)
    let probabilities = space.optionCounts.map { count in
      softmax((0..<count).map { _ in Double(random.normal()) })
    }
    var mean = 0.0
    for network in networks {
      // Few widths: all were measured.
      let sum = Self.sum(space, network)
      #expect(abs(model.cost(network) - sum) < 1e-9 * sum)
      #expect(abs((model.trellis.cost(of: network) ?? 0) - sum) < 1e-9 * sum)
      mean += zip(probabilities, network).reduce(1) { $0 * $1.0[$1.1] } * sum
    }
    #expect(abs(model.expected(probabilities) - mean) < 1e-9 * mean)
    let costs = networks.map { model.cost($0) }.sorted()
    #expect(abs(model.range.lowerBound - costs[0]) < 1e-12)
    #expect(abs(model.range.upperBound - costs[costs.count - 1]) < 1e-12)
    let limit = costs[costs.count / 3]
    let found = try #require(
      model.mostProbable(
        probabilities.map { $0.map { log($0) } },
        within: CostLimit.within(limit)
      )
    )
    #expect(model.cost(found) <= limit * (1 + 1e-9))
  }

  @Test func `nothing larger is cheaper, whatever noise was measured`() throws {
    let model = try Self.model(noise: 1.5)
    #expect((model.correction?.share ?? 0) > 0.05)
    let ordered = Self.space.choices.indices.filter { Self.space.choices[$0].kind.isOrdered }
    #expect(ordered.count > 4)
    for architecture in everyArchitecture(Self.space.optionCounts) {
      for choice in ordered where architecture[choice] > 0 {
        #expect(model.change(of: architecture, at: choice, to: architecture[choice] - 1) <= 1e-12)
      }
    }
  }

  // MARK: What a search asks

  @Test func `the expected cost is the mean over all networks`() throws {
    let model = try Self.model(noise: 0.3)
    var random = Philox(seed: 2, purpose: .test)
    let probabilities = Self.probabilities(&random)
    let networks = everyArchitecture(Self.space.optionCounts)
    let mean = networks.reduce(0) { total, network in
      total + zip(probabilities, network).reduce(1) { $0 * $1.0[$1.1] } * model.cost(network)
    }
    #expect(abs(model.expected(probabilities) - mean) < 1e-9 * mean)
    let costs = networks.map { model.cost($0) }
    let (least, most) = (costs.min() ?? 0, costs.max() ?? 0)
    #expect(abs(model.range.lowerBound - least) < 1e-12 * most)
    #expect(abs(model.range.upperBound - most) < 1e-12 * most)
  }

  @Test func `gradients are differences`() throws {
    let model = try Self.model(noise: 0.3)
    var random = Philox(seed: 5, purpose: .test)
    let weights = Self.probabilities(&random)
    let gradient = model.gradient(weights)
    #expect(gradient.map(\.count) == Self.space.optionCounts)
    for choice in weights.indices {
      for option in weights[choice].indices {
        var (low, high) = (weights, weights)
        low[choice][option] -= 0.01
        high[choice][option] += 0.01
        // Linear in each choice.
        let slope = (model.expected(high) - model.expected(low)) / 0.02
        #expect(abs(slope - gradient[choice][option]) < 1e-9 * abs(slope) + 1e-9)
      }
    }
  }

  @Test func `repairs within a limit are the best of all networks`() throws {
    let model = try Self.model(noise: 0.2)
    let networks = everyArchitecture(Self.space.optionCounts)
    let costs = networks.map { model.cost($0) }
    var random = Philox(seed: 7, purpose: .test)
    let span = model.range.upperBound - model.range.lowerBound
    for index in 1...10 {
      let scores = Self.probabilities(&random).map { $0.map { log($0) } }
      func score(_ network: Architecture) -> Double {
        zip(scores, network).reduce(0) { $0 + $1.0[$1.1] }
      }
      let limit = model.range.lowerBound + span * Double(index) / 11
      let found = try #require(model.mostProbable(scores, within: CostLimit.within(limit)))
      #expect(model.cost(found) <= limit * (1 + 1e-9))
      let best = networks.indices.filter { costs[$0] <= limit }.map { score(networks[$0]) }.max()
      // A way that ends within a few bins of the limit may be missed.
      let near = networks.indices.filter { costs[$0] <= limit - span / 400 }
        .map { score(networks[$0]) }.max()
      #expect(score(found) <= (best ?? 0) + 1e-9)
      #expect(score(found) >= (near ?? -.infinity) - 1e-9)
    }
    let samples = model.samples(
      20,
      of: nil,
      within: CostLimit.within(model.range.lowerBound + span / 4),
      seed: 1,
      stream: 0,
      except: []
    )
    #expect(samples.count == 20)
    #expect(samples.allSatisfy { model.cost($0) <= model.range.lowerBound + span / 4 + 1e-9 })
  }

  @Test func `a slimmed network costs at its last options what its own blocks do`() throws {
    var network = NetworkDescription(name: "own", height: 8, width: 8, channels: 1, classes: 10)
    network.add(.convolution(kernel: 3, padding: nil, activation: .relu), output: 8)
    let kind = BlockDescription.Kind.invertedResidual(
      kernel: 5,
      middle: 32,
      groups: 1,
      activation: .relu
    )
    network.add(kind, output: 16, stride: 2)
    network.add(kind, output: 16)
    network.add(.convolution(kernel: 1, padding: nil, activation: .relu), output: 24)
    let space = try Configuration.Space(slimming: network, fractions: [0.5, 1], place: "own")
    let masked = try #require(
      space.laidOut(classes: 10, channels: 1, height: 8, width: 8) as? MaskedSpace
    )
    let model = try masked.widthLatency(WidthLatencyFixture.table(masked), place: "t")
    let last = Architecture(masked.optionCounts.map { $0 - 1 })
    let sum = network.blocks.reduce(0) { $0 + WidthLatencyFixture.milliseconds($1) }
    #expect(abs(model.cost(last) - sum) < 1e-9 && abs(model.range.upperBound - sum) < 1e-9)
  }
}
