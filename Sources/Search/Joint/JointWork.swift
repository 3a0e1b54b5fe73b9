import Runs

/// The part that a process takes in a joint search.
package struct JointWork: Sendable {
  /// Candidates that it trains at once; nil for as many as the settings say.
  ///
  /// With 0 it records what others have trained, picks what follows from that, and ends where
  /// something is to be trained.
  package var parallel: Int?
  /// Threads of a training; nil for as many as the settings say.
  package var threads: Int?
  /// Whether it has to leave and others go on, given all candidates so far.
  package var isLeaving: @Sendable ([TrialRecord]) -> Bool

  package init(
    parallel: Int? = nil,
    threads: Int? = nil,
    isLeaving: @escaping @Sendable ([TrialRecord]) -> Bool = { _ in false }
  ) {
    self.parallel = parallel
    self.threads = threads
    self.isLeaving = isLeaving
  }
}
