import Data
import Runs
import Tensor
import Training

/// The search of FBNetV1: weights and θ of a supernet in turns (spec S9); or of the same supernet
/// at random, where θ is frozen and only the weights are trained, on the same images in the same
/// steps (spec S12).
package final class SearchTask: TrainingTask {
  let configuration: Configuration
  let data: Dataset
  let split: Split
  let supernet: Supernet
  package let plan: TrainingPlan
  /// What networks take in milliseconds, where that is known.
  let latency: (any LatencyCost)?
  /// What finds networks during the training: by the gradient of θ, or at random.
  let algorithm: any SupernetAlgorithm

  /// Builds the search; `latency` must be there where that is the cost.
  ///
  /// Errors: `.configuration` for a loss that could not stay positive, or a budget out of reach;
  /// `.data` for too few images.
  init(_ configuration: Configuration, data: Dataset, latency: (any LatencyCost)? = nil) throws {
    self.configuration = configuration
    self.data = data
    split = Split(
      labels: data.train.labels,
      thetaShare: configuration.search.thetaShare,
      validationShare: configuration.search.validationShare,
      seed: configuration.seed
    )
    for (images, purpose) in [(split.theta, "theta"), (split.validation, "validation")]
    where images.isEmpty {
      throw UserError(
        .data,
        configuration.data.source,
        "none left for \(purpose) of \(Format.counted(data.train.count, "training image")) in "
          + Format.counted(data.classes, "class"),
        remedy: "add images: each class keeps one for the weights"
      )
    }
    self.latency = latency
    supernet = try Supernet(
      configuration: configuration,
      classes: data.classes,
      channels: data.channels,
      height: data.height,
      width: data.width,
      latency: latency
    )
    try supernet.space.network(of: Architecture(supernet.choices.map { _ in 0 }), name: "")
      .checkBatch(
        configuration.search.batch,
        recalibration: configuration.search.recalibrationImages,
        images: [split.weights, split.theta].map(\.count).filter { $0 > 0 }.min() ?? 0,
        section: "search"
      )
    let isRandom = configuration.search.algorithm == .random
    plan = TrainingPlan(
      epochs: configuration.search.epochs,
      warmupEpochs: isRandom ? configuration.search.epochs : configuration.search.warmupEpochs,
      weightSteps: SearchTask.batches(.weights, of: data, split, configuration, 0).count,
      thetaSteps: SearchTask.batches(.theta, of: data, split, configuration, 0).count
    )
    algorithm =
      isRandom
      ? RandomSearch(
        configuration,
        costModel: supernet.costModel,
        optionCounts: supernet.space.optionCounts
      )
      : GradientSearch(supernet, configuration: configuration, plan: plan)
  }

  package var choices: [Choice] { supernet.choices }
  package var choicePrices: [ChoicePrices] {
    supernet.space.choicePrices(of: supernet.argmax, latency: latency)
  }

  package var remedy: String { "lower weights.learning_rate or loss.alpha" }

  package func temperature(epoch: Int) -> Double? {
    configuration.temperature.value(epoch: epoch, of: plan.epochs)
  }

  package func batches(_ phase: Phase, epoch: Int) -> BatchPlan {
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

  package func learningRate(_ phase: Phase, epoch: Int, position: Int) -> Double {
    switch phase {
    case .weights:
      plan.learningRate(
        peak: configuration.weights.learningRate,
        epoch: epoch,
        position: position
      )
    case .theta: configuration.theta.learningRate.value(steps: plan.totalThetaSteps)
    }
  }

  package func train(
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

  package func theta(step: Int, epoch: Double) -> ThetaRecord? {
    ThetaRecord(
      step: step,
      epoch: epoch,
      logits: supernet.theta.logits,
      accuracyPull: supernet.theta.accuracyPull,
      costPull: supernet.theta.costPull,
      multiplier: supernet.theta.costWeight,
      expectedCost: supernet.expectedCost
    )
  }

  /// The first thing of a step that is no finite number, and the key that is to blame.
  package func fault(_ outcome: StepOutcome, _ phase: Phase) -> NumberFault? {
    if !outcome.cost.isFinite {
      return NumberFault(
        what: "the expected cost",
        key: "theta.learning_rate",
        remedy: "lower theta.learning_rate or loss.alpha"
      )
    }
    guard phase == .theta else { return nil }
    func isFinite(_ arrays: [[Float]]) -> Bool { arrays.allSatisfy { $0.allSatisfy(\.isFinite) } }
    let theta = supernet.theta
    if !isFinite(theta.accuracyPull + theta.costPull) {
      return NumberFault(
        what: "the gradient of theta",
        key: "loss.alpha",
        remedy: "lower loss.alpha or raise temperature.end"
      )
    }
    // Adam's moments as well: what is infinite in them holds θ still for good.
    return isFinite(theta.state().map(\.values)) && theta.expectedCost.isFinite
      ? nil
      : NumberFault(
        what: "theta",
        key: "theta.learning_rate",
        remedy: "lower theta.learning_rate or loss.alpha"
      )
  }

  package func state() -> StateDictionary { supernet.state() }

  package func restore(_ state: StateDictionary) throws {
    try supernet.restore(state)
  }
}
