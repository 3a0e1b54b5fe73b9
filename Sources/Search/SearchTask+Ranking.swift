import Runs
import Training

extension SearchTask {
  /// Ranks the fixed networks; nil if somebody asked to stop meanwhile.
  ///
  /// `share` is its part of the progress shown.
  func ranking(_ context: EvaluationContext, share: Range<Double>) throws -> Ranking? {
    let count = thermometer.networks.count
    return try evaluate(thermometer.networks, in: context, share: share) {
      "ranking fixed network \($0) of \(count)"
    }.map { scores in
      Ranking(
        costs: thermometer.costs,
        accuracies: scores.map(\.accuracy),
        losses: scores.map(\.crossEntropy)
      )
    }
  }
}
