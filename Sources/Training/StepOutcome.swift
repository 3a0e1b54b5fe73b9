/// What one training step came to.
package struct StepOutcome: Sendable, Equatable {
  /// The minimised loss (spec S8).
  package var loss: Double
  /// Mean over the batch.
  package var crossEntropy: Double
  /// Expected cost of the whole network under this step's sample.
  package var cost: Double
  /// Images classified right.
  package var correct: Int
  /// The learned weight of the cost after the step; nil where it is fixed.
  package var multiplier: Double?

  package init(
    loss: Double,
    crossEntropy: Double,
    cost: Double,
    correct: Int,
    multiplier: Double? = nil
  ) {
    self.loss = loss
    self.crossEntropy = crossEntropy
    self.cost = cost
    self.correct = correct
    self.multiplier = multiplier
  }
}
