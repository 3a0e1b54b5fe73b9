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

  /// The first epoch, counted from 1, whose correlation reaches `threshold`; nil where none does.
  func stopEpoch(at threshold: Double) -> Int? {
    accuracy.firstIndex { $0 >= threshold }.map { $0 + 1 }
  }
}
