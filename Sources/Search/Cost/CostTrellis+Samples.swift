import Foundation
import Runs
import Tensor

/// Samples architectures on condition that their cost lies in a range: each as likely as any other
/// of them (spec S12), or as given probabilities have it (S11).
///
/// Throwing away what does not fit would need too many samples where few fit. So costs are rounded
/// to units, and what is sampled step by step are those that end within the range or a rounding
/// error beside it; of these the few outside are thrown away, and what is left has the wanted
/// distribution exactly.
struct TrellisSampler {
  private let trellis: CostTrellis
  private let range: ClosedRange<Double>
  private let probabilities: [[Double]]
  /// Edges of each step by the state that they leave: [step][state].
  private let edges: [[[CostTrellis.Edge]]]
  /// What sampling needs of each edge: [step][state][edge].
  private let weighed: [[[Weighed]]]
  /// The share of the continuations that fit, as log P.
  ///
  /// log P of the continuations from a step on that end in the range, by the units spent before it:
  /// [step][state][units]. As logarithms, because a settled search has some that would vanish and
  /// are the only ones within a limit.
  private let shares: [[[Double]]]

  /// An edge by its numbers.
  private struct Weighed {
    /// State behind.
    let to: Int
    /// Units that it costs.
    let units: Int
    /// log P, before the condition.
    let logProbability: Double
  }

  /// Units of the whole range; fewer where each state has a table of its own.
  private static let resolution = 4000.0
  private static let coarseResolution = 1000.0
  /// Samples after which a range counts as empty.
  private static let tries = 1000

  /// Networks that cost what `range` says.
  ///
  /// - Parameters:
  ///   - trellis: the networks.
  ///   - probabilities: [choice][option], of independent choices.
  ///   - range: the lowest and the highest cost.
  init(_ trellis: CostTrellis, probabilities: [[Double]], within range: ClosedRange<Double>) {
    self.trellis = trellis
    self.range = range
    self.probabilities = probabilities
    edges = zip(trellis.steps, trellis.states).map { edges, states in
      var grouped = [[CostTrellis.Edge]](repeating: [], count: states)
      for edge in edges { grouped[edge.from].append(edge) }
      return grouped
    }
    let resolution =
      trellis.states.contains { $0 > 1 } ? Self.coarseResolution : Self.resolution
    // No network costs more than the most expensive.
    let most = min(range.upperBound, trellis.range.upperBound)
    let unit = max((most - trellis.fixed) / resolution, .leastNormalMagnitude)
    let logs = probabilities.map { $0.map { log($0) } }
    let weighed = edges.map {
      $0.map {
        $0.map { edge in
          Weighed(
            to: edge.to,
            units: max(0, Int(min(edge.cost / unit, 1e6).rounded())),
            logProbability: edge.options.reduce(0) { $0 + logs[$1.choice][$1.option] }
          )
        }
      }
    }
    self.weighed = weighed
    // Each step's rounding may be half a unit off.
    let error = edges.count / 2 + 1
    let highest = Int(resolution) + error
    let least = max((range.lowerBound - trellis.fixed) / unit, -1)
    let lowest = Int(min(least, 1e6).rounded(.down)) - error
    let end = (0...highest).map { $0 >= lowest ? 0 : -Double.infinity }
    var shares = [[[Double]](repeating: end, count: trellis.states[edges.count])]
    for states in weighed.reversed() {
      let later = shares[shares.count - 1]
      shares.append(
        states.map { edges in
          (0...highest).map { logSum(Self.weights(edges, later, spent: $0)) }
        }
      )
    }
    self.shares = shares.reversed()
  }

  /// A network sampled by `random`; nil where none is in the range.
  func sample(_ random: inout Philox) -> Architecture? {
    guard shares[0][0][0] > -.infinity else { return nil }
    for _ in 0..<Self.tries {
      let sampled = candidate(&random)
      if range.contains(sampled.cost) { return sampled.network }
    }
    return nil
  }

  private func candidate(_ random: inout Philox) -> (network: Architecture, cost: Double) {
    var network = Architecture([Int](repeating: 0, count: trellis.choices))
    var spent = 0
    var state = 0
    var cost = trellis.fixed
    for step in edges.indices {
      let weights = softmax(Self.weights(weighed[step][state], shares[step + 1], spent: spent))
      let index = Self.choose(weights, &random)
      let edge = edges[step][state][index]
      for option in edge.options { network[option.choice] = option.option }
      for choice in edge.free { network[choice] = Self.choose(probabilities[choice], &random) }
      spent += weighed[step][state][index].units
      cost += edge.cost
      state = edge.to
    }
    return (network, cost)
  }

  /// An index with its weight as the probability.
  private static func choose(_ weights: [Double], _ random: inout Philox) -> Int {
    var left = Double(random.uniform())
    for (index, weight) in weights.enumerated() where weight > 0 {
      left -= weight
      if left < 0 { return index }
    }
    return weights.lastIndex { $0 > 0 } ?? 0
  }

  /// log P of each edge of a state together with all that may follow it.
  private static func weights(
    _ edges: [Weighed],
    _ later: [[Double]],
    spent: Int
  ) -> [Double] {
    edges.map { edge in
      let place = spent + edge.units
      let following = later[edge.to]
      return place < following.count ? edge.logProbability + following[place] : -.infinity
    }
  }
}

extension CostTrellis {
  /// Up to `count` different networks, none of them in `seen`; the same for a seed and a `stream`
  /// that tells purposes apart.
  ///
  /// The very distribution of the samples that happen to fit, without the others
  /// (`TrellisSampler`). A range may hold fewer than were asked for, and a settled search samples
  /// the same one over and over: after 20 samples for each wanted it is given up.
  ///
  /// - Parameters:
  ///   - count: wanted.
  ///   - probabilities: [choice][option], of independent choices.
  ///   - range: the lowest and the highest cost.
  ///   - seed: names the random numbers, together with `stream`.
  ///   - stream: tells purposes apart.
  ///   - seen: networks that do not count.
  ///   - canonical: gives equal architectures for equal networks.
  /// - Returns: networks, none twice.
  func samples(
    _ count: Int,
    of probabilities: [[Double]],
    within range: ClosedRange<Double>,
    seed: UInt64,
    stream: UInt64,
    except seen: Set<Architecture>,
    canonical: (Architecture) -> Architecture = { $0 }
  ) -> [Architecture] {
    let sampler = TrellisSampler(self, probabilities: probabilities, within: range)
    var networks: [Architecture] = []
    var seen = Set(seen.map(canonical))
    for index in 0..<UInt32(clamping: 20 * count) where networks.count < count {
      var random = Philox(seed: seed, purpose: .sampling, step: stream, index: index)
      guard let network = sampler.sample(&random) else { break }
      if seen.insert(canonical(network)).inserted { networks.append(network) }
    }
    return networks
  }
}

/// log Σ exp(xᵢ); −∞ of nothing.
private func logSum(_ values: [Double]) -> Double {
  guard let top = values.max(), top > -.infinity else { return -.infinity }
  return top + log(values.reduce(0) { $0 + exp($1 - top) })
}
