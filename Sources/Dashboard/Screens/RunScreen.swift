import Runs

/// What the dashboard shows of a run, as values: all that eyes have, for programs and screen
/// readers.
///
/// A pure function of the model, as the frame is. `status` is always there, of the others those
/// that are asked for and that the kind of run has.
package struct RunScreen: Encodable, Sendable {
  let event = "screen"
  /// The run's folder.
  package var run: String
  /// What the run does.
  let kind: RunKind
  let status: StatusScreen
  var choices: [ChoiceScreen]?
  var choice: InspectorScreen?
  var learning: [CurveScreen]?
  var cost: CostScreen?
  var networks: NetworksScreen?
  var candidates: CandidatesScreen?
  var recipe: [FactScreen]?
  var log: LogScreen?
  var system: SystemScreen?

  /// The screens `names` of a model; the inspector is that of the chosen choice.
  init(_ model: Model, run: String, names: Set<ScreenName>) {
    self.run = run
    kind = model.kind
    status = StatusScreen(model)
    if names.contains(.choices) {
      choices = model.choices.indices.map { ChoiceScreen(model, $0) }
    }
    if names.contains(.choice), model.choices.indices.contains(model.selection) {
      choice = InspectorScreen(model, model.selection)
    }
    if names.contains(.learning) { learning = CurveScreen.learning(model) }
    if names.contains(.cost) { cost = CostScreen(model) }
    if names.contains(.networks) { networks = NetworksScreen(model) }
    if names.contains(.candidates) { candidates = CandidatesScreen(model) }
    if names.contains(.recipe) {
      recipe = facts(model).map { FactScreen(name: $0.name, text: $0.text) }
    }
    if names.contains(.log) { log = LogScreen(model) }
    if names.contains(.system) { system = SystemScreen(model) }
  }
}

/// State and progress.
struct StatusScreen: Encodable, Sendable {
  let state: RunStatus.State
  /// The state as the dashboard's badge says it: `RUNNING`, `TRAINER GONE`.
  let badge: String
  /// Whether it is of a moment of the past.
  let isPast: Bool
  /// What the line of messages says while nobody asks for anything.
  let message: String
  let epoch: Int
  let epochs: Int
  let step: Int
  let steps: Int
  /// Share of the run that is done.
  let progress: Double
  let trainerAlive: Bool?
  let etaSeconds: Double?
  /// Accuracy on the validation images: of the last epoch, in a joint search of the best candidate.
  let valAccuracy: Double?
  /// Accuracy on the test images of what a finished run leaves.
  let testAccuracy: Double?

  init(_ model: Model) {
    let status = model.status ?? RunStatus()
    state = status.state
    badge = stateBadge(model).word
    isPast = model.future != nil
    message = model.future == nil ? statusText(model) : ""
    (epoch, epochs) = (status.epoch, status.epochs)
    (step, steps) = (status.step, status.totalSteps)
    progress = model.progress
    trainerAlive = model.trainerAlive
    etaSeconds = model.isOver ? nil : status.etaSeconds
    valAccuracy =
      model.kind == .joint
      ? model.bestCandidate?.accuracies.last : model.epochs.last?.validationAccuracy
    testAccuracy = model.testAccuracy
  }
}

/// Throughput, memory and time left.
struct SystemScreen: Encodable, Sendable {
  let imagesPerSecond: Double?
  let memoryBytes: Int?
  let diskFreeBytes: Int?
  let process: Int32?
  let stepSeconds: Double?
  let etaSeconds: Double?
  let operations: [OperationTime]?

  init(_ model: Model) {
    let status = model.status
    let isAlive = !model.isOver
    operations = status?.operations
    imagesPerSecond = status.flatMap { $0.imagesPerSecond > 0 ? $0.imagesPerSecond : nil }
    memoryBytes = status.flatMap { $0.memoryBytes > 0 ? $0.memoryBytes : nil }
    diskFreeBytes = model.freeBytes
    process = status.flatMap { isAlive && $0.processIdentifier > 0 ? $0.processIdentifier : nil }
    stepSeconds = model.lastStep?.seconds
    etaSeconds = isAlive ? status?.etaSeconds : nil
  }
}

/// A fact in words.
struct FactScreen: Encodable, Sendable {
  let name: String
  let text: String
}

/// The log and what people asked for.
struct LogScreen: Encodable, Sendable {
  struct Line: Encodable, Sendable {
    let time: Double
    let level: LogRecord.Level
    /// Steps done by then; nil where that is not recorded.
    let step: Int?
    let text: String
  }

  struct Noticed: Encodable, Sendable {
    let kind: Finding.Kind
    let alarm: Bool
    let step: Int?
    let text: String
  }

  struct Request: Encodable, Sendable {
    /// The command in words, as the line of messages says it.
    let text: String
    let state: Intervention.State
    let step: Int?
    let time: Double
    let note: String
  }

  let lines: [Line]
  let interventions: [Request]
  /// What was noticed.
  let findings: [Noticed]

  init(_ model: Model) {
    // Of a past moment what was written by then.
    let last = model.future == nil ? nil : model.cursor
    lines = model.log.filter { line in last.map { line.step ?? .max <= $0 } ?? true }
      .map { Line(time: $0.time, level: $0.level, step: $0.step, text: $0.text) }
    findings = model.findings.map {
      Noticed(kind: $0.kind, alarm: $0.isAlarm, step: $0.step, text: $0.text)
    }
    interventions = model.interventions.map {
      Request(
        text: describe($0.action, model.choices),
        state: $0.state,
        step: $0.step,
        time: $0.requestedAt,
        note: $0.note
      )
    }
  }
}
