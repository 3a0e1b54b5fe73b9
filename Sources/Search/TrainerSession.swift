import Data
import Foundation
import Runs
import Tensor

/// One training of a run, confined to the trainer's queue: the alternating optimisation of spec S9.
///
/// Topics live beside it: what people ask in `TrainerSession+Interventions`, the end of an epoch in
/// `TrainerSession+Evaluation`, the end of the run in `TrainerSession+Result`.
final class TrainingSession {
  let folder: RunFolder
  let store: RunStore
  let configuration: Configuration
  let data: Dataset
  let split: Split
  let supernet: Supernet
  let plan: TrainingPlan

  /// Epoch under way, steps done in it, steps done in all.
  var epoch = 0
  var position = 0
  var step = 0
  var steering = Steering()
  /// Temperature of the last step done; the evaluation after it uses the same.
  var lastTemperature: Double
  /// The last temperature intervention taken up; a resumed run repeats those after it.
  var lastIntervention: Int64 = 0
  /// Temperature interventions of an earlier process that come again, in the order of their steps.
  var replay: [Intervention] = []
  /// Single steps asked for and not done yet, and requests to stop, by their ids.
  var openSteps: [Int64] = []
  var openStops: [Int64] = []

  var status: RunStatus
  var pace = Pace()
  private var loader: (phase: Phase, batches: BatchLoader)?
  private var lastCheckpoint = ContinuousClock.now

  /// Time after which a checkpoint is written in the middle of an epoch.
  private static let checkpointInterval = Duration.seconds(300)

  init(folder: RunFolder, store: RunStore, data: Dataset) throws {
    self.folder = folder
    self.store = store
    self.data = data
    let configuration = try folder.configuration()
    self.configuration = configuration
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
      weightSteps: TrainingSession.batches(.weights, of: data, split, configuration, 0).count,
      thetaSteps: TrainingSession.batches(.theta, of: data, split, configuration, 0).count
    )
    lastTemperature = configuration.temperature.value(epoch: 0, of: plan.epochs)
    status = try store.reader.status() ?? RunStatus()
  }

  // MARK: The loop

  /// Trains to the end of the run, or until somebody asks to stop; returns nil then.
  func train() throws -> SearchResult? {
    while epoch < plan.epochs {
      while position < plan.steps(in: epoch) {
        if try takeUpInterventions() { return try stop() }
        try trainStep()
      }
      loader = nil
      guard let record = try validate() else { return try stop() }
      try store.record(epoch: record)
      epoch += 1
      position = 0
      try saveCheckpoint()
    }
    guard let result = try conclude() else { return try stop() }
    return result
  }

  private func trainStep() throws {
    let clock = ContinuousClock()
    let start = clock.now
    let phase = plan.phase(at: position)
    let batch = nextBatch(phase)
    let temperature = temperature
    let rate =
      switch phase {
      case .weights:
        plan.learningRate(
          peak: configuration.weights.learningRate,
          epoch: epoch,
          position: position
        )
      case .theta: configuration.theta.learningRate
      }
    let outcome = supernet.step(
      phase,
      pixels: batch.pixels,
      labels: batch.labels,
      temperature: temperature,
      learningRate: rate,
      step: step
    )
    guard outcome.loss.isFinite else { throw diverged("the loss of step \(step)") }

    let seconds = (clock.now - start).seconds
    pace.step(phase, seconds: seconds, images: batch.labels.count)
    let record = StepRecord(
      step: step,
      epoch: epoch,
      phase: phase,
      loss: outcome.loss,
      crossEntropy: outcome.crossEntropy,
      accuracy: Double(outcome.correct) / Double(batch.labels.count),
      cost: outcome.cost,
      temperature: temperature,
      learningRate: rate,
      seconds: seconds,
      images: batch.labels.count
    )
    step += 1
    position += 1
    lastTemperature = temperature
    steering.didStep()
    let theta =
      phase == .theta
      ? ThetaRecord(
        step: record.step,
        epoch: Double(epoch) + Double(position) / Double(plan.steps(in: epoch)),
        logits: supernet.logits,
        accuracyPull: supernet.accuracyPull,
        costPull: supernet.costPull
      )
      : nil
    status.state = .running
    updateStatus()
    try store.record(step: record, theta: theta, status: status)
    try finishSingleStep()
    if clock.now - lastCheckpoint > TrainingSession.checkpointInterval { try saveCheckpoint() }
  }

  /// The error for a number that is none; what was saved before stays the newest checkpoint.
  func diverged(_ what: String) -> UserError {
    UserError(
      .configuration,
      "epoch \(epoch + 1)",
      "\(what) is not a finite number",
      remedy: "lower weights.learning_rate or loss.alpha; the last checkpoint is kept"
    )
  }

  /// Temperature of the next step.
  var temperature: Double { steering.heldTemperature ?? scheduledTemperature }

  /// What the schedule says of the next step; after an epoch's last step that is the next epoch's.
  var scheduledTemperature: Double {
    let next = position < plan.steps(in: epoch) ? epoch : epoch + 1
    return configuration.temperature.value(epoch: min(next, plan.epochs - 1), of: plan.epochs)
  }

  // MARK: Batches

  private func nextBatch(_ phase: Phase) -> Batch {
    let index = phase == .weights ? position : position - plan.weightSteps
    if loader?.phase != phase || loader?.batches.nextBatch != index {
      let batches = TrainingSession.batches(phase, of: data, split, configuration, epoch)
      loader = (phase, BatchLoader(batches, from: index))
    }
    guard let batch = loader?.batches.next() else {
      preconditionFailure("no batch \(index) of \(phase) in epoch \(epoch)")
    }
    return batch
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

  // MARK: Checkpoints

  /// Writes a checkpoint of this moment.
  func saveCheckpoint() throws {
    let place = TrainingPlace(
      epoch: epoch,
      position: position,
      step: step,
      heldTemperature: steering.heldTemperature,
      lastTemperature: lastTemperature,
      lastIntervention: lastIntervention
    )
    let tensors = supernet.state().map {
      Checkpoint.Tensor(name: $0.name, shape: $0.shape, values: $0.values)
    }
    try folder.writeCheckpoint(
      Checkpoint(metadata: try place.metadata(), tensors: tensors),
      step: step
    )
    lastCheckpoint = .now
  }

  /// Goes back to where `checkpoint` was taken.
  func restore(_ checkpoint: Checkpoint) throws {
    let place = try TrainingPlace(metadata: checkpoint.metadata)
    var state: [String: (shape: [Int], values: [Float])] = [:]
    for tensor in checkpoint.tensors { state[tensor.name] = (tensor.shape, tensor.values) }
    try supernet.restore(state)
    epoch = place.epoch
    position = place.position
    step = place.step
    steering.heldTemperature = place.heldTemperature
    lastTemperature = place.lastTemperature
    lastIntervention = place.lastIntervention
  }

  private func stop() throws -> SearchResult? {
    try saveCheckpoint()
    for id in openStops { try store.finish(id) }
    status.state = .stopped
    status.message = "stopped at step \(step)"
    updateStatus()
    try store.setStatus(status)
    return nil
  }
}

/// Where in a run a checkpoint was taken; kept in the checkpoint's metadata.
struct TrainingPlace: Codable, Sendable, Equatable {
  var epoch: Int
  var position: Int
  var step: Int
  var heldTemperature: Double?
  var lastTemperature: Double
  var lastIntervention: Int64

  private static let key = "training"

  func metadata() throws -> [String: String] {
    [TrainingPlace.key: String(decoding: try JSONEncoder().encode(self), as: UTF8.self)]
  }
}

extension TrainingPlace {
  init(metadata: [String: String]) throws {
    guard let text = metadata[TrainingPlace.key],
      let place = try? JSONDecoder().decode(TrainingPlace.self, from: Foundation.Data(text.utf8))
    else {
      throw UserError(
        .data,
        "checkpoint",
        "does not say where training was",
        remedy: "delete it and resume from the one before"
      )
    }
    self = place
  }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }
}
