import Runs

/// A part of the dashboard as values, for `supertop show`.
package enum ScreenName: String, CaseIterable, Sendable {
  /// State and progress: the head of the dashboard.
  case status
  /// The list of choices.
  case choices
  /// The inspector of one choice.
  case choice
  /// Loss, accuracy and learning rate over the epochs.
  case learning
  /// Cost, budget and temperature.
  case cost
  /// The leading network, the chosen one and those that were derived.
  case networks
  /// Candidates of a joint search.
  case candidates
  /// How one network is trained.
  case recipe
  /// The log and what people asked for.
  case log
  /// Throughput, memory and time left.
  case system
}

extension RunKind {
  /// The screens of such a run, in their order.
  package var screens: [ScreenName] {
    switch self {
    case .search, .random:
      [.status, .choices, .choice, .learning, .cost, .networks, .log, .system]
    case .joint: [.status, .candidates, .log, .system]
    case .training: [.status, .learning, .recipe, .log, .system]
    }
  }
}
