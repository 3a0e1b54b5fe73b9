/// Which parameters a step trains (spec S9).
package enum Phase: String, Codable, Sendable, CaseIterable {
  case weights, theta
}

/// The figures of one training step.
package struct StepRecord: Codable, Sendable, Equatable {
  /// Steps done before this one, counted over the whole run and both phases.
  package var step: Int
  /// Epoch of the step, counted from 0.
  package var epoch: Int
  /// Which parameters moved.
  package var phase: Phase
  /// The loss that was minimised (spec S8).
  package var loss: Double
  /// The images' part of the loss, mean over the batch.
  package var crossEntropy: Double
  /// Share of the batch classified right, 0…1.
  package var accuracy: Double
  /// Expected cost of the supernet under this step's sample, in the metric of the config; FLOPs of
  /// the network in a training.
  package var cost: Double
  /// τ of the sample.
  package var temperature: Double
  /// Rate of the optimiser that stepped.
  package var learningRate: Double
  /// Wall time of the step, pauses excluded.
  package var seconds: Double
  /// Images of the batch.
  package var images: Int
  /// The learned weight of the cost after the step, in units of the budget; nil where it is fixed.
  package var multiplier: Double?

  package init(
    step: Int,
    epoch: Int,
    phase: Phase,
    loss: Double,
    crossEntropy: Double,
    accuracy: Double,
    cost: Double,
    temperature: Double,
    learningRate: Double,
    seconds: Double,
    images: Int,
    multiplier: Double? = nil
  ) {
    self.step = step
    self.epoch = epoch
    self.phase = phase
    self.loss = loss
    self.crossEntropy = crossEntropy
    self.accuracy = accuracy
    self.cost = cost
    self.temperature = temperature
    self.learningRate = learningRate
    self.seconds = seconds
    self.images = images
    self.multiplier = multiplier
  }
}
