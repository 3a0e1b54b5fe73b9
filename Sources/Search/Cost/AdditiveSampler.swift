import Foundation
import Tensor

/// Samples architectures on condition that their cost lies in a range: each as probable as
/// any other of them (spec S12), or with given probabilities (S11).
///
/// Rejection sampling alone is hopeless where few architectures fit. So costs are quantised to
/// steps, and layers are sampled one by one along paths that can still end in the range, up to
/// rounding; the few that end outside are rejected, which leaves exactly the wanted distribution.
struct AdditiveSampler {
  private let prices: AdditiveCost
  private let range: ClosedRange<Double>
  /// log P of each candidate, before the condition.
  private let logProbabilities: [[Double]]
  /// Steps of each candidate's price.
  private let steps: [[Int]]
  /// log P of the continuations from a layer on that end in the range, by the steps spent before
  /// it; as logarithms, because a settled search has some that would vanish and are the only ones
  /// within a limit.
  private let shares: [[Double]]

  private static let resolution = 4000.0
  /// Samples after which a range counts as empty.
  private static let tries = 1000

  /// Networks that cost what `range` says, by `prices`.
  ///
  /// - Parameters:
  ///   - prices: of every candidate.
  ///   - probabilities: [layer][candidate], of independent choices; nil for even ones.
  ///   - range: the lowest and the highest cost.
  init(
    prices: AdditiveCost,
    probabilities: [[Double]]? = nil,
    within range: ClosedRange<Double>
  ) {
    self.prices = prices
    self.range = range
    logProbabilities =
      probabilities?.map { $0.map { log($0) } }
      ?? prices.layers.map { [Double](repeating: -log(Double($0.count)), count: $0.count) }
    // No network costs more than the most expensive.
    let most = min(range.upperBound, prices.range.upperBound)
    let unit = max((most - prices.fixed) / Self.resolution, .leastNormalMagnitude)
    steps = prices.layers.map { $0.map { max(0, Int(min($0 / unit, 1e6).rounded())) } }
    // Each layer's rounding may be half a step off.
    let error = steps.count / 2 + 1
    let highest = Int(Self.resolution) + error
    let least = max((range.lowerBound - prices.fixed) / unit, -1)
    let lowest = Int(min(least, 1e6).rounded(.down)) - error
    var shares = [(0...highest).map { $0 >= lowest ? 0 : -Double.infinity }]
    for (layer, logProbabilities) in zip(steps, logProbabilities).reversed() {
      let later = shares[shares.count - 1]
      shares.append(
        later.indices.map { logSum(Self.weights(layer, logProbabilities, later, spent: $0)) }
      )
    }
    self.shares = shares.reversed()
  }

  /// A network sampled by `random`; nil where none is in the range.
  func sample(_ random: inout Philox) -> Architecture? {
    guard shares[0][0] > -.infinity else { return nil }
    for _ in 0..<Self.tries {
      let network = candidate(&random)
      if range.contains(prices.cost(network)) { return network }
    }
    return nil
  }

  /// Up to `count` different networks, none of them in `seen`; the same for a seed and a `stream`
  /// that tells purposes apart.
  ///
  /// A range may hold fewer than were asked for, and a settled search samples the same one over and
  /// over: after 20 samples for each wanted it is given up.
  func different(
    _ count: Int,
    seed: UInt64,
    stream: UInt64 = 0,
    except seen: Set<Architecture> = []
  ) -> [Architecture] {
    var networks: [Architecture] = []
    var seen = seen
    for index in 0..<UInt32(clamping: 20 * count) where networks.count < count {
      var random = Philox(seed: seed, purpose: .sampling, step: stream, index: index)
      guard let network = sample(&random) else { break }
      if seen.insert(network).inserted { networks.append(network) }
    }
    return networks
  }

  private func candidate(_ random: inout Philox) -> Architecture {
    var spent = 0
    let options = steps.enumerated().map { layer, steps in
      let weights = softmax(
        Self.weights(steps, logProbabilities[layer], shares[layer + 1], spent: spent)
      )
      var left = Double(random.uniform())
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
    return Architecture(options)
  }

  /// log P of each candidate of a layer together with all that may follow it.
  private static func weights(
    _ steps: [Int],
    _ logProbabilities: [Double],
    _ later: [Double],
    spent: Int
  ) -> [Double] {
    steps.indices.map {
      let place = spent + steps[$0]
      return place < later.count ? logProbabilities[$0] + later[place] : -.infinity
    }
  }
}

extension AdditiveCost {
  /// The very distribution of the samples that happen to fit, without the others
  /// (`AdditiveSampler`).
  package func samples(
    _ count: Int,
    of probabilities: [[Double]]?,
    within: ClosedRange<Double>,
    seed: UInt64,
    stream: UInt64,
    except seen: Set<Architecture>
  ) -> [Architecture] {
    AdditiveSampler(prices: self, probabilities: probabilities, within: within)
      .different(count, seed: seed, stream: stream, except: seen)
  }
}

/// log Σ exp(xᵢ); −∞ of nothing.
private func logSum(_ values: [Double]) -> Double {
  guard let top = values.max(), top > -.infinity else { return -.infinity }
  return top + log(values.reduce(0) { $0 + exp($1 - top) })
}
