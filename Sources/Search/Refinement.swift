import Foundation

/// Betters a network by its neighbours (spec S11).
///
/// A search decides its layers one by one, each for the mixture of the others; what suits the network that
/// came out may be another candidate here, or a trade of cost between two layers. Neighbours are the networks
/// within the limit with one changed layer, or with two of which one becomes cheaper and the other dearer. Those
/// that the search holds most probable are tried first, and the first that is better is the next to be bettered,
/// so most of them are never evaluated. A network none of whose neighbours is better may still be no more
/// than a hilltop among others, so the next best ones are bettered too.
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

  /// A network and what it is worth.
  typealias Valued<Value> = (network: [Int], value: Value)

  /// The networks that are better than all of `pool`, in the order in which they were found.
  ///
  /// - Parameters:
  ///   - pool: networks within the limit with their values.
  ///   - summits: how many networks without a better neighbour are found before it ends.
  ///   - trials: evaluations at most.
  ///   - isBetter: whether the first value is better than the second.
  ///   - evaluate: what a network is worth; nil ends the refinement.
  func run<Value>(
    from pool: [Valued<Value>],
    summits: Int,
    trials: Int,
    isBetter: (Value, Value) -> Bool,
    evaluate: ([Int]) throws -> Value?
  ) rethrows -> [Valued<Value>] {
    var open = pool
    var seen = Set(pool.map(\.network))
    var better: [Valued<Value>] = []
    var record = pool.map(\.value).min { isBetter($0, $1) }
    var (summits, left) = (summits, trials)
    while summits > 0, let at = open.indices.min(by: { isBetter(open[$0].value, open[$1].value) }) {
      let now = open[at]
      var isSummit = true
      for network in neighbours(of: now.network) where !seen.contains(network) {
        guard left > 0, let value = try evaluate(network) else { return better }
        left -= 1
        seen.insert(network)
        open.append((network, value))
        if record.map({ isBetter(value, $0) }) ?? true {
          record = value
          better.append((network, value))
        }
        if isBetter(value, now.value) {
          isSummit = false
          break
        }
      }
      if isSummit {
        summits -= 1
        open.remove(at: at)
      }
    }
    return better
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
