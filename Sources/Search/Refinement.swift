import Foundation

/// Betters a network by its neighbours (spec S11).
///
/// A search decides its layers one by one, each for the mixture of the others; what suits the network that
/// came out may be another candidate here, or a trade of cost between two layers. Neighbours are the networks
/// within the limit with one changed layer, or with two of which one becomes cheaper and the other dearer. Those
/// that the search holds most probable are tried first, and the first that is better is the next to be bettered,
/// so most of them are never evaluated.
struct Refinement {
  private let prices: CostTable
  private let within: ClosedRange<Double>
  /// log P, [layer][candidate].
  private let scores: [[Double]]

  /// - Parameters:
  ///   - prices: of every candidate.
  ///   - within: costs that a neighbour may have.
  ///   - probabilities: of the same candidates; they order the trials.
  init(prices: CostTable, within: ClosedRange<Double>, probabilities: [[Double]]) {
    self.prices = prices
    self.within = within
    scores = probabilities.map { $0.map { log(max($0, .leastNormalMagnitude)) } }
  }

  /// The best network that is reached from `start`, whose own value is `value`.
  ///
  /// - Parameters:
  ///   - start: a network within the limit.
  ///   - value: what it is worth.
  ///   - trials: evaluations at most.
  ///   - seen: networks that were evaluated before and are not again; those of this call are added.
  ///   - isBetter: whether the first value is better than the second.
  ///   - evaluate: what a network is worth; nil ends the refinement.
  /// - Returns: the networks that were better, each than the one before, the best last; empty where none was.
  func run<Value>(
    from start: [Int],
    value: Value,
    trials: Int,
    seen: inout Set<[Int]>,
    isBetter: (Value, Value) -> Bool,
    evaluate: ([Int]) throws -> Value?
  ) rethrows -> [(network: [Int], value: Value)] {
    var best = (network: start, value: value)
    var steps: [(network: [Int], value: Value)] = []
    var left = trials
    search: while left > 0 {
      for network in neighbours(of: best.network) where seen.insert(network).inserted {
        guard left > 0 else { break search }
        left -= 1
        guard let value = try evaluate(network) else { break search }
        guard isBetter(value, best.value) else { continue }
        best = (network, value)
        steps.append(best)
        continue search
      }
      break
    }
    return steps
  }

  /// The neighbours of a network within the limit, the most probable first.
  func neighbours(of network: [Int]) -> [[Int]] {
    let cost = prices.cost(network)
    /// One changed layer.
    struct Change {
      var layer: Int
      var option: Int
      var cost: Double
      var score: Double
    }
    let changes = network.indices.flatMap { layer in
      let now = network[layer]
      return prices.layers[layer].indices.filter { $0 != now }.map { option in
        Change(
          layer: layer,
          option: option,
          cost: prices.layers[layer][option] - prices.layers[layer][now],
          score: scores[layer][option] - scores[layer][now]
        )
      }
    }
    var found: [(score: Double, changes: [Change])] = []
    for (index, change) in changes.enumerated() {
      if within.contains(cost + change.cost) { found.append((change.score, [change])) }
      for other in changes[(index + 1)...]
      where other.layer != change.layer && other.cost * change.cost < 0
        && within.contains(cost + change.cost + other.cost)
      {
        found.append((change.score + other.score, [change, other]))
      }
    }
    // Stable, so that equals stay in the order of the layers.
    return found.enumerated().sorted { ($0.1.score, $1.0) > ($1.1.score, $0.0) }.map { item in
      var neighbour = network
      for change in item.1.changes { neighbour[change.layer] = change.option }
      return neighbour
    }.filter { within.contains(prices.cost($0)) }
  }
}
