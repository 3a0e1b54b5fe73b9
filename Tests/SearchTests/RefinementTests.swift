import Foundation
import Tensor
import Testing

@testable import Search

/// Networks that are bettered by their neighbours (spec S11).
struct RefinementTests {
  private let prices = CostTable(
    layers: [[1, 3, 5], [0, 2, 7], [4, 4, 1], [2, 6, 3]],
    fixed: 3
  )
  private let probabilities = [
    [0.2, 0.5, 0.3], [0.1, 0.1, 0.8], [0.6, 0.3, 0.1], [0.25, 0.5, 0.25],
  ]

  private var all: [[Int]] {
    prices.layers.reduce([[]]) { starts, layer in
      starts.flatMap { start in layer.indices.map { start + [$0] } }
    }
  }

  private func refinement(_ limit: Double?) -> Refinement {
    Refinement(prices: prices, within: CostTable.within(limit), probabilities: probabilities)
  }

  /// Accuracies that no single layer explains.
  private func value(_ network: [Int]) -> Double {
    var random = Philox(
      seed: 7,
      purpose: .test,
      index: UInt32(network.reduce(0) { 3 * $0 + $1 })
    )
    return prices.cost(network) + 2 * Double(random.normal())
  }

  @Test(arguments: [nil, 10, 13, 16, 21])
  func `neighbours are one change or a trade within the limit, the most probable first`(
    limit: Double?
  ) {
    let within = CostTable.within(limit)
    for network in all where within.contains(prices.cost(network)) {
      let found = refinement(limit).neighbours(of: network)
      #expect(Set(found).count == found.count)
      let expected = all.filter { other in
        let layers = network.indices.filter { network[$0] != other[$0] }
        let costs = layers.map { prices.layers[$0][other[$0]] - prices.layers[$0][network[$0]] }
        return within.contains(prices.cost(other))
          && (layers.count == 1 || layers.count == 2 && costs[0] * costs[1] < 0)
      }
      #expect(Set(found) == Set(expected))
      let scores = found.map { zip(probabilities, $0).reduce(0) { $0 + log($1.0[$1.1]) } }
      #expect(zip(scores, scores.dropFirst()).allSatisfy { $0 >= $1 - 1e-12 })
    }
  }

  /// Refines from `start` and gives what was evaluated and what was found better.
  private func refined(
    _ start: [Int],
    limit: Double,
    summits: Int = .max,
    trials: Int = .max
  ) -> (evaluated: [[Int]], better: [[Int]]) {
    var evaluated: [[Int]] = []
    let better = refinement(limit).run(
      from: [(start, value(start))],
      summits: summits,
      trials: trials,
      isBetter: >
    ) { network in
      evaluated.append(network)
      return value(network)
    }
    return (evaluated, better.map(\.network))
  }

  @Test(arguments: [10.0, 13, 16, 21, 99])
  func `the optimum is found from the poorest start and nothing is evaluated twice`(
    limit: Double
  ) throws {
    let fitting = all.filter { CostTable.within(limit).contains(prices.cost($0)) }
    let start = try #require(fitting.min { value($0) < value($1) })
    let best = try #require(fitting.max { value($0) < value($1) })
    let (evaluated, better) = refined(start, limit: limit)
    #expect(better.last == best)
    #expect(Set(evaluated).count == evaluated.count && !evaluated.contains(start))
    #expect(Set(evaluated).isSubset(of: fitting))
    // Each is better than all before it.
    let values = [value(start)] + better.map(value)
    #expect(zip(values, values.dropFirst()).allSatisfy { $0 < $1 })
  }

  @Test func `trials and summits end it`() {
    let limit = 16.0
    let whole = refined([0, 0, 2, 0], limit: limit)
    for trials in [0, 1, 5, 12] {
      let part = refined([0, 0, 2, 0], limit: limit, trials: trials)
      #expect(part.evaluated == Array(whole.evaluated.prefix(trials)))
      #expect(part.better == Array(whole.better.prefix(part.better.count)))
    }
    let one = refined([0, 0, 2, 0], limit: limit, summits: 1)
    #expect(one.evaluated.count < whole.evaluated.count)
    // It ends on a hilltop: no neighbour of the best is better.
    let best = one.better.last ?? []
    #expect(refinement(limit).neighbours(of: best).allSatisfy { value($0) <= value(best) })
    #expect(refined([0, 0, 2, 0], limit: limit, summits: 0).evaluated.isEmpty)
  }

  @Test func `an evaluation that was stopped ends it, and nothing comes of an empty pool`() throws {
    var left = 3
    let better = refinement(16).run(
      from: [([0, 0, 2, 0], -99.0)],
      summits: 5,
      trials: 100,
      isBetter: >
    ) { network -> Double? in
      left -= 1
      return left < 0 ? nil : value(network)
    }
    #expect(left == -1 && better.count <= 3 && !better.isEmpty)
    let none = refinement(16).run(from: [], summits: 5, trials: 100, isBetter: >) { value($0) }
    #expect(none.isEmpty)
  }
}
