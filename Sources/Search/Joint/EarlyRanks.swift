import Runs

extension JointProgress.EarlyRanks {
  /// How the accuracies of `trials` after each epoch rank them, against those after the last one
  /// (spec S43).
  ///
  /// Beside it the same within the best quarter, since a wide pool can hide that its top is
  /// unordered; and the sums of training losses, another early signal (Ru et al., NeurIPS 2021).
  init(_ trials: [TrialRecord]) {
    let epochs = trials.map(\.accuracies.count).min() ?? 0
    let last = trials.compactMap(\.accuracies.last)
    let best = trials.indices.sorted { last[$0] > last[$1] }.prefix((trials.count + 3) / 4)
    func correlation(_ values: [Double], _ places: some Collection<Int>) -> Double {
      FitQuality(predictions: places.map { values[$0] }, truths: places.map { last[$0] }).spearman
    }
    let curves = (0..<epochs).map { epoch in trials.map { $0.accuracies[epoch] } }
    let sums = (0..<epochs).map { epoch in
      trials.map { -$0.losses.prefix(epoch + 1).reduce(0, +) }
    }
    self.init(
      accuracy: curves.map { correlation($0, trials.indices) },
      bestQuarter: best.count < 3 ? nil : curves.map { correlation($0, best) },
      lossSum: sums.map { correlation($0, trials.indices) }
    )
  }

  /// The correlations of a signal, an epoch each.
  func curve(_ signal: JointConfiguration.Search.EarlySignal) -> [Double] {
    switch signal {
    case .accuracy: accuracy
    case .lossSum: lossSum
    }
  }

  /// The first epoch, counted from 1, whose correlation reaches `threshold`; nil where none does.
  func stopEpoch(
    at threshold: Double,
    by signal: JointConfiguration.Search.EarlySignal = .accuracy
  ) -> Int? {
    curve(signal).firstIndex { $0 >= threshold }.map { $0 + 1 }
  }
}

/// What sums of training losses say of the accuracy at the end: a line through the first round's
/// results, whose candidates are trained to the end.
struct LossSumLine {
  private let epochs: Int
  private let (mean, level, slope): (Double, Double, Double)

  /// Through the candidates of `trials` that have all their epochs; sums are of the first `epochs`.
  init(_ trials: [TrialRecord], epochs: Int) {
    self.epochs = epochs
    let sums = trials.map { LossSumLine.sum($0, epochs) }
    let values = trials.map { LogOdds($0.accuracies.last ?? 0).value }
    let count = Double(max(1, trials.count))
    let mean = sums.reduce(0, +) / count
    let level = values.reduce(0, +) / count
    let square = sums.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let product = zip(sums, values).reduce(0) { $0 + ($1.0 - mean) * ($1.1 - level) }
    (self.mean, self.level) = (mean, level)
    // Never upwards: a greater sum of losses is no better.
    slope = square > 0 ? min(0, product / square) : 0
  }

  /// Accuracy at the end of a candidate, 0…1.
  func accuracy(of trial: TrialRecord) -> Double {
    LogOdds.accuracy(level + slope * (LossSumLine.sum(trial, epochs) - mean))
  }

  private static func sum(_ trial: TrialRecord, _ epochs: Int) -> Double {
    trial.losses.prefix(epochs).reduce(0, +)
  }
}
