import Foundation

/// Betters networks by their neighbours (spec S11).
///
/// A search decides its layers one by one, each for the mixture of the others; what suits the
/// network that came out may be another candidate here, or a trade of cost between two layers.
/// Neighbours are the networks within the limit with one changed layer, or with two of which one
/// becomes cheaper and the other more expensive.
///
/// There are far more of them than evaluations. So a sum of what the candidates seem to be worth is
/// fitted to all networks evaluated so far, and the best network's most promising neighbour is
/// next; where the fit knows no difference, the one that the search holds most probable.
struct Refinement {
  private let costModel: any CostModel
  private let within: ClosedRange<Double>
  /// log P, [layer][candidate].
  private let scores: [[Double]]
  private let probabilities: [[Double]]

  /// - Parameters:
  ///   - costModel: says which neighbours there are.
  ///   - within: costs that a neighbour may have.
  ///   - probabilities: of the candidates, [layer][candidate]; they order the trials.
  init(
    costModel: any CostModel,
    within: ClosedRange<Double>,
    probabilities: [[Double]]
  ) {
    self.costModel = costModel
    self.within = within
    self.probabilities = probabilities
    scores = probabilities.map { $0.map { log(max($0, .leastNormalMagnitude)) } }
  }

  /// Evaluates neighbours of the best network so far, again and again.
  ///
  /// - Parameters:
  ///   - pool: networks within the limit and what they are worth, more being better.
  ///   - trials: evaluations at most.
  ///   - evaluate: what a network is worth; nil ends the refinement.
  func run(
    from pool: [(network: Architecture, value: Double)],
    trials: Int,
    evaluate: (Architecture) throws -> Double?
  ) rethrows {
    var known = pool
    var seen = Set(pool.map(\.network))
    // Networks that may have neighbours left.
    var open = Array(pool.indices)
    var left = trials
    while left > 0, let at = open.max(by: { known[$0].value < known[$1].value }) {
      let fresh = neighbours(of: known[at].network).filter { !seen.contains($0) }
      guard let next = mostPromising(fresh, known) else {
        open.removeAll { $0 == at }
        continue
      }
      guard let value = try evaluate(next) else { return }
      left -= 1
      seen.insert(next)
      open.append(known.count)
      known.append((next, value))
    }
  }

  /// The neighbour of the highest fitted value, the first of equals; nil of none.
  private func mostPromising(
    _ networks: [Architecture],
    _ known: [(network: Architecture, value: Double)]
  ) -> Architecture? {
    let worth = AdditiveFit(
      architectures: known.map(\.network),
      costs: known.map(\.value),
      sizes: scores.map(\.count)
    )
    let fitted = networks.map(worth.value)
    // `max` keeps the first of equals.
    return networks.indices.max { fitted[$0] < fitted[$1] }.map { networks[$0] }
  }

  /// The neighbours of a network within the limit, the most probable first.
  func neighbours(of network: Architecture) -> [Architecture] {
    let cost = costModel.cost(network)
    /// One changed layer.
    struct Change {
      var layer: Int
      var option: Int
      var cost: Double
      var score: Double
    }
    let changes = network.indices.flatMap { layer in
      let now = network[layer]
      // What has no probability at all was taken out of the search.
      let others = scores[layer].indices.filter { $0 != now && probabilities[layer][$0] > 0 }
      return others.map { option in
        Change(
          layer: layer,
          option: option,
          cost: costModel.change(of: network, at: layer, to: option),
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
    }.filter { within.contains(costModel.cost($0)) }
  }
}
