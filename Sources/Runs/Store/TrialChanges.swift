/// Tells a reader which candidates of a joint search are new or have changed since it last asked.
package struct TrialChanges: Sendable {
  /// Candidates as they were told, by number.
  private var known: [Int: TrialRecord] = [:]
  /// The first that may still change; what is settled stays as it is and is not read again.
  private var open = 1

  package init() {}

  /// Those that are new or have changed, each with what was known of it, by number.
  package mutating func next(
    _ reader: RunReader
  ) throws -> [(before: TrialRecord?, now: TrialRecord)] {
    let changed = try reader.trials(from: open).filter { known[$0.number] != $0 }
      .map { (before: known[$0.number], now: $0) }
    for trial in changed { known[trial.now.number] = trial.now }
    while known[open]?.isSettled == true { open += 1 }
    return changed
  }
}
