import Foundation
import Runs

/// What a finished run came to.
package enum RunResult: Sendable, Equatable {
  case search(SearchResult)
  case training(TrainingResult)

  /// The object in one line of JSON, keys in alphabetical order.
  package func json() throws -> String {
    switch self {
    case .search(let result): try result.json()
    case .training(let result): try result.json()
    }
  }

  /// Reads what `json()` wrote.
  package init(json: String) throws {
    if let result = try? SearchResult(json: json) {
      self = .search(result)
    } else {
      self = .training(try JSONDecoder().decode(TrainingResult.self, from: Data(json.utf8)))
    }
  }

  /// Steps of the whole run.
  package var steps: Int {
    switch self {
    case .search(let result): result.steps
    case .training(let result): result.steps
    }
  }

  /// The run's folder.
  package var run: String {
    get {
      switch self {
      case .search(let result): result.run
      case .training(let result): result.run
      }
    }
    set {
      switch self {
      case .search(var result):
        result.run = newValue
        self = .search(result)
      case .training(var result):
        result.run = newValue
        self = .training(result)
      }
    }
  }
}

/// What a finished training came to: the `done` object of `--json` and the result kept in the run.
///
/// The names of the fields in JSON are a contract with scripts.
package struct TrainingResult: Codable, Sendable, Equatable {
  /// Always `done`.
  package var event: String
  /// Name of the network.
  package var name: String
  /// Share of the test images whose class is the most probable, 0…1.
  package var top1: Double
  /// Share whose class is among the five most probable, 0…1.
  package var top5: Double
  /// The same as `top1`, called as in every other object.
  package var testAccuracy: Double
  /// Mean cross-entropy of the test images.
  package var testLoss: Double
  /// Share of the validation images whose class was the most probable after the last epoch, 0…1.
  package var validationAccuracy: Double
  /// Mean cross-entropy of the validation images after the last epoch.
  package var validationLoss: Double
  /// Multiply-accumulates of one image.
  package var flops: Double
  /// Weights of convolutions and the linear layer.
  package var params: Double
  /// SHA-256 over the little-endian bytes of everything exported, in its order.
  package var weightsHash: String
  /// File of the trained weights.
  package var weights: String
  /// The run's folder.
  package var run: String
  /// Epochs of the whole run.
  package var epochs: Int
  /// Steps of the whole run.
  package var steps: Int
  /// Seconds of training and evaluation, pauses excluded.
  package var seconds: Double

  enum CodingKeys: String, CodingKey {
    case event, name, top1, top5, flops, params, weights, run, epochs, steps, seconds
    case testAccuracy = "test_accuracy"
    case testLoss = "test_loss"
    case validationAccuracy = "val_accuracy"
    case validationLoss = "val_loss"
    case weightsHash = "weights_sha256"
  }

  func json() throws -> String {
    try JSONText.encode(self)
  }
}
