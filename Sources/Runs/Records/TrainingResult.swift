import Foundation

/// What a finished training came to: the `done` object of `--json` and the result kept in the run.
///
/// The names of the fields in JSON are a contract with scripts.
package struct TrainingResult: Codable, Sendable, Equatable {
  /// Always `done`.
  package var event: String
  /// Always `training`.
  package var kind: RunKind
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

  package init(
    event: String,
    name: String,
    top1: Double,
    top5: Double,
    testAccuracy: Double,
    testLoss: Double,
    validationAccuracy: Double,
    validationLoss: Double,
    flops: Double,
    params: Double,
    weightsHash: String,
    weights: String,
    run: String,
    epochs: Int,
    steps: Int,
    seconds: Double
  ) {
    self.event = event
    kind = .training
    self.name = name
    self.top1 = top1
    self.top5 = top5
    self.testAccuracy = testAccuracy
    self.testLoss = testLoss
    self.validationAccuracy = validationAccuracy
    self.validationLoss = validationLoss
    self.flops = flops
    self.params = params
    self.weightsHash = weightsHash
    self.weights = weights
    self.run = run
    self.epochs = epochs
    self.steps = steps
    self.seconds = seconds
  }

  enum CodingKeys: String, CodingKey {
    case event, kind, name, top1, top5, flops, params, weights, run, epochs, steps, seconds
    case testAccuracy = "test_accuracy"
    case testLoss = "test_loss"
    case validationAccuracy = "val_accuracy"
    case validationLoss = "val_loss"
    case weightsHash = "weights_sha256"
  }

  /// The object in one line of JSON, keys in alphabetical order.
  package func json() throws -> String {
    try JSONText.encode(self)
  }
}
