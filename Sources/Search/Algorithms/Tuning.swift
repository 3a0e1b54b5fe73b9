import Data
import Networks
import Runs
import Tensor
import Training

/// Ranks networks by how they learn: the mean loss over the first epoch of the training that would
/// follow, from the weights that they have in the search.
///
/// Weights that many networks share say little of how good one of them becomes by a training of its
/// own, and some hundred images tell few networks apart. NetAdapt (Yang et al., ECCV 2018) tunes
/// its proposals briefly before it compares them. The loss is the mean over all images of the
/// epoch, each before the step that it is part of, so it is less noisy than an accuracy afterwards.
/// The validation images of the search take no part, and the weights are thrown away.
///
/// Not Sendable: made and used on one thread.
struct Tuning {
  private let settings: TrainingConfiguration
  private let data: Dataset
  private let images: BatchPlan
  private let engine: Engine

  /// Prepares the first epoch of a training by `settings`; nil where the space has networks of
  /// several resolutions, whose losses say little of one another.
  init?(_ settings: TrainingConfiguration, of task: SearchTask) {
    guard !task.supernet.choices.contains(where: { $0.kind == .resolution }) else { return nil }
    self.settings = settings
    data = task.data
    engine = Engine.ofRun(
      threads: settings.threads,
      precision: settings.precision,
      recompute: settings.recompute
    )
    images = BatchPlan(
      training: task.data,
      indices: (task.split.weights + task.split.theta).sorted(),
      batch: settings.recipe.batch,
      augmentation: Augmentation(settings.dataSettings, for: task.data),
      seed: settings.seed,
      epoch: 0,
      stream: 0
    )
  }

  /// The mean loss of an image over the epoch; nil if `stops`, which receives the share that is
  /// done, ended it.
  ///
  /// - Throws: what `stops` throws.
  func loss(
    _ network: NetworkDescription,
    from weights: Checkpoint,
    stops: (Double) throws -> Bool
  ) throws -> Double? {
    let training = try NetworkTraining(
      network,
      recipe: settings.recipe,
      seed: settings.seed,
      start: weights,
      classNames: data.classNames,
      engine: engine
    )
    let schedule = LearningRateSchedule(settings.recipe)
    var sum = 0.0
    var seen = 0
    for (step, batch) in BatchLoader(images).enumerated() {
      if try stops(Double(seen) / Double(images.images)) { return nil }
      let rate = schedule.rate(
        step: step,
        stepsPerEpoch: images.count,
        of: Double(max(1, settings.recipe.epochs))
      )
      let outcome = training.train(batch, learningRate: rate, step: step)
      sum += outcome.crossEntropy * Double(batch.count)
      seen += batch.count
    }
    return sum / Double(seen)
  }
}
