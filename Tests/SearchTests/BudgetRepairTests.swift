import Foundation
import Search
import Tensor
import Testing

struct BudgetRepairTests {
  private func score(_ logProbabilities: [[Double]], _ architecture: Architecture) -> Double {
    zip(logProbabilities, architecture).reduce(0) { $0 + $1.0[$1.1] }
  }

  /// Random log-probabilities and prices; `whole` makes the prices integers.
  private func space(_ index: UInt32, whole: Bool) -> ([[Double]], AdditiveCost) {
    var random = Philox(seed: 1, purpose: .test, index: index)
    let layers = 2 + random.below(5)
    var scores: [[Double]] = []
    var prices: [[Double]] = []
    for _ in 0..<layers {
      let candidates = 2 + random.below(3)
      scores.append((0..<candidates).map { _ in Double(3 * random.normal()) })
      prices.append(
        (0..<candidates).map { _ in
          whole ? Double(random.below(400)) : Double(random.uniform())
        }
      )
    }
    return (scores, AdditiveCost(layers: prices, fixed: whole ? 7 : 0.25))
  }

  /// Bounds that cut the space in several places, some of them empty.
  private func bounds(_ prices: AdditiveCost) -> [ClosedRange<Double>] {
    let range = prices.range
    let span = range.upperBound - range.lowerBound
    let at = { range.lowerBound + $0 * span }
    return [
      0...at(-0.01), 0...at(0), 0...at(0.1), 0...at(0.3), 0...at(0.5), 0...at(0.8), 0...at(1),
      at(0.2)...at(0.3), at(0.6)...at(0.7), at(0.9)...at(2), at(0.5)...at(0.501), at(1)...at(1),
    ]
  }

  @Test func `the most probable of all that fit is found where sums have bins of their own`() {
    var repaired = 0
    var empty = 0
    for index in 0..<60 {
      let (scores, prices) = space(UInt32(index), whole: true)
      let all = prices.everyArchitecture
      for within in bounds(prices) {
        let fitting = all.filter { within.contains(prices.cost($0)) }
        let found = prices.mostProbable(scores, within: within)
        guard let best = fitting.map({ score(scores, $0) }).max() else {
          #expect(found == nil)
          empty += 1
          continue
        }
        guard let found else {
          Issue.record("space \(index): nothing found within \(within)")
          continue
        }
        #expect(within.contains(prices.cost(found)))
        #expect(abs(score(scores, found) - best) < 1e-9, "space \(index), \(within)")
        if !within.contains(prices.cost(all.max { score(scores, $0) < score(scores, $1) } ?? [])) {
          repaired += 1
        }
      }
    }
    #expect(repaired > 200 && empty > 50)
  }

  @Test
  func `with any prices the limit holds and nothing inside it by a bin a layer is more probable`() {
    for index in 100..<160 {
      let (scores, prices) = space(UInt32(index), whole: false)
      let all = prices.everyArchitecture
      let range = prices.range
      let margin =
        Double(prices.layers.count) * (range.upperBound - range.lowerBound) / Double(1 << 14)
      for within in bounds(prices) {
        let found = prices.mostProbable(scores, within: within)
        if let found { #expect(within.contains(prices.cost(found))) }
        let safe = all.filter {
          within.lowerBound + margin <= prices.cost($0)
            && prices.cost($0) <= within.upperBound - margin
        }
        guard let best = safe.map({ score(scores, $0) }).max() else { continue }
        #expect(found.map { score(scores, $0) >= best - 1e-9 } == true, "space \(index), \(within)")
      }
    }
  }

  @Test func `the argmax stays where it fits and a banned candidate is never taken`() {
    let scores = [[0, -1, -5], [-2, 0, -3.0]]
    let prices = AdditiveCost(layers: [[5, 2, 1], [1, 6, 3]], fixed: 10)
    func mostProbable(_ scores: [[Double]], _ limit: Double) -> Architecture? {
      prices.mostProbable(scores, within: 0...limit)
    }
    #expect(mostProbable(scores, 21) == [0, 1])
    #expect(mostProbable(scores, 20) == [1, 1])
    #expect(mostProbable(scores, 17) == [0, 0])
    #expect(mostProbable(scores, 12) == [2, 0])
    #expect(mostProbable(scores, 11.9) == nil)
    let banned = [[-Double.infinity, -1, -5], [-2, 0, -3.0]]
    #expect(mostProbable(banned, 17) == [1, 0])
    #expect(mostProbable([[-.infinity, -.infinity, -.infinity], [0, 0, 0]], 30) == nil)
  }

  @Test func `the deepest preset's space is repaired to within a thousandth of the limit`() {
    var random = Philox(seed: 4, purpose: .test)
    let prices = AdditiveCost(
      layers: (0..<22).map { _ in (0..<9).map { Double($0) * 4e6 * Double(random.uniform()) } },
      fixed: 3e7
    )
    // The more expensive the more probable, so a good answer leaves nothing of the budget.
    let scores = prices.layers.map { $0.map { $0 / 1e6 } }
    let limit = 0.5 * (prices.range.lowerBound + prices.range.upperBound)
    let found = prices.mostProbable(scores, within: 0...limit)
    let cost = found.map(prices.cost) ?? 0
    #expect(cost <= limit && cost > 0.999 * limit)
  }
}
