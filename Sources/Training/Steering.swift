import Runs

/// What people asked of the trainer, as far as it bears on what comes next (spec S82).
///
/// A value without a store or a clock: the same actions in the same order always end the same.
struct Steering: Sendable, Equatable {
  /// Temperatures that a person may set; outside, the softmax says nothing or overflows.
  static let temperatures = 0.001...1000.0

  /// The temperature held by hand; nil while the schedule rules.
  var heldTemperature: Double?
  private(set) var isPaused = false
  /// Steps to do before pausing again.
  private(set) var allowance = 0

  /// Whether the next step may be done.
  var mayStep: Bool { !isPaused || allowance > 0 }

  /// Takes `action` in; `scheduled` is what the schedule says of the next step.
  ///
  /// Returns why the action is refused, nil when it is not. `checkpoint` and `stop` are the
  /// session's own business and change nothing here.
  mutating func apply(_ action: Intervention.Action, scheduled: Double) -> String? {
    switch action {
    case .pause:
      isPaused = true
      allowance = 0
    case .resume:
      isPaused = false
      allowance = 0
    case .singleStep:
      isPaused = true
      allowance += 1
    case .setTemperature(let value):
      return hold(value)
    case .scaleTemperature(let factor):
      return hold((heldTemperature ?? scheduled) * factor)
    case .holdTemperature:
      heldTemperature = heldTemperature ?? scheduled
    case .releaseTemperature:
      heldTemperature = nil
    case .checkpoint, .stop, .stopCandidate, .addCandidate, .setLimit, .startFineStage:
      break
    }
    return nil
  }

  /// Counts a step that was done.
  mutating func didStep() {
    allowance = max(0, allowance - 1)
  }

  private mutating func hold(_ value: Double) -> String? {
    // NaN is in no range.
    guard Steering.temperatures.contains(value) else {
      return "the temperature must lie between 0.001 and 1000"
    }
    heldTemperature = value
    return nil
  }
}
