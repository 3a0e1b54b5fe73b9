import Foundation
import Tensor

/// Draws architectures on condition that their cost lies in a range: each as likely as any other of them
/// (spec S12), or as given probabilities have it (S11).
///
/// Throwing away what does not fit would need too many draws where few fit. So costs are rounded to
/// steps, and what is drawn layer by layer are those that end within the range or a rounding error
/// beside it; of these the few outside are thrown away, and what is left has the wanted distribution exactly.
struct RandomNetworks {
  private let prices: CostTable
  private let range: ClosedRange<Double>
  /// Of each candidate, before the condition.
  private let probabilities: [[Double]]
  /// Steps of each candidate's price.
  private let steps: [[Int]]
  /// How probable the continuations from a layer on that end in the range are, by the steps spent before
  /// it; in units of the largest of the layer, which drop out of a draw and would vanish otherwise.
  private let shares: [[Double]]

  private static let resolution = 4000.0
  /// Draws after which a range counts as empty.
  private static let tries = 1000

  /// Networks that cost what `range` says, by `prices`; `probabilities` [layer][candidate] are of
  /// independent choices, nil for even ones.
  init(
    prices: CostTable,
    probabilities: [[Double]]? = nil,
    within range: ClosedRange<Double>
  ) {
    self.prices = prices
    self.range = range
    self.probabilities =
      probabilities
      ?? prices.layers.map { [Double](repeating: 1 / Double($0.count), count: $0.count) }
    // No network costs more than the dearest.
    let most = min(range.upperBound, prices.range.upperBound)
    let unit = max((most - prices.fixed) / Self.resolution, .leastNormalMagnitude)
    steps = prices.layers.map { $0.map { max(0, Int(min($0 / unit, 1e6).rounded())) } }
    // Each layer's rounding may be half a step off.
    let error = steps.count / 2 + 1
    let highest = Int(Self.resolution) + error
    let least = max((range.lowerBound - prices.fixed) / unit, -1)
    let lowest = Int(min(least, 1e6).rounded(.down)) - error
    var shares = [(0...highest).map { $0 >= lowest ? 1.0 : 0 }]
    for (layer, probabilities) in zip(steps, self.probabilities).reversed() {
      let later = shares[shares.count - 1]
      let sums = later.indices.map { spent in
        zip(layer, probabilities).reduce(0) {
          $0 + (spent + $1.0 <= highest ? $1.1 * later[spent + $1.0] : 0)
        }
      }
      let largest = sums.max() ?? 0
      shares.append(largest > 0 ? sums.map { $0 / largest } : sums)
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

  /// Up to `count` different networks, none of them in `seen`; the same for a seed and a `step` that tells
  /// purposes apart.
  ///
  /// A range may hold fewer than were asked for, and a settled search draws the same one over and over:
  /// after 20 draws for each wanted it is given up.
  func different(
    _ count: Int,
    seed: UInt64,
    step: UInt64 = 0,
    except seen: Set<[Int]> = []
  ) -> [[Int]] {
    var networks: [[Int]] = []
    var seen = seen
    for index in 0..<UInt32(clamping: 20 * count) where networks.count < count {
      var random = Philox(seed: seed, purpose: .sampling, step: step, index: index)
      guard let network = draw(&random) else { break }
      if seen.insert(network).inserted { networks.append(network) }
    }
    return networks
  }

  private func candidate(_ random: inout Philox) -> [Int] {
    var spent = 0
    return steps.enumerated().map { layer, steps in
      let later = shares[layer + 1]
      let weights = zip(steps, probabilities[layer]).map {
        spent + $0 < later.count ? $1 * later[spent + $0] : 0
      }
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
