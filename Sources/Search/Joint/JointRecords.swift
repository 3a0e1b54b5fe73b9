import Foundation
import Networks
import Runs

/// What is on record of a joint search: its candidates, and what follows from them.
package struct JointRecords: Sendable {
  /// The run's settings.
  package let settings: JointConfiguration
  /// What it chooses from.
  package private(set) var space: JointSpace
  /// All candidates so far, by number.
  package var trials: [TrialRecord]
  /// How far it has come beside them.
  package var progress: JointProgress

  init(
    _ settings: JointConfiguration,
    space: JointSpace,
    trials: [TrialRecord],
    progress: JointProgress?
  ) {
    self.settings = settings
    self.space = space
    self.trials = trials
    self.progress = progress ?? JointProgress()
  }

  /// Reads those of a run, live or finished.
  ///
  /// Errors: `.data` for a run of another kind, `.noInput` for one without a trained candidate.
  ///
  /// With `latency` its networks have latencies too: by the run's own table, or by this machine's,
  /// which is measured on first use; `progress` hears of that.
  package init(
    _ folder: RunFolder,
    latency: Bool = false,
    progress: (LatencyProgress) throws -> Void = { _ in }
  ) throws {
    guard case .joint(let settings) = try folder.settings() else {
      throw UserError(.data, folder.path, "no joint search", remedy: "name a run of fbnet-v3")
    }
    let reader = try folder.reader()
    let trials = try reader.trials()
    guard let first = trials.first(where: { !$0.run.isEmpty }) else {
      throw UserError(
        .noInput,
        folder.path,
        "no candidate is trained yet",
        remedy: "wait for the first round, or continue it with supertop resume"
      )
    }
    let network = try NetworkFile.parse(
      try RunFolder.open(path: folder.path + "/" + first.run).network()
    )
    let known = try RunLatency(settings.latency, folder: folder).joint(
      settings,
      channels: network.channels,
      classes: network.classes,
      isNeeded: latency,
      keeps: false,
      progress: progress
    )
    self.init(
      settings,
      space: try JointSpace.laidOut(
        settings,
        channels: network.channels,
        classes: network.classes,
        latency: known?.latency
      ),
      trials: trials,
      progress: try reader.jointProgress()
    )
  }

  /// Lets a joint search, finished or not, have more rounds of the coarse stage, and a fine stage
  /// behind them; `resume` trains them.
  ///
  /// Errors: `.data` for a run of another kind, `.usage` for no more rounds than it has, `.busy`
  /// while somebody trains on it.
  package static func extend(_ folder: RunFolder, to rounds: Int) throws {
    guard case .joint(let settings) = try folder.settings() else {
      throw UserError(.data, folder.path, "no joint search", remedy: "leave --rounds out")
    }
    let lock = try folder.lock()
    let store = try folder.store()
    var progress = try store.reader.jointProgress() ?? JointProgress()
    let before = progress.rounds ?? settings.search.rounds
    guard rounds > before else {
      throw UserError(
        .usage,
        "--rounds \(rounds)",
        "the search has \(before)",
        remedy: "give more"
      )
    }
    progress.rounds = rounds
    try store.record(progress: progress)
    // A run without a result is not finished.
    try store.rewind(toStep: 0)
    withExtendedLifetime(lock) {}
  }

  /// Rounds of the coarse stage.
  package var rounds: Int { progress.rounds ?? settings.search.rounds }

  /// Epochs that decide between candidates of the coarse stage.
  package var stopEpoch: Int { progress.stopEpoch ?? settings.recipe.epochs }

  /// The time to go: an epoch of a network costs its FLOPs at the pace so far.
  ///
  /// - Parameters:
  ///   - coarse: candidates of the coarse stage that are still to be picked.
  ///   - fine: those of the fine stage.
  ///   - parallel: trainings at a time.
  /// - Returns: seconds; nil before the first training has ended.
  func secondsLeft(coarse: Int, fine: Int, parallel: Int) -> Double? {
    let ended = trials.filter { $0.state == .finished }
    let work = ended.reduce(0) { $0 + $1.flops * Double($1.accuracies.count) }
    guard work > 0 else { return nil }
    let pace = ended.reduce(0) { $0 + $1.seconds } / work
    let open = trials.filter { !$0.isSettled }
    let begun = open.reduce(0.0) { sum, trial in
      sum + trial.flops * Double(max(0, trial.recipe.trainedEpochs - trial.accuracies.count))
    }
    let mean = trials.reduce(0) { $0 + $1.flops } / Double(trials.count)
    let toCome = begun + mean * Double(coarse * stopEpoch + fine * settings.recipe.epochs)
    return pace * toCome / Double(max(1, min(parallel, open.count + coarse + fine)))
  }

  /// Candidates that were trained, and their accuracy after `stopEpoch` epochs, or what the sum of
  /// their training losses lets expect at the end where that is the signal; those that failed count
  /// as much as the worst.
  package var evaluated: [(trial: TrialRecord, value: Double)] {
    let finished = trials.filter { $0.state == .finished }
    let values: [Double]
    switch settings.search.earlySignal {
    case .lossSum where progress.stopEpoch != nil:
      let line = LossSumLine(finished.filter { $0.round == 0 }, epochs: stopEpoch)
      values = finished.map(line.accuracy)
    case .accuracy, .lossSum: values = finished.map { $0.accuracy(after: stopEpoch) ?? 0 }
    }
    let worst = values.min() ?? 0
    let failed = trials.filter { $0.state == .failed }.map { (trial: $0, value: worst) }
    // By number, so that nothing depends on who was ready first.
    return (zip(finished, values).map { (trial: $0, value: $1) } + failed)
      .sorted { $0.trial.number < $1.trial.number }
  }

  /// The best of those that were trained and keep the constraints of `problem`, by its accuracy
  /// after `stopEpoch` epochs; nil where there is none.
  func leader(in problem: JointProblem) -> (trial: TrialRecord, value: Double)? {
    evaluated.filter { $0.trial.state == .finished && problem.isFeasible($0.trial.point) }
      .max { $0.value < $1.value }
  }

  /// What the predictor learns from, as log-odds: a candidate that was trained twice counts once,
  /// as it was first.
  package var history: [JointSearch.Evaluated] {
    var seen = Set<Architecture>()
    return evaluated.filter { seen.insert(space.canonical($0.trial.point)).inserted }
      .map { JointSearch.Evaluated(point: $0.trial.point, value: LogOdds($0.value).value) }
  }

  /// The space under the limits of a round.
  package func problem(in round: Int) -> JointProblem {
    var problem = space.problem
    for limit in progress.limits where limit.round <= round {
      problem.limit(limit.metric.rawValue, to: limit.most)
    }
    return problem
  }

  /// The candidate with the best validation accuracy after its last epoch, of those that were
  /// trained to the end and keep the limits; nil where there is none.
  package var best: TrialRecord? {
    let problem = problem(in: rounds)
    return trials.filter {
      $0.state == .finished && $0.recipe.trainedEpochs == settings.recipe.epochs
        && problem.isFeasible($0.point)
    }.max { ($0.accuracies.last ?? 0) < ($1.accuracies.last ?? 0) }
  }
}

/// An accuracy as the logarithm of its odds.
///
/// What is left to gain shrinks near 1, and a few failures are far below all others: as log-odds
/// accuracies spread evenly, and no prediction lies outside of 0…1.
struct LogOdds {
  /// log(p / (1 − p)).
  let value: Double

  /// Beyond these an image or two more would make a step of any size.
  private static let range = 0.001...0.999

  /// Of an accuracy, 0…1.
  init(_ accuracy: Double) {
    let p = min(Self.range.upperBound, max(Self.range.lowerBound, accuracy))
    value = log(p / (1 - p))
  }

  /// The accuracy of log-odds.
  static func accuracy(_ value: Double) -> Double { 1 / (1 + exp(-value)) }
}

extension JointSearch.Pick {
  /// Predicted accuracy, where log-odds were predicted.
  var accuracy: Double? { predicted.map(LogOdds.accuracy) }

  /// Standard deviation of the same: that of the log-odds times the slope there.
  var accuracySpread: Double? {
    guard let accuracy, let spread else { return nil }
    return spread * accuracy * (1 - accuracy)
  }
}

extension JointProblem {
  /// Puts `most` in the place of a metric's limit; 0 lifts it.
  mutating func limit(_ name: String, to most: Double) {
    guard let metric = metrics.firstIndex(of: name) else { return }
    constraints.removeAll { $0.metric == metric }
    if most > 0 { constraints.append(Constraint(metric: metric, most: most)) }
  }
}

extension TrialRecord {
  /// The candidate as a point of the space.
  package var point: Architecture { Architecture(options) }
}
