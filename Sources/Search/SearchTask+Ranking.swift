import Runs
import Training

extension SearchTask {
  /// Ranks the fixed networks; nil if somebody asked to stop meanwhile.
  ///
  /// `share` is its part of the progress shown.
  func ranking(_ context: EvaluationContext, share: Range<Double>) throws -> Ranking? {
    let count = thermometer.networks.count
    var ranking = Ranking(costs: thermometer.costs, accuracies: [], losses: [])
    for (index, network) in thermometer.networks.enumerated() {
      let length = (share.upperBound - share.lowerBound) / Double(count)
      let start = share.lowerBound + Double(index) * length
      let score = try evaluate(
        network,
        in: context,
        message: "ranking fixed network \(index + 1) of \(count)",
        share: start..<start + length
      )
      guard let score else { return nil }
      ranking.accuracies.append(score.accuracy)
      ranking.losses.append(score.crossEntropy)
    }
    return ranking
  }
}
