import Runs
import Tensor

/// What the time of training steps goes into, looked at in one step of many.
struct StepProfile {
  /// One step of so many, at a place that moves on: phases that alternate come in turn.
  private static let every = 23
  /// Operations that are listed; what is left goes with `other`.
  private static let most = 7
  /// What a look leaves of the ones before.
  private static let past = 0.7

  private var seconds: [String: Double] = [:]
  private var total = 0.0
  /// The longest first, at last the rest; nil before the first look.
  private(set) var operations: [OperationTime]?

  /// Runs step `step`, whose operations are timed if it is one of those that are looked at.
  mutating func measure<T>(_ step: Int, on engine: Engine, _ body: () -> T) -> T {
    guard step % Self.every == step / Self.every % Self.every else { return body() }
    let profile = Profile()
    engine.profile = profile
    let clock = ContinuousClock()
    let start = clock.now
    let result = body()
    add(profile, seconds: (clock.now - start).seconds)
    engine.profile = nil
    return result
  }

  private mutating func add(_ profile: Profile, seconds new: Double) {
    total = total * Self.past + new
    seconds = seconds.mapValues { $0 * Self.past }
    for entry in profile.entries { seconds[entry.work.operation, default: 0] += entry.seconds }
    guard total > 0 else { return }
    let longest = seconds.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(Self.most)
      .map { OperationTime(operation: $0.key, share: min(1, $0.value / total)) }
    let rest = max(0, 1 - longest.reduce(0) { $0 + $1.share })
    operations = longest + [OperationTime(operation: "other", share: rest)]
  }
}
