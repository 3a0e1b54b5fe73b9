/// What an epoch came to.
package struct EpochRecord: Codable, Sendable, Equatable {
  /// Counted from 0.
  package var epoch: Int
  /// Global steps done when the epoch ended.
  package var step: Int
  /// Mean loss of the weight steps.
  package var trainLoss: Double
  /// Share classified right in the weight steps, 0…1.
  package var trainAccuracy: Double
  /// Cross-entropy on the validation images of the supernet without noise, batch-norm recalibrated.
  package var validationLoss: Double
  /// Share of the validation images classified right, 0…1.
  package var validationAccuracy: Double
  /// Accuracy of the argmax architecture alone with inherited weights, batch-norm recalibrated; in
  /// a training that of the network.
  package var argmaxAccuracy: Double
  /// Σ P·cost, in the metric of the config; FLOPs in a training.
  package var expectedCost: Double
  /// Multiply-accumulates of the argmax architecture, or of the network.
  package var argmaxFlops: Double
  /// Weights of the argmax architecture, or of the network.
  package var argmaxParams: Double
  /// τ during the epoch.
  package var temperature: Double
  /// Wall time of the epoch, validation included and pauses excluded.
  package var seconds: Double
  /// Share of the validation images whose class is among the five most probable, 0…1; nil in a
  /// search.
  package var topFive: Double?
  /// Milliseconds of the argmax architecture by the latency table; nil without one.
  package var argmaxLatency: Double?
  /// Choices that are settled (`Verdict`); nil in a training.
  package var settled: Int?
  /// Mean entropy of the choices' probabilities, bits; nil in a training.
  package var meanEntropyBits: Double?
  /// How the supernet ranks the fixed networks; nil in most epochs and in a training.
  package var ranking: Ranking?

  package init(
    epoch: Int,
    step: Int,
    trainLoss: Double,
    trainAccuracy: Double,
    validationLoss: Double,
    validationAccuracy: Double,
    argmaxAccuracy: Double,
    expectedCost: Double,
    argmaxFlops: Double,
    argmaxParams: Double,
    temperature: Double,
    seconds: Double,
    topFive: Double? = nil,
    argmaxLatency: Double? = nil,
    settled: Int? = nil,
    meanEntropyBits: Double? = nil,
    ranking: Ranking? = nil
  ) {
    self.epoch = epoch
    self.step = step
    self.trainLoss = trainLoss
    self.trainAccuracy = trainAccuracy
    self.validationLoss = validationLoss
    self.validationAccuracy = validationAccuracy
    self.argmaxAccuracy = argmaxAccuracy
    self.expectedCost = expectedCost
    self.argmaxFlops = argmaxFlops
    self.argmaxParams = argmaxParams
    self.temperature = temperature
    self.seconds = seconds
    self.topFive = topFive
    self.argmaxLatency = argmaxLatency
    self.settled = settled
    self.meanEntropyBits = meanEntropyBits
    self.ranking = ranking
  }
}
