import Foundation
import Runs
import Tensor

/// The network that a search ends with, and how it came to be that.
struct ChosenNetwork: Sendable, Equatable {
  /// One candidate index a layer.
  var network: [Int]
  /// The likeliest of all, budget or not; the same in a random search.
  var argmax: [Int]

  /// Whether the budget asked for another than the likeliest.
  var isRepaired: Bool { network != argmax }
}

extension SearchTask {
  /// How far below its budget a network may stay: less would leave accuracy behind.
  private static let slack = 0.05

  /// Costs that hold the budget and make use of it.
  private static func allowed(_ limit: Double) -> ClosedRange<Double> {
    limit * (1 - slack)...limit
  }

  /// The likeliest network whose cost holds the budget; the likeliest of all without one.
  ///
  /// Where none comes within a twentieth of the budget, the likeliest below it.
  func likeliest() -> ChosenNetwork {
    let argmax = supernet.argmax
    guard let limit = configuration.limit else { return .init(network: argmax, argmax: argmax) }
    let prices = supernet.prices
    // θ is log P but for a constant of each layer, which decides nothing.
    let scores = supernet.theta.logits.map { $0.map(Double.init) }
    func likeliest(_ range: ClosedRange<Double>) -> [Int]? {
      BudgetRepair.likeliest(logProbabilities: scores, prices: prices, within: range)
    }
    let network =
      likeliest(Self.allowed(limit)) ?? likeliest(min(prices.range.lowerBound, limit)...limit)
    return .init(network: network ?? argmax, argmax: argmax)
  }

  /// Why the likeliest network is not the one that is exported, in a line; nil where it is.
  func repair(_ chosen: ChosenNetwork) -> String? {
    guard chosen.isRepaired, let limit = configuration.limit else { return nil }
    let prices = supernet.prices
    let metric = configuration.search.cost
    let before = prices.cost(chosen.argmax)
    let changes = supernet.choices.changes(from: chosen.argmax, to: chosen.network)
    return "the likeliest network costs \(metric.text(before)), "
      + (before > limit ? "over the budget of " : "less than it may by the budget of ")
      + "\(metric.text(limit)): \(changes.joined(separator: ", ")); "
      + "now it costs \(metric.text(prices.cost(chosen.network)))"
  }

  /// Different networks for a random search, within the budget if there is one; the same for a seed.
  static func draw(_ configuration: Configuration, _ prices: CostTable) -> [[Int]] {
    let count = configuration.search.randomNetworks
    guard let limit = configuration.limit else {
      return draw(count, configuration.seed, RandomNetworks(prices: prices, within: prices.range))
    }
    let close = draw(
      count,
      configuration.seed,
      RandomNetworks(prices: prices, within: allowed(limit))
    )
    guard close.isEmpty else { return close }
    let range = min(prices.range.lowerBound, limit)...limit
    return draw(count, configuration.seed, RandomNetworks(prices: prices, within: range))
  }

  private static func draw(_ count: Int, _ seed: UInt64, _ source: RandomNetworks) -> [[Int]] {
    var networks: [[Int]] = []
    var seen: Set<[Int]> = []
    // A range may hold fewer than were asked for: give up after some tries.
    for index in 0..<UInt32(clamping: 20 * count) where networks.count < count {
      var random = Philox(seed: seed, purpose: .sampling, index: index)
      guard let network = source.draw(&random) else { break }
      if seen.insert(network).inserted { networks.append(network) }
    }
    return networks
  }
}

extension [Choice] {
  /// The layers in which two architectures differ, a text each: `layer 3 k5_e6 -> k3_e3`.
  func changes(from before: [Int], to after: [Int]) -> [String] {
    zip(self, zip(before, after)).filter { $1.0 != $1.1 }
      .map { "\($0.name) \($0.options[$1.0].name) -> \($0.options[$1.1].name)" }
  }
}
