import Data
import Runs

/// What a session trains: a supernet and its θ, or the weights of one network.
///
/// Confined to the trainer's queue, as its session is.
protocol TrainingTask: AnyObject {
  /// Epochs, steps and phases.
  var plan: TrainingPlan { get }
  /// What people may decide; empty without a search.
  var choices: [Choice] { get }
  /// What helps against numbers that grow without bound.
  var remedy: String { get }

  /// Temperature that the schedule has for an epoch; nil where there is none to bend.
  func temperature(epoch: Int) -> Double?
  /// The pass over the images of a phase.
  func batches(_ phase: Phase, epoch: Int) -> BatchPlan
  /// Rate of the phase's optimiser for a step.
  func learningRate(_ phase: Phase, epoch: Int, position: Int) -> Double
  /// One step of an optimiser; `step` names the random numbers.
  func train(
    _ phase: Phase,
    _ batch: Batch,
    temperature: Double,
    learningRate: Double,
    step: Int
  ) -> StepOutcome
  /// Architecture parameters after a θ step; nil without any.
  func theta(step: Int, epoch: Double) -> ThetaRecord?
  /// Evaluates the epoch that just ended; returns nil if somebody asked to stop meanwhile.
  func validate(_ session: TrainingSession) throws -> EpochRecord?
  /// Writes the exports of a run whose epochs are done; nil if asked to stop.
  func conclude(_ session: TrainingSession) throws -> RunResult?
  /// Everything that training goes on from.
  func state() -> [(name: String, shape: [Int], values: [Float])]
  /// Takes up a saved state; throws a `UserError` that names the array that does not fit.
  func restore(_ state: [String: (shape: [Int], values: [Float])]) throws
}

/// The search of FBNetV1: weights and θ of a supernet in turns (spec S9).
final class SearchTask: TrainingTask {
  let configuration: Configuration
  let data: Dataset
  let split: Split
  let supernet: Supernet
  let plan: TrainingPlan

  init(_ configuration: Configuration, data: Dataset) throws {
    self.configuration = configuration
    self.data = data
    split = Split(
      count: data.train.count,
      thetaShare: configuration.search.thetaShare,
      seed: configuration.seed
    )
    supernet = try Supernet(
      configuration: configuration,
      classes: data.classes,
      channels: data.channels,
      height: data.height,
      width: data.width
    )
    plan = TrainingPlan(
      epochs: configuration.search.epochs,
      warmupEpochs: configuration.search.warmupEpochs,
      weightSteps: SearchTask.batches(.weights, of: data, split, configuration, 0).count,
      thetaSteps: SearchTask.batches(.theta, of: data, split, configuration, 0).count
    )
  }

  var choices: [Choice] { supernet.choices }
  var remedy: String { "lower weights.learning_rate or loss.alpha" }

  func temperature(epoch: Int) -> Double? {
    configuration.temperature.value(epoch: epoch, of: plan.epochs)
  }

  func batches(_ phase: Phase, epoch: Int) -> BatchPlan {
    SearchTask.batches(phase, of: data, split, configuration, epoch)
  }

  private static func batches(
    _ phase: Phase,
    of data: Dataset,
    _ split: Split,
    _ configuration: Configuration,
    _ epoch: Int
  ) -> BatchPlan {
    BatchPlan(
      training: data,
      indices: phase == .weights ? split.weights : split.theta,
      batch: configuration.search.batch,
      augmentation: Augmentation(configuration.data, for: data),
      seed: configuration.seed,
      epoch: epoch,
      stream: phase == .weights ? 0 : 1
    )
  }

  func learningRate(_ phase: Phase, epoch: Int, position: Int) -> Double {
    switch phase {
    case .weights:
      plan.learningRate(
        peak: configuration.weights.learningRate,
        epoch: epoch,
        position: position
      )
    case .theta: configuration.theta.learningRate
    }
  }

  func train(
    _ phase: Phase,
    _ batch: Batch,
    temperature: Double,
    learningRate: Double,
    step: Int
  ) -> StepOutcome {
    supernet.step(
      phase,
      pixels: batch.pixels,
      labels: batch.labels,
      temperature: temperature,
      learningRate: learningRate,
      step: step
    )
  }

  func theta(step: Int, epoch: Double) -> ThetaRecord? {
    ThetaRecord(
      step: step,
      epoch: epoch,
      logits: supernet.theta.logits,
      accuracyPull: supernet.theta.accuracyPull,
      costPull: supernet.theta.costPull
    )
  }

  func state() -> [(name: String, shape: [Int], values: [Float])] { supernet.state() }

  func restore(_ state: [String: (shape: [Int], values: [Float])]) throws {
    try supernet.restore(state)
  }
}
