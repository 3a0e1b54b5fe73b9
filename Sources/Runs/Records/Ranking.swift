/// How the supernet ranks a few fixed networks at the end of an epoch: each alone with its weights,
/// batch-norm recalibrated, on the validation images.
package struct Ranking: Codable, Sendable, Equatable {
  /// Cost of each network, in the metric of the search.
  package var costs: [Double]
  /// Share of the images that each classified right, 0…1.
  package var accuracies: [Double]
  /// Mean cross-entropy of the same.
  package var losses: [Double]

  package init(costs: [Double], accuracies: [Double], losses: [Double]) {
    self.costs = costs
    self.accuracies = accuracies
    self.losses = losses
  }

  /// How far two rankings of the same networks agree, as Kendall's tau: 1 for the same order, -1
  /// for the reverse.
  package struct Agreement: Sendable, Equatable {
    /// Over all pairs.
    package var overall: Double
    /// Over the pairs of about equal cost alone: that larger networks are better tells little.
    package var withinBands: Double
  }

  /// Networks of a band of about equal cost.
  private static let band = 4

  /// How far this ranking agrees with an earlier one; nil where there is nothing to compare.
  package func agreement(with earlier: Ranking) -> Agreement? {
    let count = costs.count
    guard count > 2, earlier.costs == costs,
      [accuracies, losses, earlier.accuracies, earlier.losses].allSatisfy({
        $0.count == count && $0.allSatisfy(\.isFinite)
      })
    else { return nil }
    let order = costs.indices.sorted { (costs[$0], $0) < (costs[$1], $1) }
    func tau(_ part: some Sequence<Int>) -> Double {
      RankCorrelation.kendall(part.map(worth), part.map(earlier.worth))
    }
    let bands = stride(from: 0, to: count, by: Self.band).map { start in
      order[start..<min(start + Self.band, count)]
    }.filter { $0.count > 1 }
    return Agreement(
      overall: tau(order),
      withinBands: bands.reduce(0) { $0 + tau($1) } / Double(max(1, bands.count))
    )
  }

  /// How good a network is: its accuracy, and among equals the lower loss.
  private func worth(_ network: Int) -> Double {
    accuracies[network] - 1e-6 * losses[network]
  }
}
