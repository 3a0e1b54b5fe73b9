import Foundation
import Runs

/// What the world is to do for the list of runs.
enum RunListEffect: Sendable, Equatable {
  /// Show the dashboard of the run in that folder.
  case open(String)
  case exit(DashboardExit)
  case suspend
  case repaint
}

/// The list after `event`, and what follows from it; pure.
func updateList(_ model: inout RunListModel, _ event: Event) -> [RunListEffect] {
  switch event {
  case .key(let key): return handle(&model, key)
  case .mouse(let x, let y, let button): return handleMouse(&model, x, y, button)
  case .resize(let size): model.size = size
  case .paste(let text):
    for scalar in text.trimmingCharacters(in: .whitespaces).unicodeScalars {
      guard case .filter(let typed, _, let previous) = model.overlay else { break }
      type(&model, .character(scalar), typed, previous)
    }
  case .tick(let now): model.now = now
  case .interrupt: return [.exit(.quit)]
  case .terminate: return [.exit(.terminated)]
  case .hangUp: return [.exit(.hungUp)]
  case .stop: return [.suspend]
  case .capturedOutput(let text):
    if let line = text.split(whereSeparator: \.isNewline).last {
      model.message = .notice(String(line))
    }
  case .sourceFailed(let text): model.message = .problem(text)
  case .reply(.background(let colour)): model.look.follow(isLight: colour.isLight)
  case .reply(.scheme(let isDark)): model.look.follow(isLight: !isDark)
  // What comes of one run is for its own dashboard.
  case .data, .moment, .told, .copied, .themes, .drag, .release, .reply: break
  }
  return []
}

private func handle(_ model: inout RunListModel, _ key: Key) -> [RunListEffect] {
  switch model.overlay {
  case .filter(let text, _, let previous):
    type(&model, key, text, previous)
    return []
  case .help(let scroll):
    switch key {
    case .down, .character("j"): model.overlay = .help(scroll: scroll + 1)
    case .up, .character("k"): model.overlay = .help(scroll: max(0, scroll - 1))
    default: model.overlay = nil
    }
    return []
  case nil: return RunListKeys.command(for: key).map { perform(&model, $0) } ?? []
  }
}

private func perform(_ model: inout RunListModel, _ command: RunListCommand) -> [RunListEffect] {
  model.message = nil
  switch command {
  case .up: model.move(by: -1)
  case .down: model.move(by: 1)
  case .pageUp: model.move(by: -page(model))
  case .pageDown: model.move(by: page(model))
  case .top: model.choose(0)
  case .bottom: model.choose(.max)
  case .open:
    guard let run = model.chosen else { break }
    guard run.state == .unreadable else { return [.open(run.path)] }
    model.message = .problem(run.problem ?? run.state.advice(run.name))
  case .mark: model.toggleMark()
  case .curve: model.curve = model.curve == .accuracy ? .loss : .accuracy
  case .filter:
    let text = model.filter?.text ?? ""
    model.overlay = .filter(text: text, error: "", previous: model.filter)
  case .back: model.apply(nil)
  case .theme:
    model.look.themeIndex = (model.look.themeIndex + 1) % model.look.library.themes.count
    model.message = .notice("theme \(model.look.theme.name)")
  case .help: model.overlay = .help(scroll: 0)
  case .repaint: return [.repaint]
  case .quit: return [.exit(.quit)]
  }
  return []
}

private func page(_ model: RunListModel) -> Int { max(1, RunListLayout(model).rows.height - 1) }

/// What a key does to the filter that is being typed: what can be read of it is applied at once.
private func type(
  _ model: inout RunListModel,
  _ key: Key,
  _ text: String,
  _ previous: RunFilter?
) {
  var text = text
  switch key {
  case .escape:
    model.overlay = nil
    model.apply(previous)
    return
  case .enter:
    do {
      model.apply(try filter(text))
      model.overlay = nil
    } catch {
      model.overlay = .filter(text: text, error: "\(error)", previous: previous)
    }
    return
  case .backspace, .delete, .character("\u{7f}"), .character("\u{08}"):
    text = String(text.dropLast())
  case .character(let scalar) where scalar.value >= 0x20 && text.count < 200:
    text.unicodeScalars.append(scalar)
  default: return
  }
  model.overlay = .filter(text: text, error: "", previous: previous)
  if let readable = try? filter(text) { model.apply(readable) }
}

/// The filter of a text; nil for a blank one, which lifts it.
private func filter(_ text: String) throws -> RunFilter? {
  text.allSatisfy(\.isWhitespace) ? nil : try RunFilter(text, place: "filter")
}

private func handleMouse(
  _ model: inout RunListModel,
  _ x: Int,
  _ y: Int,
  _ button: Int
) -> [RunListEffect] {
  if case .filter = model.overlay { return [] }
  if model.overlay != nil {
    if button == 0 { model.overlay = nil }
    return []
  }
  if button == 64 { return perform(&model, .up) }
  if button == 65 { return perform(&model, .down) }
  let layout = RunListLayout(model)
  guard button == 0 else { return [] }
  for hint in layout.hints(model) where hint.rect.contains(x, y) {
    return perform(&model, hint.command)
  }
  guard layout.rows.contains(x, y) else { return [] }
  let place = layout.firstRow + y - layout.rows.y
  guard model.shown.indices.contains(place) else { return [] }
  if place == model.selection { return perform(&model, .open) }
  model.choose(place)
  return []
}
