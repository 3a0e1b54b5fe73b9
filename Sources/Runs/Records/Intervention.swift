/// A person's command, or a ban of the program, taken up by the trainer at the next step boundary
/// (spec S82).
package struct Intervention: Sendable, Equatable {
  /// What is asked for.
  package enum Action: Codable, Sendable, Equatable {
    case pause
    case resume
    /// Do one step, then pause again.
    case singleStep
    /// Go on and pause when so many epochs have ended.
    case runToEpoch(Int)
    /// Set τ by hand; the schedule is held until released.
    case setTemperature(Double)
    /// Multiply the present τ; the schedule is held until released.
    case scaleTemperature(Double)
    /// Keep the present τ.
    case holdTemperature
    /// Give τ back to the schedule.
    case releaseTemperature
    /// Bind a choice to one of its options.
    case pinChoice(choice: Int, option: Int)
    /// Let a pinned choice be free again.
    case unpinChoice(Int)
    /// Take an option of a choice out of the search.
    case banOption(choice: Int, option: Int)
    /// Let a banned option take part again.
    case allowOption(choice: Int, option: Int)
    /// Set the weight of the cost in the loss.
    case setCostWeight(Double)
    /// Set what a network may cost, in the metric of the search.
    case setBudget(Double)
    /// Multiply the learning rate of a phase by a factor, in place of an earlier one.
    case setRate(Phase, Double)
    /// Take the last change of the training back.
    case undo
    case checkpoint
    /// Sample so many networks from θ, evaluate them and keep them with the derived ones.
    case sampleNetworks(Int)
    /// The same, the most probable one within the budget and its scalings first.
    case deriveNetworks(Int)
    /// Checkpoint and end; the run can be resumed.
    case stop
    /// End the training of a candidate of a joint search, by its number.
    case stopCandidate(Int)
    /// Train one more candidate: an option of each choice.
    case addCandidate([Int])
    /// Let a limit hold from the next round on; 0 lifts it.
    case setLimit(metric: CostMetric, Double)
    /// End the coarse stage with the present round.
    case startFineStage
  }

  /// Asked, taken up, carried out, or turned down with a note.
  package enum State: String, Codable, Sendable {
    case requested, accepted, done, refused
  }

  /// Ascending in the order of the requests.
  package var id: Int64
  /// What is asked for.
  package var action: Action
  /// How far it has come.
  package var state: State
  /// Global step before which it acted; nil until accepted.
  ///
  /// A resumed run replays by this (spec S82).
  package var step: Int?
  /// Seconds since 1970.
  package var requestedAt: Double
  /// Why it was turned down, or what it did; may be empty.
  package var note: String

  package init(
    id: Int64,
    action: Action,
    state: State,
    step: Int?,
    requestedAt: Double,
    note: String
  ) {
    self.id = id
    self.action = action
    self.state = state
    self.step = step
    self.requestedAt = requestedAt
    self.note = note
  }
}

extension Intervention.Action {
  /// Whether a joint search alone can do it.
  package var concernsCandidates: Bool {
    switch self {
    case .stopCandidate, .addCandidate, .setLimit, .startFineStage: true
    default: false
    }
  }

  /// Whether it acts on what a supernet alone has: a temperature, choices and a cost.
  package var concernsSupernet: Bool {
    switch self {
    case .setTemperature, .scaleTemperature, .holdTemperature, .releaseTemperature, .pinChoice,
      .unpinChoice, .banOption, .allowOption, .setCostWeight, .setBudget, .setRate(.theta, _),
      .sampleNetworks, .deriveNetworks:
      true
    default: false
    }
  }

  /// Whether it is about the temperature.
  package var concernsTemperature: Bool {
    switch self {
    case .setTemperature, .scaleTemperature, .holdTemperature, .releaseTemperature: true
    default: false
    }
  }

  /// Whether it asks for networks of the present θ.
  package var asksForNetworks: Bool {
    switch self {
    case .sampleNetworks, .deriveNetworks: true
    default: false
    }
  }

  /// Whether it changes the numbers of the search, so that a replay has to repeat it.
  package var changesTraining: Bool {
    switch self {
    case .pause, .resume, .singleStep, .runToEpoch, .checkpoint, .sampleNetworks,
      .deriveNetworks, .stop:
      false
    default: true
    }
  }
}
