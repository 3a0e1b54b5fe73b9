import Data
import Foundation
import Ranks
import Runs
import Tensor

/// One training of a run, confined to the trainer's queue: its loop, its records and its
/// checkpoints.
///
/// What is trained, and how that is evaluated, is the task's; what people ask for is in
/// `TrainingSession+Interventions`.
final class TrainingSession: RunSession {
  let folder: RunFolder
  let store: RunStore
  let task: any TrainingTask
  let plan: TrainingPlan
  /// The processes that do the same; nil for this one alone.
  let ranks: Ranks?

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
  /// Networks asked for, with the request's id.
  var openNetworks: [(id: Int64, count: Int, derives: Bool)] = []
  /// Whether such networks are being evaluated.
  var isEvaluatingNetworks = false

  var status: RunStatus
  var pace = Pace()
  private(set) var profile = StepProfile()
  /// Prices that the store has.
  private var knownPrices: [ChoicePrices] = []
  private var loader: (phase: Phase, batches: BatchLoader)?
  private var lastCheckpoint = ContinuousClock.now
  /// Steps done when the newest checkpoint was written.
  private(set) var lastCheckpointStep: Int?
  /// The course that the task goes by.
  private var followed = Course()

  /// Time after which a checkpoint is written in the middle of an epoch.
  private static let checkpointInterval = Duration.seconds(300)

  init(folder: RunFolder, store: RunStore, task: any TrainingTask, ranks: Ranks? = nil) throws {
    self.folder = folder
    self.ranks = ranks
    self.store = store
    self.task = task
    plan = task.plan
    lastTemperature = task.temperature(epoch: 0) ?? 0
    status = try store.reader.status() ?? RunStatus()
  }

  // MARK: The loop

  /// Trains to the end of the run, or until somebody asks to stop; returns nil then.
  func train() throws -> RunResult? {
    while epoch < plan.epochs {
      if position == 0 { try prune() }
      while position < plan.steps(in: epoch) {
        if try takeUpInterventions() { return try stop() }
        try trainStep()
      }
      loader = nil
      guard let record = try validate() else { return try stop() }
      try store.record(epoch: record)
      let prices = task.choicePrices
      if prices != knownPrices { try store.setPrices(prices) }
      knownPrices = prices
      epoch += 1
      position = 0
      try saveCheckpoint()
      steering.didEnd(epochs: epoch)
    }
    if try takeUpInterventions() { return try stop() }
    follow()
    guard let result = try task.conclude(evaluation, log: { try store.log(.info, $0) }) else {
      return try stop()
    }
    try store.setResult(try result.json())
    status.state = .finished
    status.message = "finished"
    updateStatus()
    try store.setStatus(status)
    return result
  }

  /// Lets the task go by what people have changed: between two steps alone, so that an evaluation
  /// under way ends as it began.
  func follow() {
    guard steering.course != followed else { return }
    task.follow(steering.course)
    followed = steering.course
  }

  private func trainStep() throws {
    let clock = ContinuousClock()
    let start = clock.now
    let phase = plan.phase(at: position)
    let batch = nextBatch(phase)
    let temperature = temperature
    follow()
    let rate =
      task.learningRate(phase, epoch: epoch, position: position) * steering.course.rate(phase)
    // A sample divides θ and its noise by it, in 32 bits.
    if task.temperature(epoch: epoch) != nil, !Float(1e6 / temperature).isFinite || temperature <= 0
    {
      throw diverged(
        NumberFault(
          what: "1/temperature",
          key: "temperature.end",
          remedy: "raise temperature.end or lower temperature.rate"
        )
      )
    }
    let outcome = profile.measure(step, on: task.engine) {
      task.train(phase, batch, temperature: temperature, learningRate: rate, step: step)
    }
    // In this order the first cause is reported: the images' loss, then the cost and θ, then both
    // together.
    guard outcome.crossEntropy.isFinite else { throw diverged("the loss of step \(step)") }
    if let fault = task.fault(outcome, phase) { throw diverged(fault) }
    guard outcome.loss.isFinite else { throw diverged("the loss of step \(step)") }

    let seconds = (clock.now - start).seconds
    pace.step(phase, seconds: seconds, images: batch.total)
    let record = StepRecord(
      step: step,
      epoch: epoch,
      phase: phase,
      loss: outcome.loss,
      crossEntropy: outcome.crossEntropy,
      accuracy: Double(outcome.correct) / Double(batch.total),
      cost: outcome.cost,
      temperature: temperature,
      learningRate: rate,
      seconds: seconds,
      images: batch.total,
      multiplier: outcome.multiplier
    )
    step += 1
    position += 1
    lastTemperature = temperature
    steering.didStep()
    let theta =
      phase == .theta
      ? task.theta(
        step: record.step,
        epoch: Double(epoch) + Double(position) / Double(plan.steps(in: epoch))
      )
      : nil
    status.state = .running
    updateStatus()
    try store.record(step: record, theta: theta, status: status)
    try finishSingleStep()
    if clock.now - lastCheckpoint > TrainingSession.checkpointInterval { try saveCheckpoint() }
  }

  /// The error for a loss that is no finite number; what was saved before stays the newest
  /// checkpoint.
  private func diverged(_ what: String) -> UserError {
    evaluation.diverged(what, remedy: task.remedy)
  }

  /// The same for a number other than the loss, which names its key.
  private func diverged(_ fault: NumberFault) -> UserError {
    UserError(
      .configuration,
      fault.key,
      "\(fault.what) of step \(step) in epoch \(epoch + 1) is not a finite number",
      remedy: fault.remedy + "; the last checkpoint is kept"
    )
  }

  // MARK: The end of an epoch

  /// Evaluates the epoch that just ended; nil if somebody asked to stop meanwhile.
  private func validate() throws -> EpochRecord? {
    let clock = ContinuousClock()
    let start = clock.now
    guard let scores = try task.validate(evaluation) else { return nil }
    guard scores.loss.isFinite else { throw diverged("the validation loss") }
    let seconds = (clock.now - start).seconds
    pace.validation(seconds: seconds)
    let trained = try trained()
    return EpochRecord(
      epoch: epoch,
      step: step,
      trainLoss: trained.loss,
      trainAccuracy: trained.accuracy,
      validationLoss: scores.loss,
      validationAccuracy: scores.accuracy,
      argmaxAccuracy: scores.argmaxAccuracy,
      expectedCost: scores.expectedCost,
      argmaxFlops: scores.argmaxFlops,
      argmaxParams: scores.argmaxParams,
      temperature: lastTemperature,
      seconds: trained.seconds + seconds,
      topFive: scores.topFive,
      argmaxLatency: scores.argmaxLatency,
      settled: scores.settled,
      meanEntropyBits: scores.meanEntropyBits,
      ranking: scores.ranking
    )
  }

  var evaluation: EvaluationContext {
    EvaluationContext(
      epoch: epoch,
      step: step,
      temperature: lastTemperature,
      folder: folder,
      records: store.reader,
      stops: takeUpInterventions(evaluating:progress:)
    )
  }

  /// Means over the images of the weight steps of the epoch under way; seconds of all its steps.
  ///
  /// From the store and not from memory, so that a resume in mid-epoch gives the same means.
  private func trained() throws -> (loss: Double, accuracy: Double, seconds: Double) {
    let steps = try store.reader.steps(after: plan.start(of: epoch) - 1)
      .filter { $0.epoch == epoch }
    let trained = steps.filter { $0.phase == .weights }
    let images = Double(max(1, trained.reduce(0) { $0 + $1.images }))
    return (
      trained.reduce(0) { $0 + $1.loss * Double($1.images) } / images,
      trained.reduce(0) { $0 + $1.accuracy * Double($1.images) } / images,
      steps.reduce(0) { $0 + $1.seconds }
    )
  }

  /// Temperature of the next step.
  var temperature: Double { steering.heldTemperature ?? scheduledTemperature }

  /// What the schedule says of the next step; after an epoch's last step that is the next epoch's.
  var scheduledTemperature: Double {
    let next = position < plan.steps(in: epoch) ? epoch : epoch + 1
    return task.temperature(epoch: min(next, plan.epochs - 1)) ?? 0
  }

  // MARK: Batches

  private func nextBatch(_ phase: Phase) -> Batch {
    let index = phase == .weights ? position : position - plan.weightSteps
    if loader?.phase != phase || loader?.batches.nextBatch != index {
      loader = (phase, BatchLoader(task.batches(phase, epoch: epoch), from: index))
    }
    guard let batch = loader?.batches.next() else {
      preconditionFailure("no batch \(index) of \(phase) in epoch \(epoch)")
    }
    return batch
  }

  // MARK: Checkpoints

  /// Writes a checkpoint of this moment.
  func saveCheckpoint() throws {
    let place = TrainingPlace(
      epoch: epoch,
      position: position,
      step: step,
      heldTemperature: steering.heldTemperature,
      course: steering.course,
      earlier: steering.earlier,
      lastTemperature: lastTemperature,
      lastIntervention: lastIntervention
    )
    // The run is the lead's.
    if ranks?.isLead ?? true {
      try folder.writeCheckpoint(
        Checkpoint(metadata: try place.metadata(), state: task.state()),
        step: step,
        confirm: store.confirm
      )
    }
    lastCheckpoint = .now
    lastCheckpointStep = step
  }

  /// Goes back to where `checkpoint` was taken.
  func restore(_ checkpoint: Checkpoint) throws {
    let place = try TrainingPlace(metadata: checkpoint.metadata)
    try task.restore(checkpoint)
    epoch = place.epoch
    position = place.position
    step = place.step
    steering.restore(place.presentCourse, earlier: place.earlier ?? [])
    followed = steering.course
    lastTemperature = place.lastTemperature
    lastIntervention = place.lastIntervention
  }

  private func stop() throws -> RunResult? {
    try saveCheckpoint()
    for id in openStops { try store.finish(id) }
    status.state = .stopped
    status.message = "stopped at step \(step)"
    updateStatus()
    try store.setStatus(status)
    return nil
  }
}
