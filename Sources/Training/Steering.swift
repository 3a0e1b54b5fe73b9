import Runs

/// What people asked of the trainer, as far as it bears on what comes next (spec S82).
///
/// A value without a store or a clock: the same actions in the same order always end the same.
struct Steering: Sendable, Equatable {
  /// What the training's numbers go by.
  private(set) var course = Course()
  /// The courses before, the newest last: what `undo` goes back to.
  private(set) var earlier: [Course] = []
  private(set) var isPaused = false
  /// Steps to do before pausing again.
  private(set) var allowance = 0
  /// Epochs after which the training pauses; nil where it need not.
  private(set) var lastEpoch: Int?

  /// The temperature held by hand; nil while the schedule rules.
  var heldTemperature: Double? { course.temperature }

  /// Whether the next step may be done.
  var mayStep: Bool { !isPaused || allowance > 0 }

  /// Continues a course that a checkpoint has kept.
  mutating func restore(_ course: Course, earlier: [Course]) {
    (self.course, self.earlier) = (course, earlier)
  }

  /// What an action is judged by.
  struct Situation {
    /// What the schedule says of the temperature of the next step.
    var scheduled = 1.0
    /// Epochs that have ended.
    var epoch = 0
    /// Options of each choice.
    var counts: [Int] = []
    /// Why the training cannot go on by a course; nil if it can.
    var refusal: (Course) -> String? = { _ in nil }
  }

  /// Takes `action` in.
  ///
  /// Returns why the action is refused, nil when it is not. `checkpoint`, `sample` and `stop` are
  /// the session's own business and change nothing here.
  mutating func apply(_ action: Intervention.Action, _ situation: Situation) -> String? {
    switch action {
    case .pause:
      isPaused = true
      allowance = 0
      lastEpoch = nil
    case .resume:
      isPaused = false
      allowance = 0
    case .singleStep:
      isPaused = true
      allowance += 1
    case .runToEpoch(let epoch):
      guard epoch > situation.epoch else { return "epoch \(epoch) has ended already" }
      isPaused = false
      allowance = 0
      lastEpoch = epoch
    case .undo:
      guard let before = earlier.popLast() else { return "nothing is left to undo" }
      course = before
    case .checkpoint, .stop, .sampleNetworks, .deriveNetworks, .stopCandidate, .addCandidate,
      .setLimit, .startFineStage:
      break
    case .setTemperature, .scaleTemperature, .holdTemperature, .releaseTemperature, .pinChoice,
      .unpinChoice, .banOption, .allowOption, .setCostWeight, .setBudget, .setRate:
      var next = course
      if let reason = next.change(by: action, situation) { return reason }
      if let reason = situation.refusal(next) { return reason }
      earlier.append(course)
      course = next
    }
    return nil
  }

  /// Counts a step that was done.
  mutating func didStep() {
    allowance = max(0, allowance - 1)
  }

  /// Pauses where that many epochs were asked for.
  mutating func didEnd(epochs: Int) {
    guard let last = lastEpoch, epochs >= last else { return }
    (isPaused, allowance, lastEpoch) = (true, 0, nil)
  }
}

extension Course {
  /// Changes as `action` says; returns why it cannot be.
  fileprivate mutating func change(
    by action: Intervention.Action,
    _ situation: Steering.Situation
  ) -> String? {
    switch action {
    case .setTemperature(let value): return hold(value)
    case .scaleTemperature(let factor): return hold((temperature ?? situation.scheduled) * factor)
    case .holdTemperature: temperature = temperature ?? situation.scheduled
    case .releaseTemperature: temperature = nil
    case .pinChoice(let choice, let option):
      let place = Place(choice: choice, option: option)
      guard place.exists(in: situation.counts) else { return "there is no such option" }
      guard !bans.contains(place) else { return "the option is banned" }
      pins = (pins.filter { $0.choice != choice } + [place]).sorted()
    case .unpinChoice(let choice):
      guard pins.contains(where: { $0.choice == choice }) else { return "it is not pinned" }
      pins.removeAll { $0.choice == choice }
    case .banOption(let choice, let option):
      let place = Place(choice: choice, option: option)
      guard place.exists(in: situation.counts) else { return "there is no such option" }
      guard !bans.contains(place) else { return "it is banned already" }
      guard !pins.contains(place) else { return "the choice is pinned to it" }
      let left = situation.counts[choice] - 1 - bans.count { $0.choice == choice }
      guard left > 0 else { return "it is the last option of its choice" }
      bans = (bans + [place]).sorted()
    case .allowOption(let choice, let option):
      let place = Place(choice: choice, option: option)
      guard bans.contains(place) else { return "it is not banned" }
      bans.removeAll { $0 == place }
    case .setCostWeight(let value): costWeight = value
    case .setBudget(let value): budget = value
    case .setRate(.weights, let factor): weightsRate = factor
    case .setRate(.theta, let factor): thetaRate = factor
    default: break
    }
    return nil
  }

  private mutating func hold(_ value: Double) -> String? {
    // NaN is in no range.
    guard Control.temperatures.contains(value) else {
      return "the temperature must lie between 0.001 and 1000"
    }
    temperature = value
    return nil
  }
}

extension Course.Place {
  fileprivate func exists(in counts: [Int]) -> Bool {
    counts.indices.contains(choice) && (0..<counts[choice]).contains(option)
  }
}
