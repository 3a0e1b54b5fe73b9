import Data
import Ranks
import Runs
import Tensor
import Training

/// The search of FBNetV1: weights and θ of a supernet in turns (spec S9); or of the same supernet
/// at random, where θ is frozen and only the weights are trained, on the same images in the same
/// steps (spec S12).
package final class SearchTask: TrainingTask {
  /// The settings, with what people have changed of them.
  private(set) var configuration: Configuration
  let data: Dataset
  let split: Split
  let supernet: Supernet
  package let plan: TrainingPlan
  /// What networks take in milliseconds, where that is known.
  let latency: (any LatencyCost)?
  /// What finds networks during the training: by the gradient of θ, or at random.
  private(set) var algorithm: any SupernetAlgorithm
  /// What shows how far the weights can be trusted to rank networks.
  let thermometer: RankThermometer
  /// The settings that the run was started with.
  private let original: Configuration

  /// Builds the search; `latency` must be there where that is the cost, and `ranks` train together.
  ///
  /// Errors: `.configuration` for a loss that could not stay positive, or a budget out of reach;
  /// `.data` for too few images.
  init(
    _ configuration: Configuration,
    data: Dataset,
    latency: (any LatencyCost)? = nil,
    ranks: Ranks? = nil
  ) throws {
    self.configuration = configuration
    original = configuration
    self.data = data
    split = Split(
      labels: data.train.labels,
      thetaShare: configuration.search.thetaShare,
      validationShare: configuration.search.validationShare,
      given: data.validation,
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
      latency: latency,
      ranks: ranks
    )
    try supernet.space.network(of: Architecture(supernet.choices.map { _ in 0 }), name: "")
      .checkBatch(
        configuration.search.batch,
        recalibration: configuration.search.recalibrationImages,
        images: [split.weights, split.theta].map(\.count).filter { $0 > 0 }.min() ?? 0,
        shards: configuration.shards,
        section: "search"
      )
    let floor = configuration.search.pruneBelow
    let most = supernet.choices.map(\.options.count).max() ?? 1
    if floor * Double(most) >= 1 {
      throw UserError(
        .configuration,
        "search.prune_below",
        "\(floor) is not below 1/\(most), with which each of \(most) options begins",
        remedy: "lower it, or give 0 to ban none"
      )
    }
    thermometer = RankThermometer(configuration, costModel: supernet.costModel)
    let isRandom = configuration.search.algorithm == .random
    plan = TrainingPlan(
      epochs: configuration.search.epochs,
      warmupEpochs: isRandom ? configuration.search.epochs : configuration.search.warmupEpochs,
      weightSteps: SearchTask.batches(.weights, of: data, split, configuration, 0).count,
      thetaSteps: SearchTask.batches(.theta, of: data, split, configuration, 0).count
    )
    algorithm = SearchTask.algorithm(configuration, supernet, plan)
  }

  private static func algorithm(
    _ configuration: Configuration,
    _ supernet: Supernet,
    _ plan: TrainingPlan
  ) -> any SupernetAlgorithm {
    configuration.search.algorithm == .random
      ? RandomSearch(
        configuration,
        costModel: supernet.costModel,
        optionCounts: supernet.space.optionCounts,
        barred: supernet.theta.barred
      )
      : GradientSearch(supernet, configuration: configuration, plan: plan)
  }

  // MARK: Steering

  /// The settings of the start, with a course's cost weight and budget.
  private func settings(_ course: Course) -> Configuration {
    var settings = original
    if let weight = course.costWeight { settings.loss.alpha = weight }
    if let budget = course.budget { settings.budget[settings.search.cost] = budget }
    return settings
  }

  package func refusal(_ course: Course) -> String? {
    let isLearned = supernet.theta.multiplier != nil
    if course.costWeight != nil, isLearned {
      return "the weight of the cost is learned here (loss.multiplier)"
    }
    if course.budget != nil, original.limit == nil {
      return "the search began without a budget: its loss has none to keep"
    }
    let settings = settings(course)
    do {
      try supernet.costModel.check(limit: settings.limit)
      _ = try supernet.loss(settings)
    } catch let error as UserError {
      return "\(error.problem); \(error.remedy)"
    } catch {
      return "\(error)"
    }
    let optionCounts = supernet.space.optionCounts
    let fits = supernet.costModel.mostProbable(
      evenScores(optionCounts, barred: course.barred(optionCounts)),
      within: CostLimit.within(settings.limit)
    )
    return fits == nil ? "no network that is left keeps the budget" : nil
  }

  package func follow(_ course: Course) {
    configuration = settings(course)
    let all = course.barred(supernet.space.optionCounts)
    let barred = all.joined().contains(true) ? all : []
    if barred != supernet.theta.barred {
      supernet.theta.barred = barred
      // The maps of the candidates that have left.
      engine.pool.releaseFree()
    }
    // What was refused never comes here.
    if let loss = try? supernet.loss(configuration) { supernet.theta.take(loss) }
    algorithm = SearchTask.algorithm(configuration, supernet, plan)
  }

  package var choices: [Choice] { supernet.choices }
  package var choicePrices: [ChoicePrices] {
    supernet.space.choicePrices(of: supernet.argmax, latency: latency)
  }

  package var pruning: Pruning? {
    let search = configuration.search
    return search.pruneBelow > 0
      ? Pruning(floor: search.pruneBelow, epochs: search.pruneAfter)
      : nil
  }

  package var remedy: String { "lower weights.learning_rate or loss.alpha" }
  package var engine: Engine { supernet.engine }

  package func temperature(epoch: Int) -> Double? {
    configuration.temperature.value(epoch: epoch, of: plan.epochs)
  }

  package func batches(_ phase: Phase, epoch: Int) -> BatchPlan {
    var plan = SearchTask.batches(phase, of: data, split, configuration, epoch)
    plan.part = supernet.shards.part
    return plan
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
      batch,
      temperature: temperature,
      learningRate: learningRate,
      step: step,
      // No θ step precedes it.
      isWarmup: step < plan.start(of: plan.warmupEpochs)
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
