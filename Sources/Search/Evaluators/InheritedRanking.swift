import Foundation
import Runs

/// How far the weights of a search rank networks as their trainings do, where a table knows these.
///
/// Large networks are better than small ones whatever the weights say. So all is told of the cost
/// as a ranking too, and inside tenths of equal cost.
package struct InheritedRanking: Sendable {
  /// One network.
  package struct Network: Sendable, Equatable {
    /// Its candidates.
    package var architecture: Architecture
    /// In the metric of the tenths.
    package var cost: Double
    /// The tenth of the table, by cost, that it is in, 0…9.
    package var tenth: Int
    /// What training comes to, by the table.
    package var truth: Double
    /// With the weights of the search: a share of the images, 0…1.
    package var accuracy: Double
    /// Mean cross-entropy on the same images.
    package var crossEntropy: Double
  }

  /// What networks are ranked by.
  package enum Order: String, Sendable, CaseIterable {
    /// The accuracy with the weights of the search; among equals the lower cross-entropy.
    case accuracy
    /// The cross-entropy with the weights of the search, the least first.
    case loss
    /// The cost alone, the highest first: the floor that weights have to beat.
    case cost
  }

  /// How far an order is that of the truth.
  package struct Agreement: Sendable, Equatable {
    /// Kendall's τ-b over all networks.
    package var tau: Double
    /// Kendall's τ-b inside each tenth; nil where it has fewer than two networks.
    package var tenths: [Double?]
    /// The mean of those that are known.
    package var meanOfTenths: Double
    /// Of the best 1 % in this order, at least one network, the share that is of the true best 1 %.
    package var bestHundredth: Double
    /// The same of the best 5 %.
    package var bestTwentieth: Double
  }

  /// The networks, in any order.
  package let networks: [Network]
  /// Tenths of a table by cost.
  package static let tenths = 10

  /// A ranking of `networks`.
  package init(_ networks: [Network]) { self.networks = networks }

  /// The place of each cost: which tenth of all it is in, from 0.
  ///
  /// Equal ones keep their order, so the tenths are of equal size.
  package static func tenths(of costs: [Double]) -> [Int] {
    var result = [Int](repeating: 0, count: costs.count)
    let order = costs.indices.sorted { (costs[$0], $0) < (costs[$1], $1) }
    for (place, index) in order.enumerated() { result[index] = place * tenths / costs.count }
    return result
  }

  /// Compares an order with the truth.
  package func agreement(_ order: Order) -> Agreement {
    let values = networks.map { value($0, order) }
    let truth = networks.map(\.truth)
    func tau(_ part: [Int]) -> Double {
      RankCorrelation.kendall(part.map { values[$0] }, part.map { truth[$0] })
    }
    let inside: [Double?] = (0..<Self.tenths).map { tenth in
      let part = networks.indices.filter { networks[$0].tenth == tenth }
      return part.count > 1 ? tau(part) : nil
    }
    let known = inside.compactMap { $0 }
    return Agreement(
      tau: tau(Array(networks.indices)),
      tenths: inside,
      meanOfTenths: known.reduce(0, +) / Double(max(1, known.count)),
      bestHundredth: precision(order, percent: 1),
      bestTwentieth: precision(order, percent: 5)
    )
  }

  /// The best networks of an order first.
  package func ranked(_ order: Order) -> [Network] {
    networks.enumerated().sorted { first, second in
      let (a, b) = (value(first.element, order), value(second.element, order))
      if a != b { return a > b }
      let (c, d) = (first.element.crossEntropy, second.element.crossEntropy)
      // The cost knows nothing of a cross-entropy.
      return order == .accuracy && c != d ? c < d : first.offset < second.offset
    }.map(\.element)
  }

  /// What random search comes to: the truth, on average, of the one that `accuracy` ranks first of
  /// `count` different networks drawn at random from those that are `allowed`.
  ///
  /// Exact, not sampled. One drawn network is the mean of the truth, all of them the first network.
  ///
  /// - Returns: nil where none is allowed.
  package func randomSearch(
    of count: Int,
    among allowed: (Network) -> Bool = { _ in true }
  ) -> Double? {
    let ranked = ranked(.accuracy).filter(allowed)
    guard !ranked.isEmpty else { return nil }
    let drawn = min(max(1, count), ranked.count)
    // The first of the drawn ones is number k: P(none of the k before, this one).
    var missed = 1.0
    var expected = 0.0
    for (index, network) in ranked.enumerated() {
      let left = Double(ranked.count - index)
      let hit = min(1, Double(drawn) / left)
      expected += missed * hit * network.truth
      missed *= 1 - hit
    }
    return expected
  }

  private func value(_ network: Network, _ order: Order) -> Double {
    switch order {
    case .accuracy: network.accuracy
    case .loss: -network.crossEntropy
    case .cost: network.cost
    }
  }

  /// The share of the best networks of an order that are among the best by the truth, ties with
  /// the last of these included.
  private func precision(_ order: Order, percent: Int) -> Double {
    guard !networks.isEmpty else { return 0 }
    let count = max(1, (networks.count * percent + 99) / 100)
    let least = networks.map(\.truth).sorted(by: >)[count - 1]
    return Double(ranked(order).prefix(count).count { $0.truth >= least }) / Double(count)
  }
}
