import Runs
import Tensor

/// Which step does what: the run as epochs of a pass over the weights' images, then one over θ's
/// (spec S9).
package struct TrainingPlan: Sendable, Equatable {
  /// Passes over the images of the weights.
  package var epochs: Int
  /// The first of them, in which θ is frozen.
  package var warmupEpochs: Int
  /// Steps of one pass over the images of the weights.
  package var weightSteps: Int
  /// Steps of one pass over the images of θ.
  package var thetaSteps: Int

  package init(
    epochs: Int,
    warmupEpochs: Int,
    weightSteps: Int,
    thetaSteps: Int
  ) {
    self.epochs = epochs
    self.warmupEpochs = warmupEpochs
    self.weightSteps = weightSteps
    self.thetaSteps = thetaSteps
  }

  /// Steps of `epoch`, both phases; θ is frozen during the warm-up.
  package func steps(in epoch: Int) -> Int {
    weightSteps + (epoch < warmupEpochs ? 0 : thetaSteps)
  }

  /// Global steps done before `epoch` starts.
  package func start(of epoch: Int) -> Int {
    epoch * weightSteps + max(0, epoch - warmupEpochs) * thetaSteps
  }

  /// Global steps of the whole run.
  package var totalSteps: Int { start(of: epochs) }

  /// Steps on θ of the whole run.
  package var totalThetaSteps: Int { max(0, epochs - warmupEpochs) * thetaSteps }

  /// What the step at `position` of an epoch trains.
  package func phase(at position: Int) -> Phase {
    position < weightSteps ? .weights : .theta
  }

  /// Steps of each phase after `position` of `epoch`.
  package func remaining(epoch: Int, position: Int) -> (weights: Int, theta: Int) {
    guard epoch < epochs else { return (0, 0) }
    let weights = max(0, weightSteps - position) + (epochs - epoch - 1) * weightSteps
    return (weights, totalSteps - start(of: epoch) - position - weights)
  }

  /// Cosine from `peak` to 0 over all steps of the weights (spec S9).
  package func learningRate(peak: Double, epoch: Int, position: Int) -> Double {
    LearningRateSchedule(form: .cosine, peak: peak)
      .rate(epoch: Double(epoch * weightSteps + position), of: Double(epochs * weightSteps))
  }
}
