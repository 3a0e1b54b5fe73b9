import Runs

extension Model {
  /// Steps, in a joint search candidates, that have been done.
  var done: Int { kind == .joint ? trials.count : status?.step ?? 0 }

  /// The model as it is shown: of now, or of the cursor's moment.
  var shown: Model {
    guard let cursor, cursor < done else { return self }
    return past(cursor)
  }

  /// The model as it was after `step` steps.
  private func past(_ step: Int) -> Model {
    var past = self
    let at = spans.epochs(at: step)
    past.result = nil
    past.future = Future(
      curves: curves,
      probabilities: probabilities,
      position: position,
      events: isShowingLog ? events : []
    )
    if kind == .joint {
      past.trials.removeAll { $0.number > step }
      past.selection = min(selection, max(0, past.trials.count - 1))
    }
    past.interventions.removeAll { $0.step.map { $0 > step } ?? true }
    past.epochs.removeAll { $0.step > step }
    past.findings.removeAll { $0.step.map { $0 > step } ?? true }
    past.curves = curves.upTo(at)
    past.probabilities = probabilities.upTo(at)
    past.theta = nil
    past.lastStep = nil
    if let moment, moment.step == step {
      past.lastStep = moment.lastStep
      past.theta = moment.theta
      if let theta = moment.theta {
        past.probabilities.append(.init(epoch: theta.epoch, values: theta.logits.map(softmax)))
      }
    }
    guard var then = status else { return past }
    let place = spans.place(of: step)
    then.state = .running
    then.message = ""
    then.step = step
    then.epoch = kind == .joint ? past.trials.last?.round ?? 0 : place.epoch
    then.stepInEpoch = kind == .joint ? step : place.position
    then.stepsPerEpoch = kind == .joint ? then.stepsPerEpoch : spans.length(of: place.epoch)
    then.phase = past.lastStep?.phase ?? .weights
    then.temperature = past.lastStep?.temperature ?? past.curves.temperature.last ?? 0
    (then.etaSeconds, then.imagesPerSecond, then.operations) = (nil, 0, nil)
    let steered = Steered(past.interventions)
    then.pinned = steered.pinned.isEmpty ? nil : steered.pinned.sorted()
    then.temperatureHeld = steered.isHeld
    past.status = then
    return past
  }

  /// Epochs at which people's requests were taken up: the marks on every chart.
  var marks: [Double] {
    interventions.compactMap { request in
      guard request.state == .done, let step = request.step else { return nil }
      return spans.epochs(at: step)
    }
  }

  /// All that happened, in the order of its steps; what has none stands where its time puts it.
  var events: [RunEvent] {
    events(log, interventions, epochs, findings)
  }

  /// What happened after `step` steps, in its order.
  func events(at step: Int) -> [RunEvent] {
    events(
      log.filter { $0.step == step },
      interventions.filter { $0.step == step },
      epochs.filter { $0.step == step },
      findings.filter { $0.step == step }
    )
  }

  private func events(
    _ log: [LogRecord],
    _ interventions: [Intervention],
    _ epochs: [EpochRecord],
    _ findings: [Finding]
  ) -> [RunEvent] {
    let lines = log.map {
      RunEvent(step: $0.step, time: $0.time, kind: .log($0.level), text: $0.text)
    }
    let requests = interventions.map { request in
      let state = request.state.rawValue + (request.note.isEmpty ? "" : ", \(request.note)")
      return RunEvent(
        step: request.step,
        time: request.requestedAt,
        kind: request.state == .refused ? .refusal : .request,
        text: "\(describe(request.action, choices)): \(state)"
      )
    }
    let ends = epochs.map { epoch in
      RunEvent(
        step: epoch.step,
        time: nil,
        kind: .epoch,
        text: "epoch \(epoch.epoch + 1): validation \(Format.percent(epoch.validationAccuracy)), "
          + "loss \(Format.number(epoch.validationLoss))"
      )
    }
    let found = findings.map {
      RunEvent(step: $0.step, time: nil, kind: .finding, text: $0.text)
    }
    // What has a time is in its order first; what has no step then belongs to the one before it.
    var known = 0
    let timed = (lines + requests).enumerated().sorted { a, b in
      (a.element.time ?? 0, a.offset) < (b.element.time ?? 0, b.offset)
    }.map { event in
      known = max(known, event.element.step ?? known)
      return (step: known, event: event.element)
    }
    let all =
      ends.map { (step: $0.step ?? 0, event: $0) } + timed
      + found.map { (step: $0.step ?? .max, event: $0) }
    return all.enumerated().sorted { ($0.element.step, $0.offset) < ($1.element.step, $1.offset) }
      .map(\.element.event)
  }

  /// Steps at which `[` and `]` stop: ends of epochs, requests, lines of the log that are more than
  /// information, findings.
  var stops: [Int] {
    let lines = log.filter { $0.level != .info }.compactMap(\.step)
    return Set(
      epochs.map(\.step) + interventions.compactMap(\.step) + lines + findings.compactMap(\.step)
    ).sorted()
  }

  /// Moves the cursor by parts of the run, a two-hundredth each, or by single steps of a short one.
  mutating func moveCursor(by parts: Int) -> [Effect] {
    setCursor((cursor ?? done) + parts * max(1, done / 200))
  }

  /// Moves it to the next of the stops in a direction.
  mutating func moveCursor(toStopIn direction: Int) -> [Effect] {
    let here = cursor ?? done
    let stop =
      direction < 0 ? stops.last { $0 < here } : stops.first { $0 > here } ?? done
    return stop.map { setCursor($0) } ?? []
  }

  /// Shows the moment after `step` steps; at the newest one, now.
  mutating func setCursor(_ step: Int) -> [Effect] {
    guard done > 0 else {
      message = .notice("there is no earlier moment yet")
      return []
    }
    guard step < done else {
      (cursor, moment) = (nil, nil)
      return []
    }
    cursor = max(0, step)
    (overlay, message) = (nil, nil)
    return kind == .joint ? [] : [.look(max(0, step))]
  }
}

/// What requests have come to, as far as a status tells of it.
struct Steered: Sendable, Equatable {
  /// Choices that are pinned.
  private(set) var pinned: Set<Int> = []
  /// Whether the temperature is held by hand.
  private(set) var isHeld = false

  /// The same requests in the same order, as the trainer took them.
  init(_ requests: [Intervention]) {
    var earlier: [(pinned: Set<Int>, isHeld: Bool)] = []
    for request in requests where request.state == .done && request.action.changesTraining {
      guard request.action != .undo else {
        if let last = earlier.popLast() { (pinned, isHeld) = last }
        continue
      }
      earlier.append((pinned, isHeld))
      switch request.action {
      case .pinChoice(let choice, _): pinned.insert(choice)
      case .unpinChoice(let choice): pinned.remove(choice)
      case .releaseTemperature: isHeld = false
      default: if request.action.concernsTemperature { isHeld = true }
      }
    }
  }
}

extension Model.Curves {
  /// The curves as they were at a place on the axis of epochs.
  func upTo(_ x: Double) -> Model.Curves {
    var past = self
    for path in Self.all { past[keyPath: path] = self[keyPath: path].upTo(x) }
    return past
  }

  private static var all: [WritableKeyPath<Model.Curves, Series>] {
    [
      \.trainLoss, \.validationLoss, \.trainAccuracy, \.epochTrainAccuracy, \.validationAccuracy,
      \.argmaxAccuracy, \.cost, \.expectedCost, \.temperature, \.learningRate, \.topFive,
      \.throughput,
    ]
  }
}
