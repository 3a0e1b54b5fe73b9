import Foundation
import Networks
import Runs

/// The candidates that the predictor of a run holds for the best under other limits: seconds, and
/// no training (spec S45).
package struct JointAnswer: Sendable {
  /// A candidate.
  package struct Candidate: Sendable {
    /// The architecture.
    package var network: NetworkDescription
    /// How it is to be trained.
    package var recipe: Recipe
    /// The choices and the options that it takes, those of the recipe among them.
    package var taken: [JointResult.Taken]
    /// Milliseconds for one image; nil without a latency table.
    package var latency: Double?
    /// Accuracy after `epochs` epochs, 0…1.
    package var predicted: Double?
    /// Standard deviation of that prediction.
    package var spread: Double?
  }

  /// The best predicted that were not trained, the best first.
  package let candidates: [Candidate]
  /// The best that was trained and keeps the limits; nil where none does.
  package let trained: (trial: TrialRecord, value: Double)?
  /// Milliseconds for one image of that; nil without a latency table.
  package let trainedLatency: Double?
  /// Epochs that the accuracies are of.
  package let epochs: Int

  /// Searches the space of `records` under its limits with `limits` in their places, with the
  /// predictor of all its results.
  ///
  /// Errors: `.usage` for a metric that a joint search has no limit in, `.configuration` for limits
  /// that no candidate keeps, with the nearest value that one does.
  package init(_ records: JointRecords, limits: [CostLimit], count: Int) throws {
    var problem = records.problem(in: records.rounds)
    for limit in limits {
      guard problem.metrics.contains(limit.name) else {
        throw UserError(
          .usage,
          "--constraint \(limit.text)",
          "a joint search has no limit in \(limit.name)",
          remedy: "give one of " + CostMetric.allCases.map(\.rawValue).joined(separator: ", ")
        )
      }
      problem.limit(limit.name, to: limit.most)
    }
    let search = try JointSearch(
      problem,
      settings: records.settings,
      seed: records.settings.seed
    )
    let picks = try search.fine(count, history: records.history) { _ in }
    let space = records.space
    candidates = picks.enumerated().map { index, pick in
      Candidate(
        network: space.network(of: pick.point, name: "candidate-\(index + 1)"),
        recipe: space.recipe(of: pick.point),
        taken: space.taken(by: pick.point),
        latency: space.costs(of: pick.point).latency,
        predicted: pick.accuracy,
        spread: pick.accuracySpread
      )
    }
    trained = records.leader(in: problem)
    trainedLatency = trained.flatMap { space.costs(of: $0.trial.point).latency }
    epochs = records.stopEpoch
  }
}

extension JointSpace {
  /// The choices and the options that a point takes.
  package func taken(by point: Architecture) -> [JointResult.Taken] {
    zip(choices, point).map { JointResult.Taken(choice: $0.id, option: $0.options[$1].name) }
  }
}
