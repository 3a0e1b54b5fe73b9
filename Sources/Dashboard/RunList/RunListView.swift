import Foundation
import Runs

/// The list of runs at its size: a pure function, never failing at any size.
func viewList(_ model: RunListModel) -> Frame {
  var frame = Frame(model.size)
  guard model.size.width > 0, model.size.height > 0 else { return frame }
  let layout = RunListLayout(model)
  drawListHeader(&frame, model, layout.header)
  drawRows(&frame, model, layout)
  if let details = layout.details { drawDetails(&frame, model, details) }
  if let chart = layout.chart { drawOverlaidChart(&frame, model, chart) }
  drawListMessage(&frame, model, layout.message)
  frame.fill(layout.keys, Cell(32, Style(.fg, on: .barBg)))
  for hint in layout.hints(model) {
    let x = frame.put(hint.rect.x, hint.rect.y, hint.key, Style(.key, on: .barBg))
    frame.put(x + 1, hint.rect.y, hint.word, Style(.fg, on: .barBg))
  }
  switch model.overlay {
  case .help(let scroll): drawListHelp(&frame, model, scroll)
  case .filter(let text, let error, _): drawFilter(&frame, model, layout, text, error)
  case nil: break
  }
  frame.endCutText(model.look.glyphs)
  return frame
}

// MARK: Bars

/// How many runs there are, in which states, and what of them is shown.
private func drawListHeader(_ frame: inout Frame, _ model: RunListModel, _ rect: Rect) {
  let plain = Style(.fg, on: .barBg)
  frame.fill(rect, Cell(32, plain))
  var x = rect.width >= 56 ? 1 : 0
  if rect.width >= 56 {
    x = frame.put(x, rect.y, "supertop", Style(.borderFocus, on: .barBg, .bold)) + 2
  }
  let count = Format.counted(model.runs.count, "run")
  let shown = model.filter == nil ? count : "\(model.shown.count) of \(count)"
  x = frame.put(x, rect.y, shown, Style(.title, on: .barBg), limit: rect.width - x) + 2
  var end = rect.width
  if let filter = model.filter, x + 12 < end {
    let text = clip("filter: " + model.look.glyphs.plain(filter.text), to: (end - x) / 2)
    frame.putRight(end - 1, rect.y, text, Style(.key, on: .barBg))
    end -= columns(of: text) + 2
  }
  for state in RunOverview.State.allCases {
    let number = model.runs.count { $0.state == state }
    let (mark, role) = state.badge(model.look.glyphs)
    let text = "\(mark) \(number) \(state.rawValue)"
    guard number > 0, x + columns(of: text) < end else { continue }
    x = frame.put(x, rect.y, text, Style(role, on: .barBg)) + 2
  }
}

private func drawListMessage(_ frame: inout Frame, _ model: RunListModel, _ rect: Rect) {
  guard rect.height > 0 else { return }
  let glyphs = model.look.glyphs
  let room = rect.width - 2
  switch model.message {
  case .problem(let text):
    frame.put(1, rect.y, clip("\(glyphs.cross) " + glyphs.plain(text), to: room), Style(.bad))
  case .notice(let text):
    frame.put(1, rect.y, clip(glyphs.plain(text), to: room), Style(.fg))
  case .intervention, nil:
    guard let run = model.chosen else { return }
    let text = run.problem ?? run.state.advice(run.path)
    frame.put(1, rect.y, clip(glyphs.plain("\(run.name): \(text)"), to: room), Style(.muted))
  }
}

/// The line in which a filter is typed, in place of the key line, and what is wrong with it above.
private func drawFilter(
  _ frame: inout Frame,
  _ model: RunListModel,
  _ layout: RunListLayout,
  _ text: String,
  _ error: String
) {
  let line = Rect(0, max(0, model.size.height - 1), model.size.width, 1)
  frame.fill(line, Cell(32, Style(.selectFg, on: .selectBg)))
  // Of a long text its end is where one types.
  let shown = String(text.suffix(max(0, line.width - 3)))
  var x = frame.put(0, line.y, "/", Style(.key, on: .selectBg))
  x = frame.put(x, line.y, shown, Style(.selectFg, on: .selectBg), limit: line.width - x)
  frame.cursor = Frame.Cursor(x: min(x, line.width - 1), y: line.y)
  let above = Rect(0, line.y - 1, line.width, 1)
  guard above.y >= 1 else { return }
  frame.fill(above, Cell())
  let glyphs = model.look.glyphs
  let hint = "words, key:value, /regex/, AND OR NOT ( )  Enter keeps it, Esc gives it up"
  frame.put(
    1,
    above.y,
    clip(error.isEmpty ? hint : "\(glyphs.cross) " + glyphs.plain(error), to: line.width - 2),
    Style(error.isEmpty ? .muted : .bad)
  )
}

private func drawListHelp(_ frame: inout Frame, _ model: RunListModel, _ scroll: Int) {
  let bindings = RunListKeys.bindings
  let (w, h) = (min(68, model.size.width), min(bindings.count + 3, model.size.height))
  let box = Rect((model.size.width - w) / 2, (model.size.height - h) / 2, w, h)
  let inside = drawDialog(&frame, box, model.look.glyphs, "Keys of the list")
  let first = min(scroll, max(0, bindings.count - inside.height))
  for (row, binding) in bindings.dropFirst(first).prefix(inside.height).enumerated() {
    frame.put(inside.x, inside.y + row, binding.label, Style(.key), limit: inside.width)
    frame.put(
      inside.x + 9,
      inside.y + row,
      clip(model.look.glyphs.plain(binding.help), to: inside.width - 9),
      Style(.fg)
    )
  }
}

// MARK: Rows

private func drawRows(_ frame: inout Frame, _ model: RunListModel, _ layout: RunListLayout) {
  let glyphs = model.look.glyphs
  guard !model.shown.isEmpty else {
    let text =
      !model.isRead
      ? "reading"
      : model.runs.isEmpty
        ? "no runs here yet; supertop search starts one"
        : "no run matches the filter; Esc lifts it"
    frame.putCentred(
      layout.rows,
      layout.rows.y + max(0, layout.rows.height - 1) / 2,
      text,
      Style(.muted)
    )
    return
  }
  if layout.titles.height > 0 {
    var x = layout.rows.x + RunListLayout.margin
    for field in layout.fields {
      let title = clip(field.title, to: field.width)
      let isRight = field == .accuracy || field == .cost
      let column = isRight ? x + field.width - columns(of: title) : x
      frame.put(column, layout.titles.y, title, Style(.muted))
      x += field.width + 1
    }
    frame.put(x, layout.titles.y, "name", Style(.muted), limit: layout.titles.maxX - x)
  }
  let last = min(model.shown.count, layout.firstRow + layout.rows.height)
  for place in layout.firstRow..<max(layout.firstRow, last) {
    let y = layout.rows.y + place - layout.firstRow
    drawRow(&frame, model, layout, model.shown[place], y, isChosen: place == model.selection)
  }
  if last < model.shown.count, layout.rows.height > 1 {
    let text = "\(glyphs.down) \(model.shown.count - last) more"
    frame.putRight(layout.rows.maxX - 1, layout.rows.maxY - 1, text, Style(.muted))
  }
}

private func drawRow(
  _ frame: inout Frame,
  _ model: RunListModel,
  _ layout: RunListLayout,
  _ run: RunOverview,
  _ y: Int,
  isChosen: Bool
) {
  let glyphs = model.look.glyphs
  let ground: Role = isChosen ? .selectBg : .bg
  func style(_ role: Role) -> Style {
    Style(isChosen && role == .fg ? .selectFg : role, on: ground)
  }
  let row = Rect(layout.rows.x, y, layout.rows.width, 1)
  frame.fill(row, Cell(32, style(.fg)))
  if isChosen { frame.put(row.x, y, glyphs.selected, Style(.borderFocus, on: ground)) }
  if model.marked.contains(run.path) {
    frame[row.x + 1, y] = Cell(model.tag(of: run), Style(model.role(of: run), on: ground, .bold))
  }
  let (mark, role) = run.state.badge(glyphs)
  frame.put(row.x + 3, y, mark, style(role), limit: 2)
  var x = row.x + RunListLayout.margin
  for field in layout.fields {
    drawField(&frame, model, field, run, x, y, ground)
    x += field.width + 1
  }
  frame.put(x, y, clip(glyphs.plain(run.name), to: row.maxX - x), style(.fg))
}

private func drawField(
  _ frame: inout Frame,
  _ model: RunListModel,
  _ field: RunListLayout.Column,
  _ run: RunOverview,
  _ x: Int,
  _ y: Int,
  _ ground: Role
) {
  let look = model.look
  let plain = Style(ground == .selectBg ? .selectFg : .fg, on: ground)
  let right = x + field.width
  switch field {
  case .word:
    frame.put(x, y, run.state.rawValue, Style(run.state.badge(look.glyphs).role, on: ground))
  case .bar:
    guard run.state != .unreadable else { return }
    drawProgress(
      &frame,
      x,
      y,
      width: field.width,
      share: run.progress,
      role: .seriesA,
      background: ground,
      look: look
    )
  case .share:
    guard run.state != .unreadable else { return }
    frame.putRight(right, y, Format.percent(run.progress, digits: 0), plain)
  case .accuracyCurve, .lossCurve:
    let isLoss = field == .lossCurve
    let values = isLoss ? run.points.compactMap(\.loss) : run.points.map(\.accuracy)
    let most = values.filter(\.isFinite).max() ?? 1
    // As much of the line as of the run is done, so that runs compare at a glance.
    let share = run.state == .finished ? 1 : run.progress
    drawSparkline(
      &frame,
      x,
      y,
      values,
      width: max(1, Int(near: share * Double(field.width))),
      role: model.role(of: run),
      background: ground,
      range: 0...(isLoss ? max(most, 1e-9) : 1),
      glyphs: look.glyphs
    )
  case .accuracy:
    let text = run.validationAccuracy.map { Format.percent($0) } ?? "-"
    frame.putRight(right, y, text, plain)
  case .cost:
    let text = run.cost.map(run.metric.short) ?? "-"
    frame.putRight(right, y, text, plain, limit: field.width)
  }
}
