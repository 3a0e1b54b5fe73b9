extension AdditiveCost {
  /// Intervals into which the span of useful costs is cut.
  private static let bins = 1 << 14

  /// An architecture's first layers.
  private struct Start {
    var score: Double
    var cost: Double
    /// Place of the start that is one layer shorter, and the candidate that was added to it.
    var parent: Int32
    var candidate: Int32
  }

  /// Brings an architecture within a budget by the least harmful changes (spec S11): a search holds
  /// the *expected* cost, and the network that it names may lie elsewhere.
  ///
  /// The argmax where that already fits. Else dynamic programming over the cost: layer by layer,
  /// each bin keeps its most probable start with its true cost, so the answer's cost is never
  /// rounded and never outside. Starts that share a bin differ by less than a bin, so no
  /// architecture that lies within the bounds by L bins (L layers; a bin is 1/16384 of the span of
  /// costs) is more probable than the answer; on prices whose sums fall into bins of their own the
  /// answer is exact. O(layers × candidates × bins).
  package func mostProbable(
    _ logProbabilities: [[Double]],
    within: ClosedRange<Double>
  ) -> Architecture? {
    let scores = logProbabilities
    let argmax = Architecture(
      scores.map { row in row.indices.max { row[$0] < row[$1] } ?? 0 }
    )
    let allowed = zip(scores, layers).map { scores, prices in
      prices.indices.filter { scores[$0] > -.infinity }
    }
    guard allowed.allSatisfy({ !$0.isEmpty }) else { return nil }
    if within.contains(cost(argmax)) { return argmax }
    // What the layers behind each one cost at least and at most.
    var rest: [(least: Double, most: Double)] = [(0, 0)]
    for (layer, candidates) in zip(layers, allowed).reversed() {
      let costs = candidates.map { layer[$0] }
      let last = rest[rest.count - 1]
      rest.append((last.least + (costs.min() ?? 0), last.most + (costs.max() ?? 0)))
    }
    rest.reverse()
    let range = fixed + rest[0].least...fixed + rest[0].most
    guard within.overlaps(range) else { return nil }
    // Sums in another order may differ by a rounding: nothing is dropped before the end for that.
    let slack = 1e-9 * max(abs(range.lowerBound), abs(range.upperBound))
    let low = max(within.lowerBound, range.lowerBound) - slack
    let high = min(within.upperBound, range.upperBound) + slack

    var starts = [[Start(score: 0, cost: fixed, parent: 0, candidate: 0)]]
    for (layer, candidates) in allowed.enumerated() {
      let (least, most) = rest[layer + 1]
      // Costs from which the bounds can still be reached.
      let floor = low - most
      let width = max(high - least - floor, slack) / Double(Self.bins)
      var next: [Start] = []
      // Where a bin's start is in `next`.
      var slots = [Int32](repeating: -1, count: Self.bins)
      for (parent, start) in starts[layer].enumerated() {
        for candidate in candidates {
          let cost = start.cost + layers[layer][candidate]
          guard cost >= floor, cost <= high - least else { continue }
          let longer = Start(
            score: start.score + scores[layer][candidate],
            cost: cost,
            parent: Int32(parent),
            candidate: Int32(candidate)
          )
          let bin = min(Int((cost - floor) / width), Self.bins - 1)
          let slot = Int(slots[bin])
          if slot < 0 {
            slots[bin] = Int32(next.count)
            next.append(longer)
          } else if (next[slot].score, -next[slot].cost) < (longer.score, -longer.cost) {
            next[slot] = longer
          }
        }
      }
      starts.append(next)
    }
    let ends = starts[starts.count - 1]
    let order = ends.indices.sorted { (ends[$0].score, $1) > (ends[$1].score, $0) }
    for end in order {
      let architecture = Self.path(to: end, through: starts)
      if within.contains(cost(architecture)) { return architecture }
    }
    // Bins could crowd out the only ones that fit: the cheapest and the most expensive are always
    // tried.
    return [true, false].map { cheapest in
      Architecture(
        zip(layers, allowed).map { layer, candidates in
          candidates.min { cheapest ? layer[$0] < layer[$1] : layer[$0] > layer[$1] } ?? 0
        }
      )
    }.first { within.contains(cost($0)) }
  }

  /// The candidates that led to a start of full length.
  private static func path(to end: Int, through starts: [[Start]]) -> Architecture {
    var place = end
    var path: [Int] = []
    for starts in starts.dropFirst().reversed() {
      path.append(Int(starts[place].candidate))
      place = Int(starts[place].parent)
    }
    return Architecture(path.reversed())
  }
}
