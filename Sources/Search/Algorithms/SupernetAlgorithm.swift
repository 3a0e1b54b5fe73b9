import Runs

/// What finds networks in a supernet while its weights are trained: by the gradient of θ, or
/// at random.
///
/// A `SearchTask` trains and evaluates; whatever depends on how networks come about it asks its
/// algorithm.
protocol SupernetAlgorithm {
  /// The network that stands for the search before its end.
  var leader: Architecture { get }
  /// What the leader is, for a line of progress.
  var leaderName: String { get }
  /// Whether the plan is long enough for θ; nil where θ is frozen.
  var forecast: ThetaForecast? { get }
  /// How decided θ is; nil where θ is frozen.
  var verdict: Verdict? { get }

  /// The networks that are evaluated at the end, at least one.
  func candidates() -> [Candidate]
  /// The evaluated candidates, which come in the order of `candidates`, the chosen one first.
  func ranked(_ evaluated: [EvaluatedNetwork]) -> [EvaluatedNetwork]
  /// The network that the search would give without a budget, where `chosen` is the one it gives.
  func unbounded(chosen: Architecture) -> Architecture
  /// Why `chosen` is not the most probable network, in a line; nil where there is nothing to
  /// explain.
  func reason(for chosen: Architecture) -> String?
  /// Adds to a result what only this algorithm knows of the evaluated networks.
  func complete(_ result: inout SearchResult, _ evaluated: [EvaluatedNetwork])
  /// Whether exported accuracies have their earlier name too, for scripts that read it.
  var exportsThetaAccuracy: Bool { get }
}

/// A network to be evaluated at the end of a search.
struct Candidate: Sendable, Equatable {
  /// Where it comes from, as the export has it: `argmax`, `repaired`, `sampled` or `random`.
  var source: String
  /// The network.
  var architecture: Architecture
}

/// A candidate and how it did on the validation images.
struct EvaluatedNetwork: Sendable, Equatable {
  /// Where it comes from; `best` for the first of a random search.
  var source: String
  /// The network.
  var architecture: Architecture
  /// Share classified right, 0…1.
  var accuracy: Double
  /// Mean cross-entropy of an image.
  var crossEntropy: Double

  /// Whether `a` goes before `b`: accuracy decides, and cross-entropy among equals.
  static func isBetter(_ a: EvaluatedNetwork, _ b: EvaluatedNetwork) -> Bool {
    (a.accuracy, -a.crossEntropy) > (b.accuracy, -b.crossEntropy)
  }
}
