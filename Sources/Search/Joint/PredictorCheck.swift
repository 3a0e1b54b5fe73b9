import Runs
import Tensor

/// How well a predictor ranks points that it was not fitted to, with and without pretraining.
package struct PredictorCheck: Codable, Sendable, Equatable {
  /// How predictions of points agree with what these reached.
  package struct Agreement: Codable, Sendable, Equatable {
    /// Kendall's τ-b over all points.
    package var kendall: Double
    /// Spearman's ρ over all points.
    package var spearman: Double
    /// Kendall's τ-b among the best quarter of the points.
    package var bestKendall: Double
    /// Spearman's ρ among the best quarter.
    package var bestSpearman: Double
    /// Root mean square of the mistakes in units of the spread that was predicted; 1 is right.
    package var mistake: Double

    enum CodingKeys: String, CodingKey {
      case kendall, spearman
      case bestKendall = "best_quarter_kendall"
      case bestSpearman = "best_quarter_spearman"
      case mistake = "mistake_in_spreads"
    }

    /// Compares predictions with `values` in the same order.
    init(_ predictions: [Predictor.Prediction], _ values: [Double]) {
      let predicted = predictions.map(\.value)
      kendall = RankCorrelation.kendall(predicted, values)
      spearman = RankCorrelation.spearman(predicted, values)
      let best = values.indices.sorted { values[$0] > values[$1] }.prefix((values.count + 3) / 4)
      bestKendall = RankCorrelation.kendall(best.map { predicted[$0] }, best.map { values[$0] })
      bestSpearman = RankCorrelation.spearman(best.map { predicted[$0] }, best.map { values[$0] })
      let squares = zip(predictions, values).reduce(0) { sum, pair in
        let spread = max(pair.0.spread, .leastNormalMagnitude)
        return sum + (pair.0.value - pair.1) * (pair.0.value - pair.1) / (spread * spread)
      }
      mistake = (squares / Double(max(1, values.count))).squareRoot()
    }
  }

  /// Trained points that a check needs at least.
  package static let fewest = 4

  /// Trained points that were known.
  package var labels: Int
  /// With the encoder pretrained on costs.
  package var pretrained: Agreement
  /// With a random encoder, fitted to the trained points alone.
  package var scratch: Agreement

  /// Predictors of one problem and one seed, with and without pretraining.
  ///
  /// Making them takes seconds, checking less.
  package struct Predictors: Sendable {
    private let pretrained: JointSearch
    private let scratch: JointSearch

    /// Draws pools and pretrains; errors as of `JointSearch`.
    package init(
      _ problem: JointProblem,
      settings: JointConfiguration.Predictor,
      search: JointConfiguration.Search = .init(),
      seed: UInt64
    ) throws {
      var settings = settings
      settings.pretraining = true
      pretrained = try JointSearch(problem, search, predictor: settings, seed: seed)
      settings.pretraining = false
      scratch = try JointSearch(problem, search, predictor: settings, seed: seed)
    }

    /// How predictors that are fitted to `history` agree with `others`, points they do not know.
    package func check(
      _ history: [JointSearch.Evaluated],
      on others: [JointSearch.Evaluated]
    ) throws -> PredictorCheck {
      func agreement(_ search: JointSearch) throws -> Agreement {
        Agreement(try search.predictions(history, of: others), others.map(\.value))
      }
      return PredictorCheck(
        labels: history.count,
        pretrained: try agreement(pretrained),
        scratch: try agreement(scratch)
      )
    }

    /// How they agree with a history by cross-validation: each fold is predicted from the others.
    ///
    /// - Parameters:
    ///   - history: points with what they reached.
    ///   - folds: parts of it; no more than it has points.
    /// - Returns: the agreement over all points together.
    /// - Throws: `UserError` for fewer than four points.
    package func crossValidated(
      _ history: [JointSearch.Evaluated],
      folds: Int = 5
    ) throws -> PredictorCheck {
      guard history.count >= PredictorCheck.fewest else {
        throw UserError(
          .data,
          "",
          "\(Format.counted(history.count, "trained candidate")) tell nothing of a predictor",
          remedy: "train \(PredictorCheck.fewest) or more"
        )
      }
      return PredictorCheck(
        labels: history.count,
        pretrained: try pretrained.crossValidated(history, folds: folds),
        scratch: try scratch.crossValidated(history, folds: folds)
      )
    }
  }
}

extension JointSearch {
  /// How the predictor agrees with a history by cross-validation: each of `folds` parts is
  /// predicted from the others.
  ///
  /// - Precondition: the history has as many points as there are parts.
  package func crossValidated(
    _ history: [Evaluated],
    folds: Int = 5
  ) throws -> PredictorCheck.Agreement {
    let count = min(folds, history.count)
    var random = Philox(seed: seed, purpose: .predictor, step: 4)
    let fold = random.permutation(history.count).map { Int($0) % count }
    var predicted = [Predictor.Prediction?](repeating: nil, count: history.count)
    for left in 0..<count {
      let rows = history.indices.filter { fold[$0] == left }
      let known = history.indices.filter { fold[$0] != left }.map { history[$0] }
      let found = try predictions(known, of: rows.map { history[$0] })
      for (row, prediction) in zip(rows, found) { predicted[row] = prediction }
    }
    return PredictorCheck.Agreement(predicted.compactMap { $0 }, history.map(\.value))
  }

  /// What a predictor that is fitted to `history` says of other points.
  func predictions(
    _ history: [Evaluated],
    of others: [Evaluated]
  ) throws -> [Predictor.Prediction] {
    let points = others.map(\.point)
    return try predictor(history: history).predict(points, costs: points.map(problem.costs))
  }
}
