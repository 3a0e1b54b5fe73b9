import Foundation

/// A run among others: what it is, how far it is and what it has come to so far.
package struct RunOverview: Sendable, Equatable {
  /// What a run is at, as far as its folder tells.
  package enum State: String, Sendable, CaseIterable {
    /// No trainer has begun.
    case new
    case preparing, running, paused, stopped, finished, failed
    /// Its trainer has ended without a word.
    case gone
    /// Its trainer is there and gives no sign of life.
    case silent
    /// Something in the folder cannot be read; `problem` says what.
    case unreadable
  }

  /// What was measured after an epoch, or of a joint search after a candidate.
  package struct Point: Sendable, Equatable {
    /// Epochs or candidates done.
    package var x: Double
    /// Accuracy on the validation images, 0…1; of a joint search the best so far.
    package var accuracy: Double
    /// Loss on them; nil in a joint search.
    package var loss: Double?

    package init(x: Double, accuracy: Double, loss: Double?) {
      self.x = x
      self.accuracy = accuracy
      self.loss = loss
    }
  }

  /// Path of the folder, as it was named.
  package var path: String
  /// Last part of the path.
  package var name: String
  /// What the run is at.
  package var state: State
  /// Why it is unreadable, or why it failed.
  package var problem: String?
  /// What the run does; nil where that cannot be read.
  package var kind: RunKind?
  /// Preset or network that it started from.
  package var preset = ""
  /// What it trains on.
  package var data = ""
  /// All keys of its configuration.
  package var values: [RunSettings.Value] = []
  /// What its trainer said last; nil before it said anything.
  package var status: RunStatus?
  /// The validation after each epoch.
  package var points: [Point] = []
  /// Accuracy on the test images of what it leaves, 0…1; nil before its end.
  package var testAccuracy: Double?
  /// Metric of `cost`.
  package var metric = CostMetric.flops
  /// The expected cost of a search, the cost of its network at its end, else FLOPs.
  package var cost: Double?
  /// Seconds since 1970 at which its first trainer began.
  package var begun: Double?
  /// The run that it comes from, by a record of its own or by its place.
  package var parent: String?
  /// Step of the parent at which it was branched off; nil where it was not.
  package var parentStep: Int?

  package init(path: String, state: State = .new, problem: String? = nil) {
    self.path = path
    name = Path.name(path)
    self.state = state
    self.problem = problem
  }

  /// Share of the run that is done, 0…1.
  package var progress: Double {
    guard let status, status.totalSteps > 0 else { return state == .finished ? 1 : 0 }
    return min(1, max(0, Double(status.step) / Double(status.totalSteps)))
  }

  /// The last accuracy on the validation images; of a joint search the best.
  package var validationAccuracy: Double? { points.last?.accuracy }

  /// The value of a configuration key; nil where the run has no such key.
  package func value(of key: String) -> String? { values.first { $0.key == key }?.text }

  /// The same for people: fractions without the digits of their rounding.
  package func text(of key: String) -> String? {
    value(of: key).map { text in
      text.contains(".") ? Double(text).map { Format.precise($0) } ?? text : text
    }
  }

  /// Whether the trainer is expected to do something.
  package var isLive: Bool {
    switch state {
    case .preparing, .running, .paused, .silent: true
    default: false
    }
  }

  /// Keys of the configuration that two of the runs at least have with different values.
  package static func differingKeys(_ runs: [RunOverview]) -> [String] {
    var first: [String: String] = [:]
    var order: [String] = []
    var differing: Set<String> = []
    for value in runs.flatMap(\.values) {
      if let known = first[value.key] {
        if known != value.text { differing.insert(value.key) }
      } else {
        first[value.key] = value.text
        order.append(value.key)
      }
    }
    return order.filter(differing.contains)
  }
}

extension RunOverview {
  /// Seconds without a sign of life after which a trainer is called silent.
  ///
  /// A sign comes twice a second; with the time that looking takes it is told within two seconds.
  package static let patience = 1.5

  /// Reads the run in a folder whose store is sound; throws where something cannot be read.
  init(reading folder: RunFolder, settings: RunSettings) throws {
    self.init(path: folder.path)
    kind = settings.kind
    preset = settings.name
    data = settings.data.source
    metric = settings.metric
    values = settings.values()
    let reader = try folder.reader()
    status = try reader.status()
    begun = try reader.begun()
    if settings.kind == .joint {
      try takeCandidates(reader)
    } else {
      let epochs = try reader.epochs()
      points = epochs.map {
        Point(
          x: Double($0.epoch + 1),
          accuracy: $0.validationAccuracy,
          loss: $0.validationLoss
        )
      }
      cost = epochs.last?.expectedCost
    }
    if let result = try reader.result() { take(try RunResult(json: result)) }
    if let record = try folder.parent() {
      (parent, parentStep) = (record.run, record.step)
    } else {
      parent = folder.owner
    }
    if status?.state == .failed { problem = status?.message }
  }

  /// The same with what the trainer's lock and its signs of life say now.
  func judged(isAlive: Bool, lastSign: Double?, now: Double) -> RunOverview {
    var run = self
    guard run.state != .unreadable else { return run }
    let silence = now - max(lastSign ?? 0, status?.heartbeat ?? 0)
    run.state =
      switch status?.state {
      case .stopped: .stopped
      case .finished: .finished
      case .failed: .failed
      case nil where !isAlive: .new
      case _ where !isAlive: .gone
      case _ where silence > Self.patience: .silent
      case .paused: .paused
      case .preparing, nil: .preparing
      case .running, .validating: .running
      }
    return run
  }

  private mutating func takeCandidates(_ reader: RunReader) throws {
    var best: TrialRecord?
    for trial in try reader.trials() {
      guard let accuracy = trial.accuracies.last else { continue }
      if accuracy > best?.accuracies.last ?? -1 { best = trial }
      points.append(
        Point(
          x: Double(points.count + 1),
          accuracy: best?.accuracies.last ?? accuracy,
          loss: nil
        )
      )
    }
    cost = best?.flops
  }

  private mutating func take(_ result: RunResult) {
    switch result {
    case .search(let result):
      (testAccuracy, cost, metric) = (result.testAccuracy, result.cost, result.costMetric)
    case .joint(let result): (testAccuracy, cost) = (result.testAccuracy, result.flops)
    case .training(let result): (testAccuracy, cost) = (result.testAccuracy, result.flops)
    }
  }
}
