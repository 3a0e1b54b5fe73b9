import Runs

/// The last command and what became of it, or what else there is to say.
func drawMessage(_ frame: inout Frame, _ model: Model, _ rect: Rect) {
  guard rect.height > 0 else { return }
  let glyphs = model.look.glyphs
  let room = rect.width - 2
  switch model.message {
  case .intervention(let intervention):
    var x = frame.put(
      1,
      rect.y,
      glyphs.plain(describe(intervention.action, model.choices)),
      Style(.title),
      limit: room
    )
    let states: [Intervention.State] = [.requested, .accepted, .done]
    if intervention.state == .refused {
      let note = intervention.note.isEmpty ? "" : ": " + glyphs.plain(intervention.note)
      frame.put(
        x + 2,
        rect.y,
        clip("\(glyphs.cross) refused\(note)", to: rect.width - x - 3),
        Style(.bad)
      )
      return
    }
    let reached = states.firstIndex(of: intervention.state) ?? 0
    x += 1
    for (index, state) in states.enumerated() {
      let isReached = index <= reached
      let text = "\(isReached ? glyphs.done : glyphs.waiting) \(state.rawValue)"
      if x + columns(of: text) + 3 > rect.width { break }
      if index > 0 {
        x = frame.put(x + 1, rect.y, glyphs.arrow, Style(isReached ? .fg : .muted))
      }
      x = frame.put(
        x + 1,
        rect.y,
        text,
        Style(isReached ? (state == .done ? .good : .fg) : .muted)
      )
    }
    var rest =
      intervention.state == .done
      ? intervention.step.map { " at step \(Format.grouped($0))" } ?? "" : ""
    if !intervention.note.isEmpty { rest += " (\(glyphs.plain(intervention.note)))" }
    frame.put(x, rect.y, clip(rest, to: rect.width - x - 1), Style(.muted))
  case .notice, .problem, nil:
    let (text, role) = remark(model)
    let lines = wrapped(text, to: room)
    for (index, line) in lines.prefix(rect.height).enumerated() {
      let isLast = index == rect.height - 1
      let shown = isLast ? lines[index...].joined(separator: " ") : line
      frame.put(1, rect.y + index, clip(shown, to: room), Style(role))
    }
  }
}

/// Rows of the message: as many as its text needs, up to an eighth of the screen.
func messageHeight(_ model: Model, _ size: Size) -> Int {
  if case .intervention = model.message { return 1 }
  return max(1, min(wrapped(remark(model).text, to: size.width - 2).count, size.height / 8))
}

/// What there is to say but commands, and its role.
private func remark(_ model: Model) -> (text: String, role: Role) {
  let glyphs = model.look.glyphs
  return switch model.message {
  case .notice(let text): (glyphs.plain(text), .fg)
  case .problem(let text): ("\(glyphs.cross) " + glyphs.plain(text), .bad)
  case .intervention, nil: (glyphs.plain(statusText(model)), .muted)
  }
}

/// What is worth saying while nobody asked for anything.
func statusText(_ model: Model) -> String {
  if model.future != nil {
    let line = model.cursor.flatMap { model.events(at: $0).last }
    return line?.text ?? ", . move, [ ] go from event to event, Esc comes back to now"
  }
  if model.isTrainerGone {
    return
      "the training process is gone; continue with: supertop resume \(model.summary?.name ?? "RUN")"
  }
  if model.silence != nil, let process = model.status?.processIdentifier {
    return "no sign of life from process \(process); a stopped one goes on after kill -CONT "
      + "\(process), a hanging one is ended by kill -KILL \(process), and the run continues with: "
      + "supertop resume \(model.summary?.name ?? "RUN")"
  }
  switch model.state {
  case .failed: return model.status?.message ?? "the run failed"
  case .stopped:
    return
      "stopped with a checkpoint; continue with: supertop resume \(model.summary?.name ?? "RUN")"
  case .paused:
    return model.kind == .joint
      ? "paused, the candidates under way too; space resumes"
      : "paused at a step boundary; space resumes, s makes one step"
  case .finished:
    if !model.kind.hasChoices { return "the \(model.kind.noun) is done; q leaves" }
    return model.isSettled
      ? "the search is done; Enter inspects a layer, q leaves"
      : "the search ended undecided: \(model.found?.verdict ?? model.verdict?.text ?? "")"
  case .preparing: return ""
  case .running, .validating: break
  }
  if model.kind == .joint, let text = model.status?.message, !text.isEmpty { return text }
  if model.kind == .random, let networks = model.summary?.randomNetworks {
    return "random search: θ is frozen; \(Format.counted(networks, "network")) "
      + "\(networks == 1 ? "is" : "are") sampled and evaluated after the last epoch"
  }
  if let summary = model.summary, let status = model.status, status.epoch < summary.warmupEpochs {
    return
      "warm-up: only weights are trained; θ starts to move in epoch \(summary.warmupEpochs + 1)"
  }
  if let alarm = model.findings.first(where: \.isAlarm) {
    return alarm.text + (alarm.step == nil ? "" : " (! goes there)")
  }
  // What was noticed stays in sight until there is something else to say.
  let line = model.log.last { $0.level == .notice } ?? model.log.last
  return line?.text ?? ""
}

/// An action in words, with the names of the run's choices.
func describe(_ action: Intervention.Action, _ choices: [Choice]) -> String {
  func name(_ choice: Int) -> String {
    choices.indices.contains(choice) ? choices[choice].name : "choice \(choice + 1)"
  }
  func option(_ choice: Int, _ option: Int) -> String {
    guard choices.indices.contains(choice), choices[choice].options.indices.contains(option) else {
      return "option \(option + 1)"
    }
    return choices[choice].options[option].name
  }
  return switch action {
  case .pause: "pause"
  case .resume: "resume"
  case .singleStep: "one step"
  case .runToEpoch(let epoch): "run to the end of epoch \(epoch)"
  case .setTemperature(let value): "temperature \(Format.number(value))"
  case .scaleTemperature(let factor):
    factor >= 1
      ? "temperature ×\(trimmed(factor))" : "temperature ÷\(trimmed(1 / factor))"
  case .holdTemperature: "hold the temperature"
  case .releaseTemperature: "give the temperature back to the schedule"
  case .pinChoice(let choice, let taken): "pin \(name(choice)) to \(option(choice, taken))"
  case .unpinChoice(let choice): "unpin \(name(choice))"
  case .banOption(let choice, let taken): "ban \(option(choice, taken)) in \(name(choice))"
  case .allowOption(let choice, let taken): "unban \(option(choice, taken)) in \(name(choice))"
  case .setCostWeight(let value): "weight of the cost \(Format.number(value))"
  case .setBudget(let value): "budget \(Format.number(value))"
  case .setRate(let phase, let factor):
    "learning rate of \(phase == .weights ? "the weights" : "θ") ×\(trimmed(factor))"
  case .undo: "undo the last change"
  case .checkpoint: "checkpoint"
  case .sampleNetworks(let count): "sample \(Format.counted(count, "network"))"
  case .deriveNetworks(let count): "derive \(Format.counted(count, "network"))"
  case .stop: "stop and save"
  case .stopCandidate(let number): "stop candidate \(number)"
  case .addCandidate: "add a candidate"
  case .setLimit(let metric, let most):
    most > 0 ? "\(metric.title) up to \(metric.short(most))" : "no limit of \(metric.title)"
  case .startFineStage: "start the fine stage"
  }
}

private func trimmed(_ value: Double) -> String {
  var text = Format.fixed(value, 3)
  while text.hasSuffix("0") { text.removeLast() }
  return text.hasSuffix(".") ? String(text.dropLast()) : text
}

/// A text in lines of `width` columns at most, broken between words.
func wrapped(_ text: String, to width: Int) -> [String] {
  text.split(separator: " ").reduce(into: [String]()) { lines, word in
    if let last = lines.last, columns(of: last) + columns(of: String(word)) < width {
      lines[lines.count - 1] = last + " " + word
    } else {
      lines.append(String(word))
    }
  }
}
