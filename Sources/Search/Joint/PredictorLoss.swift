import Foundation
import Runs

/// What a predictor's accuracies lose against the known ones (spec S44), as gradients.
enum PredictorLoss {
  /// Huber's loss, mean over the rows: a square up to `delta`, a line beyond.
  case huber(delta: Float)
  /// log(1 + exp(−(s_i − s_j))), mean over the pairs with y_i > y_j.
  case ranking

  /// The loss that settings name.
  init(_ settings: JointConfiguration.Predictor) {
    self =
      switch settings.loss {
      case .huber: .huber(delta: Float(settings.huberDelta))
      case .ranking: .ranking
      }
  }

  /// ∂L/∂s of each predicted value, one for each target.
  func gradient(_ predicted: [Float], targets: [Float]) -> [Float] {
    switch self {
    case .huber(let delta):
      let share = 1 / Float(targets.count)
      return zip(predicted, targets).map { share * min(max($0 - $1, -delta), delta) }
    case .ranking:
      var gradient = [Float](repeating: 0, count: targets.count)
      var pairs: Float = 0
      for i in targets.indices {
        for j in targets.indices where targets[i] > targets[j] {
          let pull = 1 / (1 + exp(predicted[i] - predicted[j]))
          gradient[i] -= pull
          gradient[j] += pull
          pairs += 1
        }
      }
      return pairs > 0 ? gradient.map { $0 / pairs } : gradient
    }
  }
}
