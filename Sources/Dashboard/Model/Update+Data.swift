import Runs

/// The model with what is new in the run, and what follows from it.
func absorb(_ model: inout Model, _ delta: RunDelta) -> [Effect] {
  // A run that was over when it was opened has no end to tell of.
  let wasOver = model.status == nil || model.isOver
  if delta.startsAnew {
    model.curves = Model.Curves()
    model.spans = EpochSpans()
    (model.cursor, model.moment) = (nil, nil)
    model.probabilities = ProbabilityHistory()
    model.epochs = []
    model.theta = nil
    model.result = nil
    (model.trials, model.joint, model.interventions) = ([], nil, [])
  }
  if let summary = delta.summary { model.summary = summary }
  if let choices = delta.choices {
    model.choices = choices
    if model.kind != .joint {
      model.selection = min(model.selection, max(0, choices.count - 1))
    }
  }
  if delta.choices != nil || !delta.prices.isEmpty {
    model.prices = Dictionary(delta.prices.map { ($0.choice, $0) }) { $1 }
  }
  if let alive = delta.trainerAlive { model.trainerAlive = alive }
  if let sign = delta.lastSign { model.lastSign = sign }
  if let steering = delta.steering {
    model.message = .notice(steering.reason ?? "this viewer steers from now on")
    model.steering = steering
  }
  if let status = delta.status { model.status = status }
  if let result = delta.result { model.result = result }
  // Epochs first: where their steps lie on the axis follows from where they end.
  if let count = model.status?.stepsPerEpoch, count > 0 { model.spans.present = count }
  for epoch in delta.epochs { model.spans.end(epoch.epoch, at: epoch.step) }
  for step in delta.steps {
    let start = model.spans.start(of: step.epoch)
    let done = Double(step.step) + 1 - Double(start)
    let x = Double(step.epoch) + done / Double(model.spans.length(of: step.epoch))
    if step.phase == .weights {
      model.curves.trainLoss.append(x, step.crossEntropy)
      model.curves.trainAccuracy.append(x, step.accuracy)
      model.curves.learningRate.append(x, step.learningRate)
    }
    model.curves.cost.append(x, step.cost)
    model.curves.temperature.append(x, step.temperature)
    model.curves.throughput.append(x, Double(step.images) / max(step.seconds, 1e-9))
    model.lastStep = step
  }
  for theta in delta.thetas {
    model.theta = theta
    model.probabilities.append(.init(epoch: theta.epoch, values: theta.logits.map(softmax)))
  }
  for epoch in delta.epochs {
    let x = Double(epoch.epoch + 1)
    model.epochs.removeAll { $0.epoch >= epoch.epoch }
    model.epochs.append(epoch)
    model.curves.validationLoss.append(x, epoch.validationLoss)
    model.curves.epochTrainAccuracy.append(x, epoch.trainAccuracy)
    model.curves.validationAccuracy.append(x, epoch.validationAccuracy)
    model.curves.argmaxAccuracy.append(x, epoch.argmaxAccuracy)
    if let share = epoch.topFive { model.curves.topFive.append(x, share) }
    model.curves.expectedCost.append(x, epoch.expectedCost)
  }
  for trial in delta.trials {
    if let place = model.trials.firstIndex(where: { $0.number == trial.number }) {
      model.trials[place] = trial
    } else {
      model.trials.append(trial)
    }
  }
  if let joint = delta.joint { model.joint = joint }
  if model.kind == .joint, !model.hasChosen, let first = model.candidates.first {
    model.selection = first
  }
  if let free = delta.freeBytes { model.freeBytes = free }
  let isNews =
    delta.startsAnew || !delta.thetas.isEmpty || !delta.epochs.isEmpty || delta.freeBytes != nil
    || !delta.steps.isEmpty && model.curves.trainLoss.lost > 0
  // Half of a long run is not what it shows.
  if isNews, !delta.hasMore {
    model.findings = model.diagnose()
  }
  if let derived = delta.derived { model.derived = derived }
  // What was answered before the first look is no news.
  let isFirst = model.interventions.isEmpty && delta.startsAnew
  for row in delta.interventions {
    if let place = model.interventions.firstIndex(where: { $0.id == row.id }) {
      model.interventions[place] = row
    } else {
      model.interventions.append(row)
    }
  }
  if let latest = delta.interventions.max(by: { $0.id < $1.id }),
    !isFirst || latest.state == .requested || latest.state == .accepted
  {
    model.message = .intervention(latest)
  }
  for record in delta.log { addLog(&model, record) }
  if model.state == .finished, !model.resultWasShown {
    model.resultWasShown = true
    if model.overlay == nil || model.overlay == .quit(selected: 0) { model.overlay = .result }
  }
  guard model.isOver else { return [] }
  if model.isStopping { return [.exit(.stopRequested)] }
  // A job of the background ends with its work; to look at the result there is `watch`.
  if !model.isShown, model.ownsTrainer { return [.exit(.quit)] }
  let isEnd = !wasOver && model.isShown && model.state != .stopped
  return isEnd ? [.notify(model.endNotice)] : []
}

/// Adds a line of the log, which is a message too unless it only informs.
func addLog(_ model: inout Model, _ record: LogRecord) {
  model.log.append(record)
  if model.log.count > 400 { model.log.removeFirst(200) }
  guard record.level != .info || record.id == -1 else { return }
  model.message = record.level == .error ? .problem(record.text) : .notice(record.text)
}
