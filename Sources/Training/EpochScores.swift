import Runs

/// What the evaluation at the end of an epoch came to; all of it on validation images.
package struct EpochScores: Sendable, Equatable {
  /// Mean cross-entropy: of the supernet without noise in a search, else of the network.
  package var loss: Double
  /// Share of the images classified right, 0…1.
  package var accuracy: Double
  /// The same of the most probable network alone; in a training that of the network.
  package var argmaxAccuracy: Double
  /// Cost expected under softmax(θ), in the metric of the configuration; FLOPs in a training.
  package var expectedCost: Double
  /// Multiply-accumulates of the most probable network, or of the network.
  package var argmaxFlops: Double
  /// Weights of the same.
  package var argmaxParams: Double
  /// Milliseconds of the same by the latency table; nil without one.
  package var argmaxLatency: Double?
  /// Share whose class is among the five most probable, 0…1; nil in a search.
  package var topFive: Double?
  /// Choices that are settled (`Verdict`); nil in a training.
  package var settled: Int?
  /// Mean entropy of the choices' probabilities, bits; nil in a training.
  package var meanEntropyBits: Double?
  /// How the supernet ranks the fixed networks; nil in most epochs and in a training.
  package var ranking: Ranking?

  package init(
    loss: Double,
    accuracy: Double,
    argmaxAccuracy: Double,
    expectedCost: Double,
    argmaxFlops: Double,
    argmaxParams: Double,
    argmaxLatency: Double? = nil,
    topFive: Double? = nil,
    settled: Int? = nil,
    meanEntropyBits: Double? = nil,
    ranking: Ranking? = nil
  ) {
    self.loss = loss
    self.accuracy = accuracy
    self.argmaxAccuracy = argmaxAccuracy
    self.expectedCost = expectedCost
    self.argmaxFlops = argmaxFlops
    self.argmaxParams = argmaxParams
    self.argmaxLatency = argmaxLatency
    self.topFive = topFive
    self.settled = settled
    self.meanEntropyBits = meanEntropyBits
    self.ranking = ranking
  }
}
