import Runs

/// Fixed networks whose ranking by the supernet is followed through a search: as long as it changes
/// from one look to the next, the weights tell little of which network is better.
struct RankThermometer {
  /// Looks in a search, and the epochs between two of them at least.
  private static let (looks, leastEpochs) = (6, 5)

  /// Sampled evenly from the whole space, and always the same for a seed.
  let networks: [Architecture]
  /// Cost of each in the metric of the search.
  let costs: [Double]
  private let every: Int

  init(_ configuration: Configuration, costModel: any CostModel) {
    networks = costModel.samples(
      configuration.search.rankedNetworks,
      of: nil,
      within: CostLimit.within(nil),
      seed: configuration.seed,
      stream: 2,
      except: []
    )
    costs = networks.map(costModel.cost)
    let epochs = configuration.search.epochs
    every = max(Self.leastEpochs, (epochs + Self.looks - 1) / Self.looks)
  }

  /// Whether the epoch that just ended, counted from 0, is one of those in which the networks are
  /// ranked.
  func isDue(epoch: Int) -> Bool { networks.count > 2 && (epoch + 1) % every == 0 }
}
