/// Architecture parameters after a θ step, with the two parts of their gradient kept apart (spec
/// S83).
package struct ThetaRecord: Sendable, Equatable {
  /// The θ step that left these, as in `StepRecord`.
  package var step: Int
  /// Fractional epoch at which the step ended.
  package var epoch: Double
  /// Logits, `[choice][option]`.
  package var logits: [[Float]]
  /// Part of ∂L/∂θ that comes through the images' loss, same shape.
  package var accuracyPull: [[Float]]
  /// Part of ∂L/∂θ that comes through the cost, same shape.
  package var costPull: [[Float]]
  /// The learned weight of the cost after the step (spec S8); nil where it is fixed.
  package var multiplier: Double?
  /// Cost expected under these parameters, in the metric of the run; nil where none is known.
  package var expectedCost: Double?

  package init(
    step: Int,
    epoch: Double,
    logits: [[Float]],
    accuracyPull: [[Float]],
    costPull: [[Float]],
    multiplier: Double? = nil,
    expectedCost: Double? = nil
  ) {
    self.step = step
    self.epoch = epoch
    self.logits = logits
    self.accuracyPull = accuracyPull
    self.costPull = costPull
    self.multiplier = multiplier
    self.expectedCost = expectedCost
  }
}
