import Foundation
import Tensor
import Testing

@testable import Search

/// Neighbours of networks, and the way through them (spec S11).
struct RefinementTests {
  private static let prices = CostTable(
    layers: [[0, 2, 5, 7], [1, 1, 4, 6], [0, 3, 3, 8], [2, 4, 5, 9]],
    fixed: 1
  )
  private static let probabilities: [[Double]] = (0..<4).map { (layer: Int) -> [Double] in
    let logits: [Double] = (0..<4).map { (option: Int) -> Double in
      let remainder = (option * 7 + layer * 3) % 5
      return Double(remainder) / 2
    }
    return softmax(logits)
  }

  private var all: [[Int]] {
    Self.prices.layers.reduce([[]]) { starts, layer in
      starts.flatMap { start in layer.indices.map { start + [$0] } }
    }
  }

  private func refinement(_ limit: Double?) -> Refinement {
    Refinement(
      prices: Self.prices,
      within: CostTable.within(limit),
      probabilities: Self.probabilities
    )
  }

  @Test(arguments: [nil, 12, 18])
  func `neighbours change one layer or trade between two`(limit: Double?) {
    let within = CostTable.within(limit)
    for network in all where within.contains(Self.prices.cost(network)) {
      let expected = all.filter { other in
        let changed = network.indices.filter { network[$0] != other[$0] }
        let differences = changed.map {
          Self.prices.layers[$0][other[$0]] - Self.prices.layers[$0][network[$0]]
        }
        return within.contains(Self.prices.cost(other))
          && (changed.count == 1
            || changed.count == 2 && differences[0] * differences[1] < 0)
      }
      let found = refinement(limit).neighbours(of: network)
      #expect(found.count == expected.count && Set(found) == Set(expected), "\(network)")
      let scores = found.map { zip(Self.probabilities, $0).reduce(0) { $0 + log($1.0[$1.1]) } }
      #expect(zip(scores, scores.dropFirst()).allSatisfy { $0 >= $1 - 1e-9 })
    }
  }

  /// What a network is worth: a sum and a little that is none.
  private func worth(_ network: [Int]) -> Double {
    var random = Philox(
      seed: 12,
      purpose: .test,
      index: network.reduce(0) { $0 * 4 + UInt32($1) }
    )
    let sum = network.enumerated().reduce(0.0) {
      $0 + sin(Double(5 * $1.offset + 3 * $1.element) + 1)
    }
    return sum + 0.02 * Double(random.normal())
  }

  @Test(arguments: [nil, 12, 18])
  func `the best is found from the worst in a fraction of the space`(limit: Double?) throws {
    let fitting = all.filter { CostTable.within(limit).contains(Self.prices.cost($0)) }
    let best = try #require(fitting.max { worth($0) < worth($1) })
    let worst = try #require(fitting.min { worth($0) < worth($1) })
    var evaluated: [[Int]] = []
    let trials = 48
    refinement(limit).run(from: [(worst, worth(worst))], trials: trials) {
      evaluated.append($0)
      return worth($0)
    }
    #expect(evaluated.count <= trials && evaluated.count < fitting.count)
    #expect(Set(evaluated).count == evaluated.count && !evaluated.contains(worst))
    #expect(Set(evaluated).isSubset(of: Set(fitting)))
    #expect(evaluated.contains(best))
  }

  @Test func `trials, an end and a small space are kept to`() {
    let start = [0, 0, 0, 0]
    for trials in [0, 1, 5] {
      var count = 0
      refinement(nil).run(from: [(start, 0)], trials: trials) { _ in
        count += 1
        return 0
      }
      #expect(count == trials)
    }
    var count = 0
    refinement(nil).run(from: [(start, 0)], trials: 9) { _ in
      count += 1
      return count < 3 ? 1 : nil
    }
    #expect(count == 3)
    refinement(nil).run(from: [], trials: 9) { _ in
      Issue.record("nothing to start from")
      return nil
    }
    // Everything within reach, once each.
    var seen: [[Int]] = []
    refinement(6).run(from: [(start, 0)], trials: 1000) {
      seen.append($0)
      return -Double(seen.count)
    }
    let fitting = all.filter { Self.prices.cost($0) <= 6 }
    #expect(seen.count == fitting.count - 1)
    #expect(Set(seen + [start]) == Set(fitting))
  }
}
