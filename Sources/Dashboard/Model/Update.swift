import Foundation
import Runs

/// The model after `event`, and what follows from it; pure.
func update(_ model: inout Model, _ event: Event) -> [Effect] {
  switch event {
  case .key(let key): return handle(&model, key)
  case .mouse(let x, let y, let button): return handleMouse(&model, x, y, button)
  case .drag(let x, _): model.drag(to: x)
  case .release: model.pointer.isDragging = false
  case .reply(.background(let colour)): model.follow(isLight: colour.isLight)
  case .reply(.scheme(let isDark)): model.follow(isLight: !isDark)
  case .reply(.attributes): break
  case .themes(let library): model.take(library)
  case .copied(let copied): model.message = .notice(copied.message)
  case .resize(let size): model.size = size
  case .paste(let text): paste(&model, text)
  case .data(let delta): return absorb(&model, delta)
  case .moment(let moment): if moment.step == model.cursor { model.moment = moment }
  case .told(let text): model.message = .notice(text)
  case .tick(let now): model.now = now
  case .interrupt: return interrupt(&model)
  case .terminate: return [.exit(.terminated)]
  case .hangUp: return [.exit(.hungUp)]
  case .stop: return [.suspend]
  case .capturedOutput(let text):
    for line in text.split(whereSeparator: \.isNewline) {
      addLog(&model, LogRecord(id: -1, time: model.now, level: .info, text: String(line)))
    }
  case .sourceFailed(let text): model.message = .problem(text)
  }
  return []
}

// MARK: Keys

private func handle(_ model: inout Model, _ key: Key) -> [Effect] {
  if model.isStopping { return [] }
  switch model.overlay {
  case .prompt(let prompt, let text, _): return type(&model, key, prompt, text)
  case .quit(let selected): return choose(&model, key, selected)
  case .help(let scroll):
    switch key {
    case .down, .character("j"): model.overlay = .help(scroll: scroll + 1)
    case .up, .character("k"): model.overlay = .help(scroll: max(0, scroll - 1))
    case .pageDown: model.overlay = .help(scroll: scroll + 5)
    case .pageUp: model.overlay = .help(scroll: max(0, scroll - 5))
    default: model.overlay = nil
    }
    return []
  case .themes(let before):
    model.chooseTheme(key, before: before)
    return []
  case .log:
    if !model.scrollLog(key) { model.overlay = nil }
    return []
  case .result:
    // The card answers Esc and Enter itself; every other key means what it always means.
    if key == .escape || key == .enter {
      model.overlay = nil
      return []
    }
    if KeyTable.command(for: key, in: model.kind) != .copy { model.overlay = nil }
  case nil: break
  }
  return KeyTable.command(for: key, in: model.kind).map { perform(&model, $0) } ?? []
}

/// Carries a command out.
func perform(_ model: inout Model, _ command: Command) -> [Effect] {
  let layout = Layout(model.shown)
  let page = max(1, layout.visibleRows - 1)
  guard model.kind.allows(command) else {
    model.message = .notice("a \(model.kind.noun) has no \(command.subject)")
    return []
  }
  if command.steers, !model.isOver, let reason = model.steering.reason {
    model.message = .notice(reason)
    return []
  }
  switch command {
  case .togglePause:
    return request(&model, model.state == .paused ? .resume : .pause)
  case .singleStep: return request(&model, .singleStep)
  case .hotter: return request(&model, .scaleTemperature(1.1))
  case .cooler: return request(&model, .scaleTemperature(1 / 1.1))
  case .typeTemperature:
    if !model.isOver { model.overlay = .prompt(.temperature, text: "", error: "") }
    return model.isOver ? request(&model, .holdTemperature) : []
  case .toggleHold:
    return request(
      &model,
      model.status?.temperatureHeld ?? false ? .releaseTemperature : .holdTemperature
    )
  case .checkpoint: return request(&model, .checkpoint)
  case .typeControl:
    if !model.isOver { model.overlay = .prompt(.control, text: "", error: "") }
    return model.isOver ? request(&model, .undo) : []
  case .togglePin: return togglePin(&model)
  case .undo: return request(&model, .undo)
  case .typeLimit:
    if !model.isOver { model.overlay = .prompt(.limit, text: "", error: "") }
    return model.isOver ? request(&model, .startFineStage) : []
  case .startFineStage: return request(&model, .startFineStage)
  case .stopCandidate:
    return model.candidate.map { request(&model, .stopCandidate($0.number)) } ?? []
  case .addCandidate: return addCandidate(&model)
  case .nextOption: model.changeOption(by: 1)
  case .previousOption: model.changeOption(by: -1)
  case .order: model.ranksCandidates.toggle()
  case .up: return move(&model, by: -1)
  case .down: return move(&model, by: 1)
  case .pageUp: return move(&model, by: -page)
  case .pageDown: return move(&model, by: page)
  case .top: return move(&model, by: -Model.all)
  case .bottom: return move(&model, by: Model.all)
  case .open: open(&model)
  case .fold: model.fold()
  case .foldAll: model.foldAll()
  case .back:
    if !back(&model), model.hasList { return [.exit(.quit)] }
  case .nextTab: turn(&model, to: (model.tab + 1) % model.kind.tabs.count)
  case .previousTab:
    turn(&model, to: (model.tab + model.kind.tabs.count - 1) % model.kind.tabs.count)
  case .tab(let index): turn(&model, to: index)
  case .earlier: return model.moveCursor(by: -1)
  case .later: return model.moveCursor(by: 1)
  case .previousStop: return model.moveCursor(toStopIn: -1)
  case .nextStop: return model.moveCursor(toStopIn: 1)
  case .alarm: return nextAlarm(&model)
  case .branch:
    model.overlay = .prompt(.branch, text: "", error: "")
  case .zoom: zoom(&model)
  case .film: model.film = model.film.next
  case .smoothing: model.charts.nextSmoothing()
  case .logScale: model.charts.isLogarithmic.toggle()
  case .axis: model.charts.axis = model.charts.axis.next
  case .closer: model.charts.zoom(by: 1)
  case .wider: model.charts.zoom(by: -1)
  case .theme: model.openThemes()
  case .copy:
    guard let answer = model.answer else {
      model.message = .notice("there is no answer to copy yet")
      return []
    }
    return [.copy(answer)]
  case .mouse: return model.switchMouse()
  case .log:
    guard !model.isShowingLog else { return [] }
    model.logScroll = 0
    model.overlay = .log
  case .help: model.overlay = .help(scroll: 0)
  case .repaint: return [.repaint]
  case .quit:
    if model.isOver || model.leavesAtOnce { return [.exit(.quit)] }
    model.overlay = .quit(selected: 0)
  }
  return []
}

/// Pins the chosen choice to its most probable option, or frees it again.
private func togglePin(_ model: inout Model) -> [Effect] {
  guard model.choices.indices.contains(model.selection), model.foldedHead == nil else {
    model.message = .notice("choose one choice first: Enter opens what is folded")
    return []
  }
  let choice = model.selection
  return request(
    &model,
    model.isPinned(choice)
      ? .unpinChoice(choice) : .pinChoice(choice: choice, option: model.leader(of: choice))
  )
}

private func move(_ model: inout Model, by steps: Int) -> [Effect] {
  if model.screen == .main, model.isShowingLog { return model.moveInLog(by: steps) }
  if model.isShowingNetworks {
    model.moveNetwork(by: steps)
    return []
  }
  if model.kind == .joint {
    if model.screen == .inspector {
      model.draftRow = min(max(0, model.choices.count - 1), max(0, model.draftRow + steps))
    } else {
      model.moveCandidate(by: steps)
    }
    return []
  }
  if !model.choices.isEmpty { model.selection = model.list.moved(from: model.selection, by: steps) }
  return []
}

/// Opens what is folded, the blocks of the chosen network, or the inspector of the chosen choice.
private func open(_ model: inout Model) {
  if model.isShowingNetworks {
    model.zoom = model.zoom == .blocks ? nil : .blocks
    return
  }
  if model.kind == .joint {
    if model.candidate != nil { (model.screen, model.hasChosen) = (.inspector, true) }
    return
  }
  guard model.choices.indices.contains(model.selection) else { return }
  if let head = model.foldedHead, model.screen == .main {
    model.toggle(head)
  } else {
    model.screen = .inspector
  }
}

/// Asks for the candidate that the person has made of the chosen one.
private func addCandidate(_ model: inout Model) -> [Effect] {
  guard model.screen == .inspector, let draft = model.draft else {
    model.message = .notice("open a candidate with Enter and change it with < and > first")
    return []
  }
  model.draft = nil
  return request(&model, .addCandidate(draft))
}

func request(_ model: inout Model, _ action: Intervention.Action) -> [Effect] {
  if !model.isOver, let reason = model.steering.reason {
    model.message = .notice(reason)
    return []
  }
  guard !model.isOver else {
    model.message = .notice(
      model.state == .finished
        ? "the \(model.kind.noun) is finished"
        : "no training is going on in this run"
    )
    return []
  }
  // Shown at once; the store's own row takes its place when the trainer answers.
  model.message = .intervention(
    Intervention(
      id: -1,
      action: action,
      state: .requested,
      step: nil,
      requestedAt: model.now,
      note: ""
    )
  )
  return [.request(action)]
}

// MARK: Leaving

/// The answers of the quit dialog; the first is the default.
enum QuitAnswer: Sendable, CaseIterable {
  case stop, keepRunning, cancel
}

extension Model {
  /// Whether there is nothing to ask: the list of runs is behind, or nothing may be stopped.
  var leavesAtOnce: Bool { hasList || !ownsTrainer && steering != .granted }

  /// In the order of the dialog: a watcher would rather leave than stop.
  var quitAnswers: [QuitAnswer] {
    ownsTrainer ? [.stop, .keepRunning, .cancel] : [.keepRunning, .stop, .cancel]
  }
}

private func choose(_ model: inout Model, _ key: Key, _ selected: Int) -> [Effect] {
  let answers = model.quitAnswers
  switch key {
  case .up, .left, .backTab:
    model.overlay = .quit(selected: (selected + answers.count - 1) % answers.count)
  case .down, .right, .tab:
    model.overlay = .quit(selected: (selected + 1) % answers.count)
  case .enter: return answer(&model, answers[selected])
  case .character("s"): return answer(&model, .stop)
  case .character("k"): return answer(&model, .keepRunning)
  case .character("c"), .character("q"), .escape: return answer(&model, .cancel)
  default: break
  }
  return []
}

func answer(_ model: inout Model, _ answer: QuitAnswer) -> [Effect] {
  model.overlay = nil
  switch answer {
  case .cancel: return []
  case .keepRunning: return [.exit(.detached)]
  case .stop:
    if model.isOver { return [.exit(.quit)] }
    model.isStopping = true
    return [.request(.stop)]
  }
}

/// First the dialog, a second one within two seconds stops and saves, a third leaves now.
///
/// In the background, where nobody sees a dialog, the first one stops and saves.
private func interrupt(_ model: inout Model) -> [Effect] {
  if model.isStopping { return [.exit(.interrupted)] }
  if model.isOver || model.leavesAtOnce { return [.exit(.quit)] }
  if !model.isShown { return model.ownsTrainer ? answer(&model, .stop) : [.exit(.quit)] }
  let isSecond = model.interrupts.last.map { model.now - $0 <= 2 } ?? false
  model.interrupts.append(model.now)
  if isSecond { return answer(&model, .stop) }
  model.overlay = .quit(selected: 0)
  return []
}

// MARK: Mouse

private func handleMouse(_ model: inout Model, _ x: Int, _ y: Int, _ button: Int) -> [Effect] {
  if model.isStopping { return [] }
  let layout = Layout(model.shown)
  switch model.overlay {
  case .quit:
    guard button == 0 else { return [] }
    for (index, rect) in layout.quitAnswerRects(model).enumerated() where rect.contains(x, y) {
      return answer(&model, model.quitAnswers[index])
    }
    return []
  case .help(let scroll):
    if button == 64 { model.overlay = .help(scroll: max(0, scroll - 2)) }
    if button == 65 { model.overlay = .help(scroll: scroll + 2) }
    if button == 0 { model.overlay = nil }
    return []
  case .prompt: return []
  case .themes(let before):
    model.chooseTheme(x, y, button, before: before)
    return []
  case .log, .result:
    if model.overlay == .log, button == 64 || button == 65 {
      _ = model.scrollLog(button == 64 ? .up : .down)
    }
    if button == 0 { model.overlay = nil }
    return []
  case nil: break
  }
  if model.grab(x, y, button, layout) { return [] }
  if button == 64 { return perform(&model, .up) }
  if button == 65 { return perform(&model, .down) }
  guard button == 0 else { return [] }
  for hint in keyHints(model, layout.keys) where hint.rect.contains(x, y) {
    return perform(&model, hint.command)
  }
  for (index, rect) in layout.tabRects.enumerated() where rect.contains(x, y) {
    return perform(&model, .tab(index))
  }
  if let step = layout.step(at: x, y, in: model) { return model.setCursor(step) }
  if let network = layout.network(at: x, y, in: model.shown) {
    if network == model.network { return perform(&model, .open) }
    model.network = network
    return []
  }
  guard model.screen == .main else { return [] }
  if model.kind == .joint {
    guard let place = layout.candidate(at: x, y, in: model) else { return [] }
    if place == model.selection { return perform(&model, .open) }
    (model.selection, model.hasChosen) = (place, true)
    return []
  }
  switch layout.row(at: x, y, in: model) {
  case .head(let head):
    model.toggle(head)
    model.selection = head.choices.lowerBound
  case .choice(let index, _):
    if index == model.selection { return perform(&model, .open) }
    model.selection = index
  case nil: break
  }
  return []
}
