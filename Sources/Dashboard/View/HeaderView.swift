import Foundation
import Runs

/// Word, mark and role of a state.
func stateBadge(_ model: Model) -> (mark: String, word: String, role: Role) {
  let glyphs = model.look.glyphs
  let spinner = String(Unicode.Scalar(model.spinner) ?? "*")
  if model.future != nil, let cursor = model.cursor {
    return (
      glyphs.folded, "\(model.kind.units.step.uppercased()) \(Format.grouped(cursor))", .pinned
    )
  }
  if model.isTrainerGone { return (glyphs.cross, "TRAINER GONE", .bad) }
  if let silence = model.silence {
    return (glyphs.waiting, "NO SIGN OF LIFE \(Format.duration(silence))", .warn)
  }
  if model.isStopping, !model.isOver { return (spinner, "STOPPING", .warn) }
  return switch model.state {
  case .preparing: (spinner, "PREPARING", .seriesC)
  case .running: (spinner, "RUNNING", .good)
  case .paused: (glyphs.paused, "PAUSED", .warn)
  case .validating: (spinner, "VALIDATING", .seriesA)
  case .stopped: (glyphs.done, "STOPPED", .warn)
  case .finished: (glyphs.check, "FINISHED", .good)
  case .failed: (glyphs.cross, "FAILED", .bad)
  }
}

/// The first row, what runs, in which state and how fast; the second, how far it is.
func drawHeader(_ frame: inout Frame, _ model: Model, _ layout: Layout) {
  let glyphs = model.look.glyphs
  let rect = layout.header
  let plain = Style(.fg, on: .barBg)
  let muted = Style(.muted, on: .barBg)
  frame.fill(rect, Cell(32, plain))
  let (mark, word, role) = stateBadge(model)
  var x = 1
  if rect.width >= 56 {
    x = frame.put(x, rect.y, "supertop", Style(.borderFocus, on: .barBg, .bold)) + 2
  }
  if model.look.hasColour {
    x = frame.put(x, rect.y, " \(mark) \(word) ", Style(.optionText, on: role, .bold)) + 2
  } else {
    x = frame.put(x, rect.y, "\(mark) \(word)", Style(role, on: .barBg, .bold)) + 2
  }

  // Figures on the right, the least needed dropped first.
  var figures: [String] = []
  if model.steering != .granted, !model.isOver { figures.append("read-only") }
  if let status = model.status {
    if let eta = status.etaSeconds, !model.isOver { figures.append("ETA \(Format.duration(eta))") }
    if model.kind == .joint, let best = model.bestText { figures.append(best) }
    if model.state == .finished, let last = model.epochs.last {
      figures.append("accuracy \(Format.percent(last.validationAccuracy))")
    }
    if status.imagesPerSecond > 0, !model.isOver {
      let rate = Int(min(status.imagesPerSecond.rounded(), 1e12))
      figures.append("\(Format.grouped(rate)) img/s")
    }
    if status.memoryBytes > 0 { figures.append(Format.bytes(status.memoryBytes)) }
    // Where there is room enough for the run's name as well.
    if rect.width >= 100, model.kind.hasChoices, let cost = model.cost,
      let budget = model.summary?.budget, budget > 0
    {
      let metric = model.costMetric
      figures.append("cost \(metric.short(cost)) of \(metric.short(budget))")
    }
  }
  var right = rect.width - 1
  var kept: [String] = []
  let nameRoom = rect.width >= 80 ? 18 : 0
  for figure in figures {
    let width = columns(of: figure) + (kept.isEmpty ? 0 : 3)
    if right - width < x + nameRoom { break }
    right -= width
    kept.append(figure)
  }
  frame.put(
    right,
    rect.y,
    kept.reversed().joined(separator: " \(glyphs.dot) "),
    plain
  )
  if let summary = model.summary, right - x - 2 >= min(6, columns(of: summary.name)) {
    let preset = summary.preset == summary.name ? "" : "  \(summary.preset)"
    let name = clip(glyphs.plain(summary.name), to: max(0, right - x - 2))
    x = frame.put(x, rect.y, name, Style(.title, on: .barBg))
    if x + columns(of: preset) < right - 1 { frame.put(x, rect.y, glyphs.plain(preset), muted) }
  }
  drawProgressRow(&frame, model, layout.progress)
}

/// The run's progress and the epoch's.
func drawProgressRow(_ frame: inout Frame, _ model: Model, _ rect: Rect) {
  guard rect.width > 4, let status = model.status, status.epochs > 0 || status.totalSteps > 0 else {
    return
  }
  let glyphs = model.look.glyphs
  let epoch = min(status.epoch + 1, max(1, status.epochs))
  let half = rect.width >= 70 ? rect.width * 58 / 100 : rect.width
  let digits = columns(of: String(status.epochs))
  let units = model.kind.units
  let label = "\(units.epoch) \(Format.right(String(epoch), digits))/\(status.epochs)"
  var x = frame.put(1, rect.y, label, Style(.fg)) + 1
  let share = Format.percent(model.progress, digits: 0)
  let end = half - columns(of: "100%") - 3
  drawProgress(
    &frame,
    x,
    rect.y,
    width: end - x,
    share: model.progress,
    role: .seriesA,
    look: model.look
  )
  frame.putRight(half - 2, rect.y, share, Style(.title))
  guard half < rect.width else { return }
  let phase: String
  if model.isOver {
    phase = ""
  } else if model.state == .validating {
    phase = glyphs.plain(status.message.isEmpty ? "validating" : status.message)
  } else {
    let part = status.phase == .theta ? glyphs.theta : "weights"
    phase =
      switch model.kind {
      case .training: "training"
      case .joint: status.epoch + 1 < status.epochs ? "coarse stage" : "fine stage"
      case .search, .random: part
      }
  }
  let stepDigits = columns(of: String(status.stepsPerEpoch))
  let step =
    "\(units.step) \(Format.right(String(status.stepInEpoch), stepDigits))/\(status.stepsPerEpoch)"
  x = frame.put(half, rect.y, step, Style(.fg)) + 1
  let most = max(16, (rect.width - 1 - x) * 2 / 3)
  let phaseWidth = min(most, max(8, columns(of: phase) + 1))
  let inEpoch =
    model.state == .validating
    ? status.progress
    : status.stepsPerEpoch > 0 ? Double(status.stepInEpoch) / Double(status.stepsPerEpoch) : 0
  let width = rect.width - 1 - phaseWidth - x
  drawProgress(
    &frame,
    x,
    rect.y,
    width: width,
    share: inEpoch,
    role: .seriesB,
    look: model.look
  )
  frame.putRight(rect.width - 1, rect.y, phase, Style(.muted), limit: phaseWidth - 1)
}

// MARK: Bottom lines

/// The key line: hot keys with their words, clickable.
func drawKeys(_ frame: inout Frame, _ model: Model, _ rect: Rect) {
  frame.fill(rect, Cell(32, Style(.fg, on: .barBg)))
  for hint in keyHints(model, rect) {
    let x = frame.put(hint.rect.x, rect.y, hint.key, Style(.key, on: .barBg))
    frame.put(x + 1, rect.y, hint.word, Style(.fg, on: .barBg))
  }
}

/// The names of the screens.
func drawTabs(_ frame: inout Frame, _ model: Model, _ layout: Layout) {
  for (index, rect) in layout.tabRects.enumerated() {
    let isChosen = index == model.tab
    let background: Role = isChosen ? .selectBg : .bg
    frame.fill(rect, Cell(32, Style(.fg, on: background)))
    let words = layout.tabTitles[index].split(separator: " ", maxSplits: 1)
    let number = Style(isChosen ? .selectFg : .key, on: background)
    let x = frame.put(rect.x + 1, rect.y, String(words[0]), number)
    guard words.count > 1 else { continue }
    frame.put(
      x + 1,
      rect.y,
      String(words[1]),
      Style(isChosen ? .selectFg : .muted, on: background)
    )
  }
}

// MARK: Very small screens

/// 20x4 up to 35x7: state, progress, figures, keys, and layers while lines last.
func drawStrip(_ frame: inout Frame, _ model: Model, _ layout: Layout) {
  drawHeader(&frame, model, layout)
  let glyphs = model.look.glyphs
  var parts: [String] = []
  if let last = model.epochs.last { parts.append("va \(Format.percent(last.validationAccuracy))") }
  if model.kind == .joint, let best = model.bestText { parts.append(best) }
  if let status = model.status, status.temperature > 0 {
    parts.append("\(glyphs.tau) \(Format.number(status.temperature))")
  }
  if let loss = model.curves.trainLoss.last { parts.append("loss \(Format.number(loss))") }
  if parts.isEmpty {
    parts = [glyphs.plain(model.status?.message ?? "waiting for the run to begin")]
  }
  frame.put(1, layout.body.y, clip(parts.joined(separator: " "), to: layout.size.width - 2))
  if model.kind == .joint {
    drawCandidates(&frame, model, layout)
  } else if layout.layers != nil {
    drawLayers(&frame, model, layout)
  }
  drawMessage(&frame, model, layout.message)
  drawKeys(&frame, model, layout.keys)
}

/// The last resort: as much of the state as one line holds.
func drawStatusLine(_ frame: inout Frame, _ model: Model) {
  guard frame.width > 0, frame.height > 0 else { return }
  let (mark, word, role) = stateBadge(model)
  let x = frame.put(0, 0, mark + " " + word, Style(role), limit: frame.width)
  if let status = model.status, status.epochs > 0, x + 2 < frame.width {
    let text =
      "\(min(status.epoch + 1, status.epochs))/\(status.epochs) "
      + Format.percent(model.progress, digits: 0)
    frame.put(x + 1, 0, text, Style(.fg), limit: frame.width - x - 1)
  }
}
