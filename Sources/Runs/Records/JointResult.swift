import Foundation

/// What a finished joint search came to: the `done` object of `--json` and the result kept in the
/// run.
///
/// The names of the fields in JSON are a contract with scripts.
package struct JointResult: Codable, Sendable, Equatable {
  /// A choice and the option that was taken.
  package struct Taken: Codable, Sendable, Equatable {
    /// Identity of the choice: `stage2.width`.
    package var choice: String
    /// Name of the option.
    package var option: String

    package init(choice: String, option: String) {
      self.choice = choice
      self.option = option
    }
  }

  /// Always `done`.
  package var event = "done"
  /// Always `joint`.
  package var kind = RunKind.joint
  /// How candidates were picked.
  package var algorithm: JointConfiguration.Search.Algorithm
  /// The architecture that was found.
  package var architecture: [Taken]
  /// The recipe that was found, whole.
  package var recipe: Recipe
  /// Number of the candidate.
  package var candidate: Int
  /// Share of its validation images whose class was the most probable after its last epoch, 0…1.
  package var validationAccuracy: Double
  /// The same of the test images; no decision has seen them.
  package var testAccuracy: Double
  /// Mean cross-entropy of the test images.
  package var testLoss: Double
  /// Multiply–accumulates of one image.
  package var flops: Double
  /// Weights of convolutions and linear layers.
  package var params: Double
  /// Milliseconds for one image by the run's latency table; nil where it has none.
  package var latency: Double?
  /// Rank correlation (Spearman's) of the predictor with candidates that it had not seen; nil
  /// without a predictor.
  package var predictorRankCorrelation: Double?
  /// Kendall's τ of the same.
  package var predictorKendallTau: Double?
  /// Candidates that were trained, those that failed among them.
  package var trainedCandidates: Int
  /// Those that failed.
  package var failedCandidates: Int
  /// Epochs that candidates of later rounds were trained.
  package var stopEpoch: Int
  /// Mean validation accuracy of the first round, sampled without regard to any result, 0…1: what a
  /// candidate picked blindly is worth.
  package var sampledMean: Double
  /// Standard deviation of the same.
  package var sampledDeviation: Double
  /// File of the trained weights.
  package var weights: String
  /// The run's folder.
  package var run: String
  /// Epochs trained, of all candidates.
  package var epochs: Int
  /// Candidates that were trained: a joint search counts its steps by them.
  package var steps: Int
  /// Seconds of all trainings, one after the other.
  package var seconds: Double

  enum CodingKeys: String, CodingKey {
    case event, kind, algorithm, architecture, recipe, candidate, flops, params, weights, run
    case epochs, steps, seconds
    case latency = "latency_ms"
    case validationAccuracy = "val_accuracy"
    case testAccuracy = "test_accuracy"
    case testLoss = "test_loss"
    case predictorRankCorrelation = "predictor_rank_correlation"
    case predictorKendallTau = "predictor_kendall_tau"
    case trainedCandidates = "trained_candidates"
    case failedCandidates = "failed_candidates"
    case stopEpoch = "stop_epoch"
    case sampledMean = "sampled_mean"
    case sampledDeviation = "sampled_deviation"
  }

  package init(
    algorithm: JointConfiguration.Search.Algorithm,
    architecture: [Taken],
    recipe: Recipe,
    candidate: Int,
    validationAccuracy: Double,
    testAccuracy: Double,
    testLoss: Double,
    flops: Double,
    params: Double,
    latency: Double?,
    predictorRankCorrelation: Double?,
    predictorKendallTau: Double?,
    trainedCandidates: Int,
    failedCandidates: Int,
    stopEpoch: Int,
    sampledMean: Double,
    sampledDeviation: Double,
    weights: String,
    run: String,
    epochs: Int,
    seconds: Double
  ) {
    self.algorithm = algorithm
    self.architecture = architecture
    self.recipe = recipe
    self.candidate = candidate
    self.validationAccuracy = validationAccuracy
    self.testAccuracy = testAccuracy
    self.testLoss = testLoss
    self.flops = flops
    self.params = params
    self.latency = latency
    self.predictorRankCorrelation = predictorRankCorrelation
    self.predictorKendallTau = predictorKendallTau
    self.trainedCandidates = trainedCandidates
    self.failedCandidates = failedCandidates
    self.stopEpoch = stopEpoch
    self.sampledMean = sampledMean
    self.sampledDeviation = sampledDeviation
    self.weights = weights
    self.run = run
    self.epochs = epochs
    steps = trainedCandidates
    self.seconds = seconds
  }

  /// The object in one line of JSON, keys in alphabetical order.
  package func json() throws -> String {
    try JSONText.encode(self)
  }
}
