import Foundation
import Ranks
import Runs

extension TrainingSession {
  /// How long a paused trainer sleeps between two looks at the store, seconds.
  private static let pausedPoll = 0.025
  /// How often a paused trainer writes its status, seconds.
  private static let pausedHeartbeat = 0.5

  /// Takes up what was asked since the last step; waits here while paused.
  ///
  /// Networks that are asked for are evaluated here too, but not within an evaluation that is under
  /// way. Returns whether somebody asked to stop.
  func takeUpInterventions(betweenSteps: Bool = true) throws -> Bool {
    try repeatInterventions()
    var beat = Date.distantPast
    while true {
      if try takeUpRequests(betweenSteps: betweenSteps) { return true }
      if betweenSteps, !openNetworks.isEmpty {
        if try evaluateNetworks() { return true }
        // What waited for them is taken up before the same step, as a replay has it.
        continue
      }
      // A pause does not hold up what was asked for while paused, nor the evaluation that has to
      // end first.
      if steering.mayStep || isEvaluatingNetworks || !openNetworks.isEmpty { break }
      if Date().timeIntervalSince(beat) >= TrainingSession.pausedHeartbeat {
        beat = Date()
        status.state = .paused
        updateStatus()
        try store.setStatus(status)
      }
      Thread.sleep(forTimeInterval: TrainingSession.pausedPoll)
    }
    status.state = .running
    return false
  }

  /// Takes up requests between two batches of an evaluation; a pause holds there too.
  ///
  /// Returns whether somebody asked to stop.
  func takeUpInterventions(evaluating message: String, progress: Double) throws -> Bool {
    if try takeUpInterventions(betweenSteps: false) { return true }
    status.state = .validating
    status.message = message
    status.progress = progress
    updateStatus()
    try store.setStatus(status)
    return false
  }

  /// Asks for the ban of what has been improbable for long enough (`search.prune_below`).
  ///
  /// Like a request of a person it is recorded, can be undone, and is repeated by a replay. An
  /// option is asked for once: who allows it again wants it in the search.
  func prune() throws {
    guard let pruning = task.pruning, ranks?.isLead ?? true,
      epoch - pruning.epochs >= plan.warmupEpochs
    else { return }
    let window = plan.start(of: epoch - pruning.epochs)
    // What another course has overtaken has no step.
    let known = try store.reader.interventions()
      .filter { $0.state != .refused || $0.step != nil }.map(\.action)
    let places = pruning.places(try store.reader.thetas(after: window - 1), steering.course)
    let note =
      "pruned, below \(Format.percent(pruning.floor)) for "
      + Format.counted(pruning.epochs, "epoch")
    let requests = places.map { place in
      Intervention(
        id: 0,
        action: .banOption(choice: place.choice, option: place.option),
        state: .requested,
        step: step,
        requestedAt: 0,
        note: note
      )
    }.filter { !known.contains($0.action) }
    guard !requests.isEmpty else { return }
    try store.schedule(requests)
    try store.log(.info, "\(Format.counted(requests.count, "candidate")) \(note)")
  }

  /// What is asked for: on every rank what the lead sees in its store.
  private func requests() throws -> [Intervention] {
    guard let ranks else { return try store.pendingInterventions() }
    guard ranks.isLead else {
      try store.adopt(ranks.broadcast(nil))
      return try store.pendingInterventions()
    }
    let pending = try store.pendingInterventions()
    _ = ranks.broadcast(pending.isEmpty ? Data() : try RunStore.encoded(pending))
    return pending
  }

  private func takeUpRequests(betweenSteps: Bool) throws -> Bool {
    // One that names a step, of a replay, waits for it.
    // Networks are those of the moment at which they were asked for, whether what follows that was
    // asked for at once or later: it waits until they are evaluated.
    var waits = false
    for request in try requests() where request.step ?? 0 <= step {
      // A run that was stopped after an epoch is repeated with the evaluation of that epoch.
      if request.action == .stop, request.step != nil, !betweenSteps { continue }
      waits = waits || !openNetworks.isEmpty && request.action.changesTraining
      if waits, request.action.changesTraining || request.action.asksForNetworks { continue }
      if request.action.concernsCandidates {
        try store.refuse(request.id, note: "only a joint search has candidates", step: step)
        continue
      }
      if request.action.concernsSupernet, task.temperature(epoch: 0) == nil {
        let what = request.action.concernsTemperature ? "temperature" : "choices and no cost"
        try store.refuse(request.id, note: "a training has no \(what)", step: step)
        continue
      }
      let before = temperature
      var next = steering
      if let reason = next.apply(request.action, situation) {
        try store.refuse(request.id, note: reason, step: step)
        continue
      }
      if request.action.changesTraining {
        // What changes the course can be gone back to from before it.
        if lastCheckpointStep != step { try saveCheckpoint() }
        try dropReplay()
        lastIntervention = request.id
      }
      try store.accept(request.id, step: step)
      steering = next
      switch request.action {
      case .singleStep:
        openSteps.append(request.id)
      case .stop:
        openStops.append(request.id)
      case .checkpoint:
        try saveCheckpoint()
        try store.finish(request.id)
      case .pause, .resume, .runToEpoch, .pinChoice, .unpinChoice, .banOption, .allowOption,
        .setCostWeight, .setBudget, .setRate, .undo:
        try store.finish(request.id, note: request.note)
      case .sampleNetworks(let count):
        openNetworks.append((request.id, count, false))
      case .deriveNetworks(let count):
        openNetworks.append((request.id, count, true))
      case .setTemperature, .scaleTemperature, .holdTemperature, .releaseTemperature:
        try store.finish(
          request.id,
          note: "\(Format.fixed(before, 3)) -> \(Format.fixed(temperature, 3))"
        )
      case .stopCandidate, .addCandidate, .setLimit, .startFineStage: break
      }
    }
    return !openStops.isEmpty
  }

  /// Notes that the oldest single step asked for is done, if any was.
  func finishSingleStep() throws {
    guard !openSteps.isEmpty else { return }
    try store.finish(openSteps.removeFirst())
  }

  /// Applies again what an earlier process had taken up before this step.
  private func repeatInterventions() throws {
    while let next = replay.first, let at = next.step, at <= step {
      replay.removeFirst()
      lastIntervention = next.id
      _ = steering.apply(next.action, situation)
    }
  }

  /// What an action is judged by now.
  private var situation: Steering.Situation {
    Steering.Situation(
      scheduled: scheduledTemperature,
      epoch: epoch,
      counts: task.choices.map(\.options.count),
      refusal: task.refusal
    )
  }

  /// Evaluates the networks that were asked for; true if somebody asked to stop meanwhile.
  private func evaluateNetworks() throws -> Bool {
    isEvaluatingNetworks = true
    defer { isEvaluatingNetworks = false }
    while let (id, count, derives) = openNetworks.first {
      openNetworks.removeFirst()
      follow()
      guard let networks = try task.networks(count, derives: derives, evaluation) else {
        try store.refuse(id, note: "the run was stopped first", step: step)
        return true
      }
      let known = try store.reader.derived()
      for (index, network) in networks.enumerated() {
        var network = network
        network.step = step
        network.keep(from: known)
        try store.record(derived: network)
        try store.log(.notice, "network \(index + 1) of \(networks.count): \(network.text)")
      }
      try store.finish(
        id,
        note: networks.isEmpty
          ? "no network that is sampled keeps the budget"
          : "\(Format.counted(networks.count, "network")), see the log, the networks and exports/"
      )
    }
    return false
  }

  /// A new request starts another course: what was still to be repeated will not come again.
  private func dropReplay() throws {
    for old in replay { try store.overtake(old.id) }
    replay = []
  }
}
