import Foundation
import Runs
import Tensor

/// The network that a search ends with, and how it came to be that.
struct ChosenNetwork: Sendable, Equatable {
  /// One candidate index a layer.
  var network: [Int]
  /// The most probable of all, budget or not; the same in a random search.
  var argmax: [Int]

  /// Whether the budget asked for another than the most probable.
  var isRepaired: Bool { network != argmax }
}

extension SearchTask {
  /// How far below its budget a network may stay: less would leave accuracy behind.
  private static let slack = 0.05

  /// Costs that hold the budget and make use of it.
  private static func allowed(_ limit: Double) -> ClosedRange<Double> {
    limit * (1 - slack)...CostTable.within(limit).upperBound
  }

  /// The most probable network whose cost holds the budget; the most probable of all without one.
  func mostProbable() -> ChosenNetwork {
    let argmax = supernet.argmax
    // θ is log P but for a constant of each layer, which decides nothing.
    let network = best(supernet.theta.logits.map { $0.map(Double.init) })
    return .init(network: network ?? argmax, argmax: argmax)
  }

  /// The network of the greatest sum of `scores` [layer][candidate] whose cost holds the budget; where none
  /// comes within a twentieth of it, the best below. Nil where nothing fits.
  func best(_ scores: [[Double]]) -> [Int]? {
    let limit = configuration.limit
    let ranges = (limit.map { [Self.allowed($0)] } ?? []) + [CostTable.within(limit)]
    for range in ranges {
      let found = BudgetRepair.likeliest(
        logProbabilities: scores,
        prices: supernet.prices,
        within: range
      )
      if let found { return found }
    }
    return nil
  }

  /// Why the most probable network is not the one that is exported, in a line; nil where it is.
  func repair(_ chosen: ChosenNetwork) -> String? {
    guard chosen.isRepaired, let limit = configuration.limit else { return nil }
    let prices = supernet.prices
    let metric = configuration.search.cost
    let before = prices.cost(chosen.argmax)
    let changes = supernet.choices.changes(from: chosen.argmax, to: chosen.network)
    return "the most probable network costs \(metric.text(before)), "
      + (before > limit ? "over the budget of " : "less than it may by the budget of ")
      + "\(metric.text(limit)): \(changes.joined(separator: ", ")); "
      + "now it costs \(metric.text(prices.cost(chosen.network)))"
  }

  /// Different networks for a random search, within the budget if there is one; the same for a seed.
  static func draw(_ configuration: Configuration, _ prices: CostTable) -> [[Int]] {
    let count = configuration.search.randomNetworks
    let ranges =
      configuration.limit.map { [allowed($0), CostTable.within($0)] } ?? [CostTable.within(nil)]
    for range in ranges {
      let networks = RandomNetworks(prices: prices, within: range)
        .different(count, seed: configuration.seed)
      if !networks.isEmpty { return networks }
    }
    return []
  }
}

extension [Choice] {
  /// The layers in which two architectures differ, a text each: `layer 3 k5_e6 -> k3_e3`.
  func changes(from before: [Int], to after: [Int]) -> [String] {
    zip(self, zip(before, after)).filter { $1.0 != $1.1 }
      .map { "\($0.name) \($0.options[$1.0].name) -> \($0.options[$1.1].name)" }
  }
}
