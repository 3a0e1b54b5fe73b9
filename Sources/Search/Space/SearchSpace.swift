import Networks
import Runs

/// What a search chooses from, and the network that each set of choices stands for.
///
/// A space knows shapes and counts; what a network costs in the search's metric is a `CostModel`'s.
package protocol SearchSpace: Sendable {
  /// The choices in the order of an architecture's indices, as the dashboard shows them.
  var choices: [Choice] { get }
  /// Options of each choice: the shape of θ.
  var optionCounts: [Int] { get }
  /// An architecture as a network of its own.
  ///
  /// - Precondition: `architecture` has an index below `optionCounts` for each choice.
  func network(of architecture: Architecture, name: String) -> NetworkDescription
  /// Multiply–accumulates of one image through an architecture, rule `madds`.
  func flops(_ architecture: Architecture) -> Double
  /// Weights of an architecture, rule `madds`.
  func params(_ architecture: Architecture) -> Double
  /// What the options of the choices cost: each its own price, or what it adds to `architecture`
  /// over the cheapest option of its choice; `latency` in milliseconds.
  func choicePrices(of architecture: Architecture, latency: (any LatencyCost)?) -> [ChoicePrices]
  /// The network like `architecture` with the greatest widths that are all scaled by one factor and
  /// for which `fits` is true, and that factor; nil where there is none or no width is searched.
  func uniform(
    like architecture: Architecture,
    fits: (Architecture) -> Bool
  ) -> (scale: Double, architecture: Architecture)?
  /// The same with the expansions by that factor too; nil where there is none or no expansion is
  /// searched.
  func even(like architecture: Architecture, fits: (Architecture) -> Bool) -> Architecture?
  /// The searched blocks of an architecture, in order; those that are left out are among them.
  func parts(of architecture: Architecture) -> [NetworkPart]
  /// What follows the searched blocks, where it is a choice too.
  func end(of architecture: Architecture) -> NetworkPart?
  /// Multiply–accumulates of one image through the supernet, rule `madds`.
  var supernetFlops: Double { get }
}

/// A searched block of a network.
package struct NetworkPart: Sendable, Equatable {
  /// For people: `layer 3`.
  package var name: String
  /// What it is.
  package var block: BlockDescription
}

extension SearchSpace {
  /// Counted from the choices.
  package var optionCounts: [Int] { choices.map(\.options.count) }
  /// Counted from the network itself.
  package func flops(_ architecture: Architecture) -> Double {
    network(of: architecture, name: "").flops
  }
  /// Counted from the network itself.
  package func params(_ architecture: Architecture) -> Double {
    network(of: architecture, name: "").params
  }
  /// None.
  package func end(of _: Architecture) -> NetworkPart? { nil }
  /// None.
  package func uniform(
    like architecture: Architecture,
    fits: (Architecture) -> Bool
  ) -> (scale: Double, architecture: Architecture)? { nil }
  /// None.
  package func even(
    like architecture: Architecture,
    fits: (Architecture) -> Bool
  ) -> Architecture? { nil }
  /// What each option adds, counted from the networks themselves.
  package func choicePrices(
    of architecture: Architecture,
    latency: (any LatencyCost)?
  ) -> [ChoicePrices] {
    choices.indices.map { choice in
      let changed = choices[choice].options.indices.map { option in
        var changed = architecture
        changed[choice] = option
        return changed
      }
      let networks = changed.map { network(of: $0, name: "") }
      func added(_ counts: [Double]) -> [Double] { counts.map { $0 - (counts.min() ?? 0) } }
      return ChoicePrices(
        choice: choices[choice].id,
        flops: added(networks.map(\.flops)),
        params: added(networks.map(\.params)),
        latency: latency.map { cost in added(changed.map { cost.cost($0) }) }
      )
    }
  }
}
