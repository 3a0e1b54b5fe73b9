import Foundation
import Runs

/// Dialogs over the screen: they hide what is under them and have a bright border.
func drawOverlay(_ frame: inout Frame, _ model: Model, _ layout: Layout) {
  frame.cursor = nil
  if model.isStopping {
    drawStopping(&frame, model, layout)
    return
  }
  switch model.overlay {
  case .help(let scroll): drawHelp(&frame, model, layout, scroll)
  case .log: drawLog(&frame, model, layout)
  case .quit(let selected): drawQuit(&frame, model, layout, selected)
  case .prompt(let prompt, let text, let error):
    drawPrompt(&frame, model, layout, prompt, text, error)
  case .result: drawResult(&frame, model, layout)
  case .themes: drawThemes(&frame, model)
  case nil: break
  }
}

func drawDialog(
  _ frame: inout Frame,
  _ rect: Rect,
  _ glyphs: GlyphSet,
  _ title: String,
  role: Role = .borderFocus
) -> Rect {
  frame.fill(rect, Cell())
  guard rect.height >= 4, rect.width >= 12 else {
    frame.put(rect.x, rect.y, title, Style(.title), limit: rect.width)
    return Rect(rect.x, rect.y + 1, rect.width, rect.height - 1)
  }
  drawBox(&frame, rect, glyphs, title: [(title, Style(.title))], role: role)
  return Rect(rect.x + 2, rect.y + 1, rect.width - 4, rect.height - 2)
}

// MARK: Help

private typealias HelpLine = (key: String, text: String, isTitle: Bool)

/// Every key of the table, in two columns where there is room.
private func drawHelp(_ frame: inout Frame, _ model: Model, _ layout: Layout, _ scroll: Int) {
  let glyphs = model.look.glyphs
  func section(_ group: KeyBinding.Group) -> [HelpLine] {
    var lines: [HelpLine] = [("", group.title(model.kind), true)]
    for binding in KeyTable.bindings(model.kind) where binding.group == group {
      // Keys that do one thing in two directions share a line.
      if lines[lines.count - 1].text == binding.help {
        lines[lines.count - 1].key += " " + binding.label
      } else {
        lines.append((binding.label, binding.help, false))
      }
    }
    if group == .program { lines += KeyTable.signals.map { ($0.label, $0.help, false) } }
    return lines
  }
  let blank: [HelpLine] = [("", "", false)]
  let isDouble = layout.size.width >= 78
  let columns =
    isDouble
    ? [section(.steering) + blank + section(.program), section(.looking)]
    : [section(.steering) + blank + section(.looking) + blank + section(.program)]
  let rows = columns.map(\.count).max() ?? 0
  let box = layout.dialog(width: isDouble ? min(92, layout.size.width - 2) : 54, height: rows + 4)
  let inside = drawDialog(&frame, box, glyphs, "Keys")
  let room = max(0, inside.height - 1)
  let first = min(scroll, max(0, rows - room))
  let width = inside.width / columns.count
  for (column, lines) in columns.enumerated() {
    let keyWidth = (lines.map(\.key.count).max() ?? 8) + 1
    for (row, line) in lines.dropFirst(first).prefix(room).enumerated() {
      let (x, y) = (inside.x + column * (width + 1), inside.y + row)
      if line.isTitle {
        frame.put(x, y, line.text, Style(.borderFocus, on: .bg, .bold), limit: width)
      } else {
        frame.put(x, y, line.key, Style(.key), limit: width)
        frame.put(
          x + keyWidth,
          y,
          clip(glyphs.plain(line.text), to: width - keyWidth),
          Style(.fg)
        )
      }
    }
  }
  let more = first + room < rows ? "\(glyphs.down) more  " : ""
  if inside.height > 0 {
    frame.putRight(
      inside.maxX,
      inside.maxY - 1,
      clip(more + "any other key closes", to: inside.width),
      Style(.muted)
    )
  }
}

// MARK: Log

private func drawLog(_ frame: inout Frame, _ model: Model, _ layout: Layout) {
  let glyphs = model.look.glyphs
  let box = layout.dialog(width: max(60, layout.size.width - 8), height: layout.size.height - 2)
  let inside = drawDialog(&frame, box, glyphs, "Log")
  guard !model.log.isEmpty else {
    frame.putCentred(inside, inside.y + inside.height / 2, "nothing has been logged", Style(.muted))
    return
  }
  let shown = model.log.dropLast(model.logScroll).suffix(max(0, inside.height))
  for (row, record) in shown.enumerated() {
    let role: Role =
      switch record.level {
      case .info: .fg
      case .notice, .warning: .warn
      case .error: .bad
      }
    let time = timeOfDay(record.time)
    let x = frame.put(inside.x, inside.y + row, time, Style(.muted), limit: inside.width) + 2
    frame.put(x, inside.y + row, clip(glyphs.plain(record.text), to: inside.maxX - x), Style(role))
  }
}

// MARK: Quit

private func drawQuit(_ frame: inout Frame, _ model: Model, _ layout: Layout, _ selected: Int) {
  let box = layout.quitDialog(model)
  let glyphs = model.look.glyphs
  let isSmall = box.height < 9
  if isSmall {
    frame.fill(box, Cell())
    frame.put(box.x, box.y, "Leave the \(model.kind.noun)?", Style(.title), limit: box.width)
  } else {
    let inside = drawDialog(&frame, box, glyphs, "Leave the \(model.kind.noun)?")
    frame.put(
      inside.x,
      inside.y + 1,
      clip("The \(model.kind.noun) is still running. What should happen?", to: inside.width),
      Style(.fg)
    )
    frame.put(
      inside.x,
      box.maxY - 2,
      clip("Enter chooses  Esc stays", to: inside.width),
      Style(.muted)
    )
  }
  for (index, rect) in layout.quitAnswerRects(model).enumerated() {
    let (key, text): (String, String) =
      switch model.quitAnswers[index] {
      case .stop: ("s", "Stop and save: resume it whenever you like")
      case .keepRunning:
        (
          "k",
          model.ownsTrainer ? "Keep running headless" : "Leave: the run continues without a watcher"
        )
      case .cancel: ("c", "Cancel: stay here")
      }
    let isChosen = index == selected
    let background: Role = isChosen ? .selectBg : .bg
    frame.fill(rect, Cell(32, Style(.fg, on: background)))
    let x = frame.put(
      rect.x + 1,
      rect.y,
      key,
      Style(isChosen ? .selectFg : .key, on: background),
      limit: rect.width
    )
    frame.put(
      x + 2,
      rect.y,
      clip(text, to: rect.maxX - x - 2),
      Style(isChosen ? .selectFg : .fg, on: background)
    )
  }
}

private func drawStopping(_ frame: inout Frame, _ model: Model, _ layout: Layout) {
  let glyphs = model.look.glyphs
  let box = layout.dialog(width: 54, height: layout.size.height >= 6 ? 6 : layout.size.height)
  let inside = drawDialog(&frame, box, glyphs, "Stopping")
  frame[inside.x, inside.y] = Cell(model.spinner, Style(.warn))
  frame.put(
    inside.x + 2,
    inside.y,
    clip("finishing the step and writing the checkpoint", to: inside.width - 2),
    Style(.fg)
  )
  if inside.height >= 3 {
    frame.put(
      inside.x + 2,
      inside.y + 2,
      clip("Ctrl-C leaves at once", to: inside.width - 2),
      Style(.muted)
    )
  }
}

// MARK: Prompts

private func drawPrompt(
  _ frame: inout Frame,
  _ model: Model,
  _ layout: Layout,
  _ prompt: Model.Prompt,
  _ text: String,
  _ error: String
) {
  let glyphs = model.look.glyphs
  let isTall = layout.size.height >= 7
  let isControl = prompt == .control
  let box = layout.dialog(
    width: isControl || prompt == .branch ? 76 : 44,
    height: isTall
      ? isControl ? min(layout.size.height, 20) : 7 : min(3, layout.size.height)
  )
  let title: String
  let hint: String
  switch prompt {
  case .temperature:
    title = "Temperature \(glyphs.tau)"
    let now = model.status.map { "now \(Format.number($0.temperature))" } ?? ""
    hint = now + "; the schedule is held until h"
  case .limit:
    title = "Limit from the next round on"
    hint = "such as flops 150k; 0 lifts it"
  case .control:
    title = "Control"
    hint = "Tab completes"
  case .branch:
    title = "Branch a new run off" + (model.cursor.map { " at step \(Format.grouped($0))" } ?? "")
    hint = "changes, such as temperature.rate=0.95 budget.flops=150k; none will do"
  }
  let inside = drawDialog(&frame, box, glyphs, title)
  var y = inside.y
  if isTall {
    frame.put(
      inside.x,
      y,
      clip(hint, to: inside.width),
      Style(.muted)
    )
    y += isControl ? 1 : 2
  }
  let field = Rect(inside.x, y, inside.width, 1)
  frame.fill(field, Cell(32, Style(.selectFg, on: .selectBg)))
  let x = frame.put(field.x + 1, y, text, Style(.selectFg, on: .selectBg), limit: field.width - 2)
  if field.width > 0, y < frame.height {
    frame.cursor = Frame.Cursor(x: min(x, field.maxX - 1), y: y)
  }
  let line =
    error.isEmpty
    ? isControl
      ? "Enter asks for it  Esc leaves it"
      : prompt == .branch ? "Enter trains it  Esc leaves it" : "Enter sets it  Esc leaves it"
    : "\(glyphs.cross) \(error)"
  let lines = isControl && isTall ? Array(wrapped(line, to: inside.width).prefix(3)) : [line]
  if isControl, isTall {
    let list = Rect(inside.x, y + 2, inside.width, inside.maxY - lines.count - y - 3)
    let controls = model.controls(matching: text)
    drawControls(&frame, controls, list, glyphs)
    let values = controls.count == 1 ? model.completions(of: text) : []
    let names = values.map { value in
      String(value[(value.firstIndex(of: "=").map(value.index(after:)) ?? value.startIndex)...])
    }
    let rows = wrapped(names.filter { !$0.isEmpty }.joined(separator: " "), to: list.width)
    for (row, line) in rows.prefix(max(0, list.height - 3)).enumerated() {
      frame.put(list.x, list.y + 3 + row, glyphs.plain(line), Style(.muted), limit: list.width)
    }
  }
  guard inside.height >= 2 else { return }
  for (index, line) in lines.enumerated() {
    frame.put(
      inside.x,
      inside.maxY - lines.count + index,
      clip(glyphs.plain(line), to: inside.width),
      Style(error.isEmpty ? .muted : .bad)
    )
  }
}

/// The controls that what is typed may become: how each is written and what it does; of a single
/// one its range too.
private func drawControls(
  _ frame: inout Frame,
  _ controls: [Control],
  _ rect: Rect,
  _ glyphs: GlyphSet
) {
  guard rect.height > 0 else { return }
  let width = (controls.map(\.form.count).max() ?? 0) + 2
  for (row, control) in controls.prefix(rect.height).enumerated() {
    let isLast = row == rect.height - 1 && controls.count > rect.height
    let y = rect.y + row
    if isLast {
      frame.put(rect.x, y, "and \(controls.count - row) more", Style(.muted), limit: rect.width)
      return
    }
    frame.put(rect.x, y, clip(glyphs.plain(control.form), to: width - 1), Style(.key))
    frame.put(
      rect.x + width,
      y,
      clip(glyphs.plain(control.meaning), to: rect.width - width),
      Style(.fg)
    )
  }
  if controls.count == 1, rect.height > 1 {
    let facts = [controls[0].range, "takes effect: \(controls[0].timing.rawValue)"]
      .filter { !$0.isEmpty }.joined(separator: "; ")
    frame.put(
      rect.x + width,
      rect.y + 1,
      clip(glyphs.plain(facts), to: rect.width - width),
      Style(.muted)
    )
  }
}
