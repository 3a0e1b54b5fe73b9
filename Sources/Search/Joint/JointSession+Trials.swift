import Foundation
import Networks
import Runs
import Training

extension JointSession {
  /// Seconds between two looks at the candidates that are being trained.
  private static let poll = 0.05
  /// Seconds between two records of their curves and of the status.
  private static let beat = 0.3

  /// Candidates trained at once.
  ///
  /// Small networks leave most threads idle, so one thread each is faster than all threads for one
  /// after the other.
  private var parallel: Int {
    work.parallel
      ?? (settings.search.parallel > 0
        ? settings.search.parallel : max(1, ProcessInfo.processInfo.activeProcessorCount))
  }

  /// Threads of one training; their number changes no bit of it.
  private var threads: Int {
    switch settings.search.parallel {
    case 0: 1
    case 1: settings.threads
    case let count: max(1, settings.threads / count)
    }
  }

  /// Trains all candidates of a round that are not settled; false if somebody asked to stop.
  ///
  /// One that fails is recorded, and the others go on.
  func run(_ round: Int) throws -> Bool {
    var lastBeat = Date.distantPast
    try makeRuns(of: round)
    while true {
      try takeUpRequests(round)
      let isLeaving = work.isLeaving(records.trials)
      if isLeaving { active.values.forEach { $0.stop() } }
      let isStopping = isLeaving || !openStops.isEmpty
      // By number, so that those which people add come last. What another process trains is passed
      // over until the next look.
      for next in records.trials.indices
      where !isStopping && !isPaused && active.count < parallel && active[next] == nil
        && records.trials[next].round == round && !records.trials[next].isSettled
      {
        try begin(next)
      }
      var hasNews = false
      for place in active.keys.sorted() {
        if try look(at: place) { hasNews = true }
      }
      let isDue = hasNews || Date().timeIntervalSince(lastBeat) >= JointSession.beat
      // Who has nothing to train waits for the others.
      if isDue || active.isEmpty { try takeReports(round) }
      if isDue {
        lastBeat = Date()
        try recordCurves()
        try show(
          isPaused ? .paused : .running,
          round < records.rounds ? "" : "fine stage",
          round: round
        )
      }
      if active.isEmpty {
        if isStopping { return false }
        if records.trials.allSatisfy({ $0.round != round || $0.isSettled }) { return true }
        if parallel == 0 { return false }
      }
      if !hasNews { Thread.sleep(forTimeInterval: JointSession.poll) }
    }
  }

  /// The training of a candidate.
  private func trial(_ record: TrialRecord) -> Trial {
    let name = "candidate-\(record.number)"
    let images = settings.data
    var training = TrainingConfiguration(
      network: name,
      data: TrainingConfiguration.Images(source: images.source, resolution: record.resolution),
      recipe: record.recipe
    )
    training.data.skipBadImages = images.skipBadImages
    training.data.cache = images.cache
    training.seed = settings.seed
    training.threads = threads
    training.precision = settings.precision
    training.recompute = settings.recompute
    var trial = Trial(
      name: name,
      network: records.space.network(of: record.point, name: name),
      settings: training
    )
    if farm != nil { trial.data = data[record.resolution] }
    return trial
  }

  /// Starts the training of a candidate; one that cannot even begin has failed.
  private func begin(_ place: Int) throws {
    let record = records.trials[place]
    let made = farm?.run(record.run)
    // What failed elsewhere would fail again.
    if let report = try made?.report(), report.isSettled { return try settle(place, report) }
    do {
      // Looked at many times a second while others train it: without making it up each time.
      let attempt = try made.map(runner.start) ?? runner.start(trial(record))
      guard let attempt else { return }
      active[place] = attempt
      records.trials[place].state = .running
      records.trials[place].run = "trials/" + attempt.run.name
      try store.record(trials: [records.trials[place]])
    } catch let error as UserError where error.isOfCandidate {
      try fail(place, error.description)
    }
  }

  /// Takes up how a candidate's training ended, if it did; whether it has.
  private func look(at place: Int) throws -> Bool {
    guard let attempt = active[place] else { return false }
    do {
      switch try attempt.wait(seconds: 0) {
      case nil, .claimed: return false
      case .stopped:
        active[place] = nil
        takeCurve(place, attempt.report)
        if records.trials[place].state != .stopped { records.trials[place].state = .waiting }
        try store.record(trials: [records.trials[place]])
      case .finished:
        active[place] = nil
        try settle(place, attempt.report)
      }
    } catch let error as UserError where error.isOfCandidate {
      active[place] = nil
      try fail(place, error.description)
    } catch let error as UserError where error.code == .busy && farm != nil {
      // Another machine goes on with it, and reports.
      active[place] = nil
      records.trials[place].state = .waiting
      try store.record(trials: [records.trials[place]])
    }
    return true
  }

  /// Records how a candidate's training ended.
  private func settle(_ place: Int, _ report: TrialReport) throws {
    if let fault = report.fault { return try fail(place, fault) }
    takeCurve(place, report)
    records.trials[place].state = .finished
    records.trials[place].top1 = report.result?.testAccuracy
    records.trials[place].seconds = report.result?.seconds ?? 0
    try store.record(trials: [records.trials[place]])
  }

  private func fail(_ place: Int, _ fault: String) throws {
    records.trials[place].state = .failed
    records.trials[place].message = fault
    try store.record(trials: [records.trials[place]])
    try store.log(.warning, "candidate \(records.trials[place].number) failed: \(fault)")
  }

  private func takeCurve(_ place: Int, _ report: TrialReport) {
    records.trials[place].accuracies = report.epochs.map(\.validationAccuracy)
    records.trials[place].losses = report.epochs.map(\.trainLoss)
    records.trials[place].seconds = report.epochs.reduce(0) { $0 + $1.seconds }
  }

  private func recordCurves() throws {
    for (place, attempt) in active.sorted(by: { $0.key < $1.key }) {
      let before = records.trials[place]
      takeCurve(place, attempt.report)
      if records.trials[place] != before { try store.record(trials: [records.trials[place]]) }
    }
  }

  // MARK: Other processes

  /// Makes the runs of a round's candidates where others may train them.
  private func makeRuns(of round: Int) throws {
    guard farm != nil else { return }
    for place in records.trials.indices
    where records.trials[place].round == round && !records.trials[place].isSettled
      && records.trials[place].run.isEmpty
    {
      let run = try runner.folder(of: trial(records.trials[place]))
      records.trials[place].run = "trials/" + run.name
      try store.record(trials: [records.trials[place]])
    }
  }

  /// Takes up what other processes report of the candidates of a round.
  private func takeReports(_ round: Int) throws {
    guard let farm else { return }
    for place in records.trials.indices
    where active[place] == nil && records.trials[place].round == round
      && !records.trials[place].isSettled
    {
      guard let run = farm.run(records.trials[place].run) else { continue }
      let (report, before) = (try run.report(), records.trials[place])
      if report.isSettled {
        try settle(place, report)
      } else {
        takeCurve(place, report)
        records.trials[place].state = run.worker() == nil ? .waiting : .running
        if records.trials[place] != before { try store.record(trials: [records.trials[place]]) }
      }
    }
  }

  /// Tells the other workers what has become of the search.
  func beginLead() throws {
    guard let farm else { return }
    lead.stops = try farm.lead().stops
    try tell {
      $0.stopped = records.trials.filter { $0.state == .stopped }.map(\.run)
    }
  }

  /// Tells the other workers what is new.
  func tell(_ change: (inout Farm.Lead) -> Void) throws {
    change(&lead)
    try farm?.write(lead: lead)
  }

  // MARK: What people ask for

  private func takeUpRequests(_ round: Int) throws {
    for request in try store.pendingInterventions() {
      if let reason = try take(request.action, request.id, in: round) {
        try store.refuse(request.id, note: reason)
      } else if request.action != .stop {
        try store.finish(request.id)
      }
    }
  }

  /// Does what is asked; returns why not.
  private func take(_ action: Intervention.Action, _ id: Int64, in round: Int) throws -> String? {
    switch action {
    case .pause: try steer(action, paused: true)
    case .resume: try steer(action, paused: false)
    case .stop:
      try store.accept(id, step: settledCount)
      openStops.append(id)
      try tell { $0.stops += 1 }
      active.values.forEach { $0.stop() }
    case .checkpoint: try active.values.forEach { try $0.reader.request(.checkpoint) }
    case .singleStep, .runToEpoch, .setTemperature, .scaleTemperature, .holdTemperature,
      .releaseTemperature, .pinChoice, .unpinChoice, .banOption, .allowOption, .setCostWeight,
      .setBudget, .setRate, .undo, .sampleNetworks, .deriveNetworks:
      return "a joint search has no steps, no temperature and no θ"
    case .stopCandidate(let number):
      guard let place = records.trials.firstIndex(where: { $0.number == number && !$0.isSettled })
      else {
        return "candidate \(number) is not waiting and not running"
      }
      records.trials[place].state = .stopped
      try store.record(trials: [records.trials[place]])
      try tell { $0.stopped.append(records.trials[place].run) }
      active[place]?.stop()
    case .addCandidate(let options): return try addByHand(options, in: round)
    case .setLimit(let metric, let most):
      guard records.space.problem.metrics.contains(metric.rawValue) else {
        return "the run has no latency table: it needs budget.latency or latency.table at its start"
      }
      records.progress.limits.append(
        JointProgress.Limit(round: round + 1, metric: metric, most: max(0, most))
      )
      try store.record(progress: records.progress)
    case .startFineStage:
      guard round < records.rounds else { return "it is under way" }
      records.progress.rounds = round + 1
      try store.record(progress: records.progress)
    }
    return nil
  }

  private func steer(_ action: Intervention.Action, paused: Bool) throws {
    isPaused = paused
    try tell { $0.isPaused = paused }
    for attempt in active.values { try attempt.reader.request(action) }
  }

  private func addByHand(_ options: [Int], in round: Int) throws -> String? {
    let choices = records.space.choices
    guard options.count == choices.count,
      zip(options, choices).allSatisfy({ $1.options.indices.contains($0) })
    else { return "an option of each of the \(choices.count) choices is needed" }
    let point = records.space.canonical(Architecture(options))
    if let known = records.trials.first(where: { records.space.canonical($0.point) == point }) {
      return "that is candidate \(known.number)"
    }
    let last = round < records.rounds && round > 0 ? records.stopEpoch : settings.recipe.epochs
    try add([JointSearch.Pick(point: point, predicted: nil, spread: nil)], .hand, round: round) {
      var recipe = $0
      recipe.stopEpoch = last < recipe.epochs ? last : 0
      return recipe
    }
    try makeRuns(of: round)
    return nil
  }

  // MARK: The status

  private var settledCount: Int { records.trials.count { $0.isSettled } }

  /// Writes what the search is doing.
  func show(_ state: RunStatus.State, _ message: String, round: Int? = nil) throws {
    status.state = state
    status.message = message
    if let round { status.epoch = round }
    status.epochs = records.rounds + 1
    let left = records.rounds - (records.trials.last?.round ?? -1) - 1
    let coarse = max(0, left) * settings.search.candidates
    let isFine = records.trials.contains { $0.stage == .fine && $0.round == records.rounds }
    let fine = isFine ? 0 : settings.fine.candidates
    status.step = settledCount
    status.totalSteps = records.trials.count + coarse + fine
    let here = records.trials.filter { $0.round == status.epoch }
    status.stepInEpoch = here.count { $0.isSettled }
    status.stepsPerEpoch = here.count
    status.etaSeconds = records.secondsLeft(coarse: coarse, fine: fine, parallel: parallel)
    status.memoryBytes = residentMemory()
    status.processIdentifier = ProcessInfo.processInfo.processIdentifier
    status.heartbeat = Date().timeIntervalSince1970
    try store.setStatus(status)
  }

  /// Notes that the run was stopped; every candidate has its own checkpoint.
  func stop() throws -> RunResult? {
    for id in openStops { try store.finish(id) }
    try show(.stopped, "stopped after \(Format.counted(settledCount, "candidate"))")
    return nil
  }
}

extension UserError {
  /// Whether the fault is of a candidate alone, and the search can go on.
  fileprivate var isOfCandidate: Bool {
    switch code {
    case .configuration, .data: true
    default: false
    }
  }
}
