extension CostTrellis {
  /// Bins into which the span of useful costs of a state is cut.
  private static let bins = 1 << 14
  /// The same where there are many states.
  private static let fewestBins = 1 << 11

  /// A way's first steps.
  private struct Start {
    var score: Double
    var cost: Double
    /// Place of the start that is one step shorter, and the edge that was added to it.
    var parent: Int32
    var edge: Int32
  }

  /// Brings an architecture within a budget by the least harmful changes (spec S11): a search holds
  /// the *expected* cost, and the network that it names may lie elsewhere.
  ///
  /// The argmax where that already fits. Else dynamic programming over the cost: step by step, each
  /// bin of each state keeps its most probable start with its true cost, so the answer's cost is
  /// never rounded and never outside. Starts that share a bin differ by less than a bin, so no
  /// architecture that lies within the bounds by L bins (L steps; a bin is 1/16384 of the span of
  /// costs, or more where there are many states) is more probable than the answer; where sums fall
  /// into bins of their own the answer is exact. O(edges × bins).
  ///
  /// - Parameters:
  ///   - scores: [choice][option]; they add up, and −∞ bans an option.
  ///   - within: the lowest and the highest cost.
  /// - Returns: the architecture; nil where nothing fits.
  func mostProbable(
    _ scores: [[Double]],
    within: ClosedRange<Double>
  ) -> Architecture? {
    let allowed = steps.map { edges in edges.filter { score(of: $0, scores) > -.infinity } }
    let bounds = bounds(allowed)
    guard bounds[0][0].least <= bounds[0][0].most else { return nil }
    let argmax = Architecture(
      scores.map { row in row.indices.max { row[$0] < row[$1] } ?? 0 }
    )
    if let cost = cost(of: argmax), within.contains(cost) { return argmax }
    let range = fixed + bounds[0][0].least...fixed + bounds[0][0].most
    guard within.overlaps(range) else { return nil }
    // Sums in another order may differ by a rounding: nothing is dropped before the end for that.
    let slack = 1e-9 * max(abs(range.lowerBound), abs(range.upperBound))
    let low = max(within.lowerBound, range.lowerBound) - slack
    let high = min(within.upperBound, range.upperBound) + slack

    let bins = max(Self.fewestBins, Self.bins / (states.max() ?? 1))
    var starts = [[Start(score: 0, cost: fixed, parent: 0, edge: 0)]]
    var places = [0..<1]
    for (step, edges) in allowed.enumerated() {
      let next = longer(
        starts[step],
        places,
        edges: edges,
        scores: edges.map { score(of: $0, scores) },
        spans: bounds[step + 1].map {
          ($0.most > -.infinity ? low - $0.most : low, high - $0.least)
        },
        slack: slack,
        bins: bins
      )
      starts.append(next.starts)
      places = next.places
    }
    let ends = starts[starts.count - 1]
    let order = ends.indices.sorted { (ends[$0].score, $1) > (ends[$1].score, $0) }
    for end in order where within.contains(ends[end].cost) {
      return architecture(end, starts, allowed, scores)
    }
    // Bins could crowd out the only ones that fit: the cheapest and the most expensive are always
    // tried.
    return [true, false].lazy.map { extreme(cheapest: $0, allowed, bounds) }
      .first { within.contains($0.cost) }
      .map { architecture(of: $0.way, scores) }
  }

  /// The starts that are one step longer, those of each state together.
  private func longer(
    _ starts: [Start],
    _ places: [Range<Int>],
    edges: [Edge],
    scores: [Double],
    spans: [(floor: Double, ceiling: Double)],
    slack: Double,
    bins: Int
  ) -> (starts: [Start], places: [Range<Int>]) {
    let byState = Dictionary(grouping: edges.indices) { edges[$0].to }
    let costs = edges.map(\.cost)
    var next: [Start] = []
    var ranges: [Range<Int>] = []
    for (state, span) in spans.enumerated() {
      let first = next.count
      // Costs from which the bounds can still be reached.
      let width = max(span.ceiling - span.floor, slack) / Double(bins)
      // Where a bin's start stands in `next`.
      var slots = [Int32](repeating: -1, count: bins)
      let arriving = byState[state] ?? []
      for (from, group) in Self.grouped(arriving, by: { edges[$0].from }) {
        for parent in places[from] {
          let start = starts[parent]
          for index in group {
            let cost = start.cost + costs[index]
            guard cost >= span.floor, cost <= span.ceiling else { continue }
            let longer = Start(
              score: start.score + scores[index],
              cost: cost,
              parent: Int32(parent),
              edge: Int32(index)
            )
            let bin = min(Int((cost - span.floor) / width), bins - 1)
            let slot = Int(slots[bin])
            if slot < 0 {
              slots[bin] = Int32(next.count)
              next.append(longer)
            } else if (next[slot].score, -next[slot].cost) < (longer.score, -longer.cost) {
              next[slot] = longer
            }
          }
        }
      }
      ranges.append(first..<next.count)
    }
    return (next, ranges)
  }

  /// The items in groups of one key, the groups by key and each in its order.
  private static func grouped(
    _ items: [Int],
    by key: (Int) -> Int
  ) -> [(key: Int, items: [Int])] {
    Dictionary(grouping: items, by: key).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// The most probable options of an edge: its own, and the best of what it leaves free.
  private func score(of edge: Edge, _ scores: [[Double]]) -> Double {
    edge.options.reduce(0) { $0 + scores[$1.choice][$1.option] }
      + edge.free.reduce(0) { $0 + (scores[$1].max() ?? 0) }
  }

  /// What an architecture costs: the sum along its way; nil where there is no such way.
  func cost(of architecture: Architecture) -> Double? {
    var state = 0
    var cost = fixed
    for edges in steps {
      guard
        let edge = edges.first(where: { edge in
          edge.from == state && edge.options.allSatisfy { architecture[$0.choice] == $0.option }
        })
      else { return nil }
      cost += edge.cost
      state = edge.to
    }
    return cost
  }

  /// The way that costs least, or most.
  private func extreme(
    cheapest: Bool,
    _ allowed: [[Edge]],
    _ bounds: [[Bounds]]
  ) -> (way: [Edge], cost: Double) {
    var state = 0
    var cost = fixed
    var way: [Edge] = []
    for (step, edges) in allowed.enumerated() {
      func rest(_ edge: Edge) -> Double {
        let behind = bounds[step + 1][edge.to]
        return cheapest ? edge.cost + behind.least : -edge.cost - behind.most
      }
      guard let edge = edges.filter({ $0.from == state }).min(by: { rest($0) < rest($1) }) else {
        break
      }
      cost += edge.cost
      state = edge.to
      way.append(edge)
    }
    return (way, cost)
  }

  private func architecture(
    _ end: Int,
    _ starts: [[Start]],
    _ allowed: [[Edge]],
    _ scores: [[Double]]
  ) -> Architecture {
    var place = end
    var way: [Edge] = []
    for (starts, edges) in zip(starts.dropFirst(), allowed).reversed() {
      way.append(edges[Int(starts[place].edge)])
      place = Int(starts[place].parent)
    }
    return architecture(of: way.reversed(), scores)
  }

  /// The network of a way; what it leaves free takes the option of greatest score.
  private func architecture(of way: [Edge], _ scores: [[Double]]) -> Architecture {
    var architecture = Architecture([Int](repeating: 0, count: choices))
    for edge in way {
      for option in edge.options { architecture[option.choice] = option.option }
      for choice in edge.free {
        let row = scores[choice]
        architecture[choice] = row.indices.max { row[$0] < row[$1] } ?? 0
      }
    }
    return architecture
  }
}
