import Data
import Runs
import Tensor

/// What a session trains: a supernet and its θ, or the weights of one network.
///
/// Confined to the trainer's queue, as its session is.
package protocol TrainingTask: AnyObject {
  /// Epochs, steps and phases.
  var plan: TrainingPlan { get }
  /// What people may decide; empty without a search.
  var choices: [Choice] { get }
  /// What their options cost, of the choices whose options have prices of their own.
  var choicePrices: [ChoicePrices] { get }
  /// What helps against numbers that grow without bound.
  var remedy: String { get }
  /// When an improbable option leaves the search; nil for never.
  var pruning: Pruning? { get }
  /// What computes the steps.
  var engine: Engine { get }

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
  /// What of a step's outcome, or of the architecture parameters after it, is no finite number; nil
  /// when all is. The loss is the session's to check.
  func fault(_ outcome: StepOutcome, _ phase: Phase) -> NumberFault?
  /// Architecture parameters after a θ step; nil without any.
  func theta(step: Int, epoch: Double) -> ThetaRecord?
  /// Evaluates the epoch that just ended; returns nil if somebody asked to stop meanwhile.
  func validate(_ context: EvaluationContext) throws -> EpochScores?
  /// Writes the exports of a run whose epochs are done; nil if asked to stop.
  ///
  /// Depends on the last checkpoint alone, so a run killed meanwhile ends the same. `log` adds a
  /// line to the run's log.
  func conclude(_ context: EvaluationContext, log: (String) throws -> Void) throws -> RunResult?
  /// Why the training cannot go on by `course`; nil if it can.
  func refusal(_ course: Course) -> String?
  /// Goes on by `course`, from the next step on; `refusal` had nothing against it.
  func follow(_ course: Course)
  /// Up to `count` networks sampled from θ as it is now, evaluated on the validation images; nil if
  /// asked to stop. If `derives`, the most probable one within the budget and its scalings come
  /// first.
  func networks(
    _ count: Int,
    derives: Bool,
    _ context: EvaluationContext
  ) throws -> [DerivedRecord]?
  /// Everything that training continues from.
  func state() -> StateDictionary
  /// Takes up a saved state; throws a `UserError` that names the array that does not fit.
  func restore(_ state: StateDictionary) throws
}

/// A number that is not finite, with the key that usually makes it so.
package struct NumberFault: Sendable, Equatable {
  /// The quantity.
  package var what: String
  /// The configuration's key to blame.
  package var key: String
  /// What to do about it.
  package var remedy: String

  package init(what: String, key: String, remedy: String) {
    self.what = what
    self.key = key
    self.remedy = remedy
  }
}

extension TrainingTask {
  package func fault(_ outcome: StepOutcome, _ phase: Phase) -> NumberFault? { nil }

  /// Takes up the arrays of a checkpoint, and the course that it was on.
  package func restore(_ checkpoint: Checkpoint) throws {
    try restore(checkpoint.state)
    if let place = try? TrainingPlace(metadata: checkpoint.metadata) { follow(place.presentCourse) }
  }
}

extension TrainingTask {
  /// Never, unless a task says otherwise.
  package var pruning: Pruning? { nil }
  /// None, unless a task says otherwise.
  package var choicePrices: [ChoicePrices] { [] }
  /// Nothing, unless a task says otherwise.
  package func refusal(_ course: Course) -> String? { nil }
  /// Nothing to do: the session has temperature and learning rates.
  package func follow(_ course: Course) {}
  /// None: only a search has a θ.
  package func networks(
    _ count: Int,
    derives: Bool,
    _ context: EvaluationContext
  ) throws -> [DerivedRecord]? { [] }
}
