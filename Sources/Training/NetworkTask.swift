import Data
import Foundation
import Networks
import Ranks
import Runs
import Tensor

/// The training of one network by a recipe (spec S41): on the training images but for those that
/// evaluate the epochs; the test images are looked at once, at the end.
package final class NetworkTask: TrainingTask {
  package let plan: TrainingPlan
  package let choices: [Choice] = []
  package let remedy = "lower recipe.learning_rate"
  private let configuration: TrainingConfiguration
  private let data: Dataset
  private let split: Split
  private let training: NetworkTraining
  private let schedule: LearningRateSchedule

  /// Builds the network of the run's `network.json`; `ranks` train it together.
  ///
  /// Errors: `.data` for one that cannot be understood or is made for other images,
  /// `.configuration` for fewer shards than ranks.
  package init(
    _ configuration: TrainingConfiguration,
    folder: RunFolder,
    data: Dataset,
    ranks: Ranks? = nil
  ) throws {
    self.configuration = configuration
    self.data = data
    let description: NetworkDescription
    do {
      description = try NetworkFile.parse(try folder.network())
    } catch let fault as NetworkFault {
      let place = fault.path.isEmpty ? "" : ": " + fault.path
      throw UserError(
        .data,
        folder.networkPath + place,
        fault.problem,
        remedy: fault.remedy ?? "restore it from a copy, or start a new run"
      )
    }
    guard
      [description.height, description.width, description.channels, description.classes]
        == [data.height, data.width, data.channels, data.classes]
    else {
      throw UserError(
        .data,
        folder.networkPath,
        "made for \(description.height)x\(description.width)x\(description.channels) images of "
          + "\(Format.counted(description.classes, "class")), the data has "
          + "\(data.height)x\(data.width)x\(data.channels) of \(data.classes)",
        remedy: "start a new run on this data"
      )
    }
    let recipe = configuration.recipe
    split = Split(
      labels: data.train.labels,
      thetaShare: 0,
      validationShare: recipe.validationShare,
      given: data.validation,
      seed: configuration.seed
    )
    try description.checkBatch(
      recipe.batch,
      recalibration: recipe.recalibrationImages,
      images: split.weights.count,
      shards: configuration.shards,
      section: "recipe"
    )
    training = try NetworkTraining(
      description,
      recipe: recipe,
      seed: configuration.seed,
      start: try folder.start(),
      classNames: data.classNames,
      shards: try Shards(configuration.shards, ranks: ranks),
      engine: Engine.ofRun(
        threads: configuration.threads,
        precision: configuration.precision,
        recompute: configuration.recompute
      )
    )
    plan = TrainingPlan(
      epochs: recipe.trainedEpochs,
      warmupEpochs: 0,
      weightSteps: NetworkTask.batches(of: data, split, configuration, epoch: 0).count,
      thetaSteps: 0
    )
    schedule = LearningRateSchedule(recipe)
  }

  /// What is unusual about the validation images, in a line.
  package var finding: String? {
    guard split.validation.isEmpty, configuration.recipe.validationShare > 0 else { return nil }
    return "too few training images to keep one for validation; epochs are evaluated on the test "
      + "images"
  }

  /// What computes the steps.
  package var engine: Engine { training.engine }

  // Nothing is sampled by a temperature here.
  package func temperature(epoch: Int) -> Double? { nil }

  package func theta(step: Int, epoch: Double) -> ThetaRecord? { nil }

  package func batches(_ phase: Phase, epoch: Int) -> BatchPlan {
    var plan = NetworkTask.batches(of: data, split, configuration, epoch: epoch)
    plan.part = training.shards.part
    return plan
  }

  private static func batches(
    of data: Dataset,
    _ split: Split,
    _ configuration: TrainingConfiguration,
    epoch: Int
  ) -> BatchPlan {
    BatchPlan(
      training: data,
      indices: split.weights,
      batch: configuration.recipe.batch,
      augmentation: Augmentation(configuration.dataSettings, for: data),
      seed: configuration.seed,
      epoch: epoch,
      stream: 0
    )
  }

  package func learningRate(_ phase: Phase, epoch: Int, position: Int) -> Double {
    schedule.rate(
      step: epoch * plan.weightSteps + position,
      stepsPerEpoch: plan.weightSteps,
      of: Double(configuration.recipe.epochs)
    )
  }

  package func train(
    _ phase: Phase,
    _ batch: Batch,
    temperature: Double,
    learningRate: Double,
    step: Int
  ) -> StepOutcome {
    training.train(batch, learningRate: learningRate, step: step)
  }

  package func state() -> StateDictionary { training.state() }

  package func restore(_ state: StateDictionary) throws {
    try training.restore(state)
  }

  // MARK: The end of an epoch

  package func validate(_ context: EvaluationContext) throws -> EpochScores? {
    let message = "validating the network"
    let score = try training.averaged { try evaluate(context, validation, message) }
    return score.map {
      EpochScores(
        loss: $0.crossEntropy,
        accuracy: $0.top1,
        argmaxAccuracy: $0.top1,
        expectedCost: training.network.description.flops,
        argmaxFlops: training.network.description.flops,
        argmaxParams: training.network.description.params,
        topFive: $0.top5
      )
    }
  }

  /// The images that an epoch is evaluated on.
  private var validation: BatchPlan {
    split.validation.isEmpty ? test : images(of: data.train, split.validation)
  }

  /// The test images.
  private var test: BatchPlan { images(of: data.test, nil) }

  private func images(of images: PackedImages, _ indices: [Int32]?) -> BatchPlan {
    BatchPlan(evaluating: images, of: data, indices: indices, batch: configuration.recipe.batch)
  }

  /// Evaluates the current weights after a recalibration; nil if somebody asked to stop.
  private func evaluate(
    _ context: EvaluationContext,
    _ plan: BatchPlan,
    _ message: String
  ) throws -> NetworkScore? {
    if try context.stops(message, 0) { return nil }
    recalibrate()
    let evaluator = NetworkEvaluator(training.network, engine: training.engine)
    let scores = try training.shards.byTurns(plan) {
      try context.stops(message, Double($0) / Double(max(1, plan.count)))
    } evaluate: { _, batch in
      var score = NetworkScore()
      evaluator.evaluate(batch, into: &score)
      return score.figures
    }
    return scores.map { $0.reduce(into: NetworkScore()) { $0.add($1) } }
  }

  private func recalibrate() {
    training.recalibrate(
      data.recalibration(
        indices: split.weights,
        images: configuration.recipe.recalibrationImages,
        batch: configuration.recipe.batch,
        seed: configuration.seed
      ).batches
    )
  }

  // MARK: The end of the run

  package func conclude(
    _ context: EvaluationContext,
    log: (String) throws -> Void
  ) throws -> RunResult? {
    let last = try context.lastEpoch()
    let network = training.network
    let tested = try training.averaged {
      try evaluate(context, test, "testing the network on the test images")
        .map { (score: $0, state: network.state()) }
    }
    guard let (score, state) = tested else { return nil }
    guard score.crossEntropy.isFinite else {
      throw context.diverged("the loss of the test images", remedy: remedy)
    }
    let folder = context.folder
    var metadata = data.learned.metadata
    metadata["network"] = NetworkFile.json(network.description)
    let file = Checkpoint(metadata: metadata, state: state)
    try folder.makeExports()
    try file.write(to: folder.weightsPath)
    var hash = SHA256()
    for array in state { hash.update(array.values) }
    return .training(
      TrainingResult(
        event: "done",
        name: network.description.name,
        top1: score.top1,
        top5: score.top5,
        testAccuracy: score.top1,
        testLoss: score.crossEntropy,
        validationAccuracy: last.validationAccuracy,
        validationLoss: last.validationLoss,
        flops: network.description.flops,
        params: network.description.params,
        weightsHash: hash.finalize(),
        weights: folder.absolutePath + "/exports/network.safetensors",
        run: folder.absolutePath,
        epochs: plan.epochs,
        steps: context.step,
        seconds: try context.seconds()
      )
    )
  }
}

extension LearningRateSchedule {
  /// What a recipe says of the learning rate.
  package init(_ recipe: Recipe) {
    let form: Form =
      switch recipe.schedule {
      case .cosine: .cosine
      case .constant: .constant
      case .step: .step(every: recipe.stepEpochs, factor: recipe.decayFactor)
      case .exponential: .exponential(factor: recipe.decayFactor)
      }
    self.init(form: form, peak: recipe.learningRate, warmupEpochs: recipe.warmupEpochs)
  }
}
