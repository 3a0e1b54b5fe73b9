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
}
