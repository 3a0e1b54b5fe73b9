import Foundation
import Tensor
import Testing

@testable import Search

/// Networks that are bettered by their neighbours (spec S11).
struct RefinementTests {
  private let prices = AdditiveCost(
    layers: [[1, 3, 5], [0, 2, 7], [4, 4, 1], [2, 6, 3]],
    fixed: 3
  )
  private let probabilities = [
    [0.2, 0.5, 0.3], [0.1, 0.1, 0.8], [0.6, 0.3, 0.1], [0.25, 0.5, 0.25],
  ]

  private var all: [Architecture] { prices.everyArchitecture }

  private func refinement(_ limit: Double?) -> Refinement {
    Refinement(costModel: prices, within: CostLimit.within(limit), probabilities: probabilities)
  }

  /// Accuracies that no single layer explains.
  private func value(_ network: Architecture) -> Double {
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
    let within = CostLimit.within(limit)
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

  /// The networks that are evaluated from `start` on, in their order.
  private func evaluated(_ start: Architecture, limit: Double?, trials: Int = .max)
    -> [Architecture]
  {
    var evaluated: [Architecture] = []
    refinement(limit).run(from: [(start, value(start))], trials: trials) { network in
      evaluated.append(network)
      return value(network)
    }
    return evaluated
  }

  @Test(arguments: [13.0, 16, 21, 99])
  func `the optimum is found from the poorest start and nothing is evaluated twice`(
    limit: Double
  ) throws {
    let fitting = all.filter { CostLimit.within(limit).contains(prices.cost($0)) }
    let start = try #require(fitting.min { value($0) < value($1) })
    let best = try #require(fitting.max { value($0) < value($1) })
    let evaluated = evaluated(start, limit: limit)
    #expect(evaluated.contains(best))
    #expect(Set(evaluated).count == evaluated.count && !evaluated.contains(start))
    #expect(Set(evaluated).isSubset(of: fitting))
  }

  @Test func `where values add up a few trials find the optimum`() throws {
    let worth = [[3, 1, 0], [0, 5, 2], [1, 2, 7], [0, 4, 1.0]]
    func value(_ network: Architecture) -> Double {
      zip(worth, network).reduce(0) { $0 + $1.0[$1.1] }
    }
    for limit in [14.0, 18, 25] {
      let fitting = all.filter { CostLimit.within(limit).contains(prices.cost($0)) }
      let best = try #require(fitting.map(value).max())
      let start = try #require(fitting.min { value($0) < value($1) })
      var found = value(start)
      var trials = 0
      refinement(limit).run(from: [(start, found)], trials: 20) {
        trials += 1
        found = max(found, value($0))
        return value($0)
      }
      #expect(trials == 20 && found == best, "\(limit): \(found) of \(best)")
    }
  }

  @Test func `each evaluation is of a neighbour of the best with one left`() {
    let start: Architecture = [0, 0, 2, 0]
    var known = [start]
    for network in evaluated(start, limit: 16) {
      // The best that still has a neighbour that nobody has evaluated.
      let best = known.sorted { value($0) > value($1) }.first {
        refinement(16).neighbours(of: $0).contains { !known.contains($0) }
      }
      #expect(best.map { refinement(16).neighbours(of: $0).contains(network) } == true)
      known.append(network)
    }
    #expect(known.count > 10)
  }

  @Test func `trials end it, and so does an evaluation that was stopped`() {
    let whole = evaluated([0, 0, 2, 0], limit: 16)
    for trials in [0, 1, 5, 12] {
      let part = evaluated([0, 0, 2, 0], limit: 16, trials: trials)
      #expect(part == Array(whole.prefix(trials)))
    }
    var left = 3
    refinement(16).run(from: [([0, 0, 2, 0], -99)], trials: 100) { network in
      left -= 1
      return left < 0 ? nil : value(network)
    }
    #expect(left == -1)
    refinement(16).run(from: [], trials: 100) { network in
      Issue.record("\(network) comes of nothing")
      return 0
    }
  }

  @Test func `of neighbours that nothing tells apart the most probable is first`() {
    var first: Architecture?
    refinement(16).run(from: [([0, 0, 2, 0], 1)], trials: 1) { network in
      first = network
      return 1
    }
    #expect(first == refinement(16).neighbours(of: [0, 0, 2, 0]).first)
  }
}
