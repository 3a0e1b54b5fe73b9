import Foundation
import Tensor

/// Draws architectures at random, each as likely as any other whose cost lies in a range (spec S12).
///
/// Throwing away what does not fit would need too many draws where few fit. So costs are rounded to
/// steps, and what is drawn layer by layer are those that end within the range or a rounding error
/// beside it; of these few are thrown away.
struct RandomNetworks {
  private let prices: CostTable
  private let range: ClosedRange<Double>
  /// Steps of each candidate's price.
  private let steps: [[Int]]
  /// Share of the continuations from a layer on that end in the range, by the steps spent before it.
  private let shares: [[Double]]

  private static let resolution = 4000.0
  /// Draws after which a range counts as empty.
  private static let tries = 1000

  /// Networks that cost what `range` says, by `prices`.
  init(prices: CostTable, within range: ClosedRange<Double>) {
    self.prices = prices
    self.range = range
    let unit = max((range.upperBound - prices.fixed) / Self.resolution, .leastNormalMagnitude)
    steps = prices.layers.map { $0.map { max(0, Int(min($0 / unit, 1e6).rounded())) } }
    // Each layer's rounding may be half a step off.
    let error = steps.count / 2 + 1
    let highest = Int(Self.resolution) + error
    let lowest = Int(((range.lowerBound - prices.fixed) / unit).rounded(.down)) - error
    var shares = [(0...highest).map { $0 >= lowest ? 1.0 : 0 }]
    for layer in steps.reversed() {
      let later = shares[shares.count - 1]
      shares.append(
        later.indices.map { spent in
          layer.reduce(0) { $0 + (spent + $1 <= highest ? later[spent + $1] : 0) }
            / Double(layer.count)
        }
      )
    }
    self.shares = shares.reversed()
  }

  /// A network drawn by `random`; nil where none is in the range.
  func draw(_ random: inout Philox) -> [Int]? {
    guard shares[0][0] > 0 else { return nil }
    for _ in 0..<Self.tries {
      let network = candidate(&random)
      if range.contains(prices.cost(network)) { return network }
    }
    return nil
  }

  private func candidate(_ random: inout Philox) -> [Int] {
    var spent = 0
    return steps.enumerated().map { layer, steps in
      let later = shares[layer + 1]
      let weights = steps.map { spent + $0 < later.count ? later[spent + $0] : 0 }
      var left = Double(random.uniform()) * weights.reduce(0, +)
      var choice = weights.lastIndex { $0 > 0 } ?? 0
      for (index, weight) in weights.enumerated() where weight > 0 {
        left -= weight
        if left < 0 {
          choice = index
          break
        }
      }
      spent += steps[choice]
      return choice
    }
  }
}
