import Runs

/// What the charts show of the time after the cursor, and what is to be again when it is left.
struct Future: Sendable {
  var curves: Model.Curves
  var probabilities: ProbabilityHistory
  var position: Double
  /// All that is known to have happened, then or later.
  var events: [RunEvent]
}

/// Something at a step: where `[` and `]` stop, and what the log lists.
struct RunEvent: Sendable, Equatable {
  enum Kind: Sendable, Equatable { case epoch, request, refusal, log(LogRecord.Level), finding }

  /// Steps done by then; nil where that is not recorded.
  var step: Int?
  /// Seconds since 1970; nil for what has no time of its own.
  var time: Double?
  var kind: Kind
  var text: String
}
