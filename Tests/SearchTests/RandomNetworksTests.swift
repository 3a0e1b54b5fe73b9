import Foundation
import Tensor
import Testing

@testable import Search

/// Draws on condition that the cost lies in a range (spec S11, S12).
struct RandomNetworksTests {
  private static let prices = CostTable(
    layers: [[0, 3, 7.5], [1, 2, 4], [0, 5.25, 6], [2, 2.5, 9]],
    fixed: 10
  )
  private static let probabilities = [
    [0.7, 0.2, 0.1], [0.05, 0.05, 0.9], [0.3, 0.3, 0.4], [0.01, 0.49, 0.5],
  ]

  private var all: [[Int]] {
    Self.prices.layers.reduce([[]]) { starts, layer in
      starts.flatMap { start in layer.indices.map { start + [$0] } }
    }
  }

  @Test(
    arguments: [[-Double.infinity, .infinity], [0, 22], [20, 24], [33, 40]],
    [true, false]
  )
  func `networks come as often as the condition has it`(bounds: [Double], isEven: Bool) throws {
    let range = bounds[0]...bounds[1]
    let fitting = all.filter { range.contains(Self.prices.cost($0)) }
    let weights = fitting.map { network in
      isEven ? 1 : zip(Self.probabilities, network).reduce(1) { $0 * $1.0[$1.1] }
    }
    let total = weights.reduce(0, +)
    let networks = RandomNetworks(
      prices: Self.prices,
      probabilities: isEven ? nil : Self.probabilities,
      within: range
    )
    let draws = 20_000
    var counts: [[Int]: Int] = [:]
    for index in 0..<UInt32(draws) {
      var random = Philox(seed: 6, purpose: .test, index: index)
      counts[try #require(networks.draw(&random)), default: 0] += 1
    }
    #expect(fitting.count > 1 && Set(counts.keys).isSubset(of: Set(fitting)))
    let variation =
      zip(fitting, weights).reduce(0) {
        $0 + abs(Double(counts[$1.0] ?? 0) / Double(draws) - $1.1 / total)
      } / 2
    // What chance makes of so many draws is 0.4·√(networks/draws), 0.026 for all 81.
    #expect(variation < 0.035, "\(variation)")
  }

  @Test(arguments: [1e-3, 1e-12, 2e-22])
  func `settled choices of many layers bend evenly`(rest: Double) throws {
    // All but certain of the dearest everywhere, while the limit is half of that.
    let layers = 40
    let prices = CostTable(layers: (0..<layers).map { _ in [0, 1, 2] }, fixed: 0)
    let networks = RandomNetworks(
      prices: prices,
      probabilities: (0..<layers).map { _ in [rest, rest, 1 - 2 * rest] },
      within: CostTable.within(Double(layers))
    )
    let draws = 400
    var cheap = [Int](repeating: 0, count: layers)
    for index in 0..<UInt32(draws) {
      var random = Philox(seed: 8, purpose: .test, index: index)
      let network = try #require(networks.draw(&random))
      #expect(prices.cost(network) <= Double(layers))
      // The fewest changes that hold the limit are all but certain where P is.
      if rest < 1e-6 { #expect(network.count { $0 == 0 } == layers / 2) }
      for (layer, choice) in network.enumerated() where choice == 0 { cheap[layer] += 1 }
    }
    // Every layer in half of the draws; five deviations are a quarter of that.
    for count in cheap { #expect(abs(count - draws / 2) < 60, "\(cheap)") }
  }

  @Test func `an empty range and a known network give nothing`() {
    let range = Self.prices.range
    var random = Philox(seed: 1, purpose: .test)
    for empty in [
      0...range.lowerBound - 0.5, range.upperBound + 0.5...range.upperBound + 9, 20.01...20.02,
    ] {
      let networks = RandomNetworks(prices: Self.prices, within: empty)
      #expect(networks.draw(&random) == nil)
      #expect(networks.different(3, seed: 1).isEmpty)
    }
    let cheapest = RandomNetworks(prices: Self.prices, within: 0...range.lowerBound)
    #expect(cheapest.different(3, seed: 1) == [[0, 0, 0, 0]])
    #expect(cheapest.different(3, seed: 1, except: [[0, 0, 0, 0]]).isEmpty)
  }
}
