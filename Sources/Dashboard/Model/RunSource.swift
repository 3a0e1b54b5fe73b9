import Runs

/// Where the dashboard gets a run from and where it puts a person's commands (spec S80).
///
/// The live one reads the run's store; a scripted one serves the tests.
package protocol RunSource {
  /// What is new since the last call; called about ten times a second on the main thread.
  func poll() throws -> RunDelta
  /// Records a command; the trainer takes it up at the next step boundary.
  func request(_ action: Intervention.Action) throws
  /// What the run had come to when `step` steps were done.
  func moment(step: Int) throws -> RunMoment
  /// The run's folder; empty where there is none.
  var path: String { get }
  /// Keeps a text that a person copies, and returns the file; nil where there is no place for it.
  func keep(_ text: String) throws -> String?
}

extension RunSource {
  /// No folder.
  package var path: String { "" }

  /// Nothing beyond what was polled.
  package func moment(step: Int) throws -> RunMoment { RunMoment(step: step) }

  /// No place.
  package func keep(_ text: String) throws -> String? { nil }
}

/// What is new in a run.
///
/// Everything is optional: a run that is just being made has nothing yet.
package struct RunDelta: Sendable {
  /// Whether what was reported before no longer holds: a resumed run has taken steps back.
  package var startsAnew = false
  /// Once, and again only when changed.
  package var summary: RunSummary?
  /// Once known.
  package var choices: [Choice]?
  /// With the choices, and with each epoch: what their options cost.
  package var prices: [ChoicePrices] = []
  /// When it has changed.
  package var status: RunStatus?
  /// Whether the training process is there; nil when that is unknown.
  package var trainerAlive: Bool?
  /// Seconds since 1970 of the trainer's last sign of life; nil when that was not asked.
  package var lastSign: Double?
  /// Whether this viewer may steer, when that has changed.
  package var steering: Steering?
  /// In order of their step, as the others.
  package var steps: [StepRecord] = []
  /// Architecture parameters after each θ step.
  package var thetas: [ThetaRecord] = []
  /// Epochs that have ended.
  package var epochs: [EpochRecord] = []
  /// New ones and those whose state has changed.
  package var interventions: [Intervention] = []
  /// Candidates of a joint search that are new or have changed.
  package var trials: [TrialRecord] = []
  /// When it has changed: how far a joint search has come beside them.
  package var joint: JointProgress?
  /// Networks derived from a search, when they have changed.
  package var derived: [DerivedRecord]?
  /// Once a second: free space on the disk of the run, bytes.
  package var freeBytes: Int?
  /// Lines of the run's log.
  package var log: [LogRecord] = []
  /// Whether more was recorded than one look takes: the next one need not wait.
  package var hasMore = false
  /// Once the run has finished.
  package var result: RunResult?

  package init() {}

  /// Whether there is nothing new at all.
  var isEmpty: Bool {
    !startsAnew && summary == nil && choices == nil && prices.isEmpty && status == nil
      && trainerAlive == nil && lastSign == nil && steering == nil && steps.isEmpty
      && thetas.isEmpty && epochs.isEmpty && interventions.isEmpty && trials.isEmpty
      && joint == nil && derived == nil && freeBytes == nil && log.isEmpty && result == nil
  }
}

/// What the dashboard wants to know of a run's settings.
package struct RunSummary: Sendable, Equatable {
  /// What the run does.
  package var kind: RunKind
  /// Name of the run's folder.
  package var name: String
  /// Name of the preset that the settings started from.
  package var preset: String
  /// What is trained on.
  package var data: String
  /// Seed of every random number.
  package var seed: UInt64
  /// Epochs of the whole run.
  package var epochs: Int
  /// Epochs before θ moves.
  package var warmupEpochs: Int
  /// Temperature over the epochs.
  package var schedule: TemperatureSchedule
  /// Metric of the cost.
  package var costMetric: CostMetric
  /// Cost to stay near, 0 when there is none.
  package var budget: Double
  /// Networks that a random search will sample; nil in other runs.
  package var randomNetworks: Int?
  /// How one network is trained; nil in a search.
  package var recipe: Recipe?

  package init(
    kind: RunKind = .search,
    name: String,
    preset: String,
    data: String,
    seed: UInt64,
    epochs: Int,
    warmupEpochs: Int,
    schedule: TemperatureSchedule,
    costMetric: CostMetric,
    budget: Double
  ) {
    self.kind = kind
    self.name = name
    self.preset = preset
    self.data = data
    self.seed = seed
    self.epochs = epochs
    self.warmupEpochs = warmupEpochs
    self.schedule = schedule
    self.costMetric = costMetric
    self.budget = budget
  }

  /// The summary of a run called `name` with these settings.
  package init(name: String, settings: RunSettings) {
    switch settings {
    case .search(let configuration):
      self.init(
        kind: settings.kind,
        name: name,
        preset: configuration.preset,
        data: configuration.data.source,
        seed: configuration.seed,
        epochs: configuration.search.epochs,
        warmupEpochs: configuration.search.warmupEpochs,
        schedule: configuration.temperature,
        costMetric: configuration.search.cost,
        budget: configuration.limit ?? 0
      )
      if kind == .random { randomNetworks = configuration.search.randomNetworks }
    case .joint(let configuration):
      self.init(
        kind: settings.kind,
        name: name,
        preset: configuration.preset,
        data: configuration.data.source,
        seed: configuration.seed,
        epochs: configuration.recipe.epochs,
        warmupEpochs: 0,
        schedule: TemperatureSchedule(form: .constant, start: 1, rate: 0, end: 1),
        costMetric: .flops,
        budget: configuration.budget.flops
      )
    case .training(let configuration):
      self.init(
        kind: settings.kind,
        name: name,
        preset: configuration.network,
        data: configuration.data.source,
        seed: configuration.seed,
        epochs: configuration.recipe.epochs,
        warmupEpochs: 0,
        schedule: TemperatureSchedule(form: .constant, start: 1, rate: 0, end: 1),
        costMetric: .flops,
        budget: 0
      )
      recipe = configuration.recipe
    }
  }
}
