/// What a run does: it decides what its store holds, what it ends with and how it is shown.
package enum RunKind: String, Codable, Sendable, CaseIterable {
  /// A search by gradients: weights and architecture parameters in turns.
  case search
  /// A random search: the same supernet, from which networks are sampled at the end.
  case random
  /// A joint search: candidates of architecture and recipe, each trained as a run of its own.
  case joint
  /// The training of one network.
  case training

  /// The run in a word for people: "the search is finished".
  package var noun: String {
    switch self {
    case .search, .random, .joint: "search"
    case .training: "training"
    }
  }

  /// The settings of such a run in words: "the settings of a random search".
  var settings: String {
    switch self {
    case .search: "a search by gradients"
    case .random: "a random search"
    case .joint: "a joint search of architecture and recipe"
    case .training: "the training of one network"
    }
  }
}
