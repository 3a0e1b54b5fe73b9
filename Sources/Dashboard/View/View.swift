import Runs

/// The screen for a model at its size, of now or of the cursor's moment: a pure function, never
/// failing at any size (spec S81).
func view(_ now: Model) -> Frame {
  let model = now.shown
  var frame = Frame(model.size)
  let layout = Layout(model)
  switch layout.kind {
  case .line: drawStatusLine(&frame, model)
  case .strip: drawStrip(&frame, model, layout)
  case .tabbed, .normal, .wide:
    drawHeader(&frame, model, layout)
    drawBody(&frame, model, layout)
    drawMessage(&frame, model, layout.message)
    drawKeys(&frame, model, layout.keys)
  }
  drawOverlay(&frame, model, layout)
  frame.endCutText(model.look.glyphs)
  return frame
}

private func drawBody(_ frame: inout Frame, _ model: Model, _ layout: Layout) {
  drawTabs(&frame, model, layout)
  if model.isBlank {
    drawPreparing(&frame, model, layout.body)
  } else if model.screen == .inspector {
    let body =
      !layout.tabRects.isEmpty
      ? Rect(0, layout.body.y - 1, layout.body.width, layout.body.height + 1) : layout.body
    if model.kind == .joint {
      drawCandidate(&frame, model, body, isBoxed: layout.isBoxed)
    } else {
      drawInspector(&frame, model, body, isBoxed: layout.isBoxed)
    }
  } else {
    if model.kind == .joint {
      drawCandidates(&frame, model, layout)
    } else if layout.layers != nil {
      drawLayers(&frame, model, layout)
    }
    let previewed = [model.selection, model.mostOpen]
    for (rect, index) in zip(layout.previews, previewed) {
      drawPreview(&frame, model, index, rect)
    }
    if let log = layout.log { drawLogScreen(&frame, model, log, isBoxed: layout.isBoxed) }
    drawPanels(&frame, model, layout)
    if layout.isBoxed, model.state == .preparing {
      drawPreparing(&frame, model, layout.dialog(width: 60, height: 9))
    }
  }
}

// MARK: Boxes

/// Words of a panel's title, each in its own style.
typealias Words = [(text: String, style: Style)]

/// Draws a border with a title; a box that continues one above shares its line with it.
func drawBox(
  _ frame: inout Frame,
  _ rect: Rect,
  _ glyphs: GlyphSet,
  title: Words,
  continues: Bool = false,
  role: Role = .border
) {
  guard rect.width >= 2, rect.height >= 2 else { return }
  let box = glyphs.box
  let style = Style(role)
  for x in (rect.x + 1)..<(rect.maxX - 1) {
    frame[x, rect.y] = Cell(box[4], style)
    frame[x, rect.maxY - 1] = Cell(box[4], style)
  }
  for y in (rect.y + 1)..<max(rect.y + 1, rect.maxY - 1) {
    frame[rect.x, y] = Cell(box[5], style)
    frame[rect.maxX - 1, y] = Cell(box[5], style)
  }
  frame[rect.x, rect.y] = Cell(continues ? box[6] : box[0], style)
  frame[rect.maxX - 1, rect.y] = Cell(continues ? box[7] : box[1], style)
  frame[rect.x, rect.maxY - 1] = Cell(box[2], style)
  frame[rect.maxX - 1, rect.maxY - 1] = Cell(box[3], style)
  drawTitle(&frame, rect.x + 2, rect.y, rect.width - 4, title)
}

/// Writes a title into a border: a blank on both sides, and only words that fit whole.
func drawTitle(_ frame: inout Frame, _ x: Int, _ y: Int, _ width: Int, _ words: Words) {
  var column = x
  for (index, word) in words.enumerated() {
    let size = columns(of: word.text)
    if column + size + 2 > x + width + 1 {
      if index == 0 { frame.put(x, y, " " + clip(word.text, to: width - 2) + " ", word.style) }
      break
    }
    frame.put(column, y, " " + word.text + " ", word.style)
    column += size + 1
  }
}

// MARK: Preparing

/// A card for the time before the search: what is going on and how far it is.
func drawPreparing(_ frame: inout Frame, _ model: Model, _ area: Rect) {
  let glyphs = model.look.glyphs
  let isFailed = model.state == .failed || model.isTrainerGone
  let status = model.status
  let message = glyphs.plain(
    status.map { $0.message.isEmpty ? "setting up" : $0.message } ?? "waiting for the run to begin"
  )
  guard area.height >= 8, area.width >= 44 else {
    let y = area.y + max(0, area.height / 2 - 1)
    frame.putCentred(area, y, message, Style(isFailed ? .bad : .fg))
    if let status, status.progress > 0, area.height >= 2 {
      let width = min(30, area.width - 4)
      drawProgress(
        &frame,
        area.x + (area.width - width) / 2,
        y + 1,
        width: width,
        share: status.progress,
        role: .seriesA,
        look: model.look
      )
    }
    return
  }
  let card = Rect(
    area.x + (area.width - min(60, area.width)) / 2,
    area.y + (area.height - 9) / 2,
    min(60, area.width),
    9
  )
  frame.fill(card, Cell())
  let title =
    isFailed ? "The run failed" : "Preparing the \(model.kind.noun)"
  drawBox(
    &frame,
    card,
    glyphs,
    title: [(title, Style(isFailed ? .bad : .title))],
    role: isFailed ? .bad : .borderFocus
  )
  let inner = Rect(card.x + 3, card.y + 2, card.width - 6, card.height - 3)
  var x = inner.x
  if model.isAnimated {
    frame[x, inner.y] = Cell(model.spinner, Style(.seriesA))
    x += 2
  }
  frame.put(x, inner.y, clip(message, to: inner.maxX - x), Style(isFailed ? .bad : .fg))
  let share = status?.progress ?? 0
  drawProgress(
    &frame,
    inner.x,
    inner.y + 2,
    width: inner.width - 6,
    share: share,
    role: .seriesA,
    look: model.look
  )
  frame.putRight(inner.maxX, inner.y + 2, Format.percent(share, digits: 0), Style(.title))
  if let summary = model.summary {
    let facts = [
      "\(model.kind.origin) \(summary.preset)", "data \(summary.data)",
      Format.counted(summary.epochs, "epoch") + (model.kind == .joint ? " each" : ""),
      "seed \(summary.seed)",
    ]
    frame.put(
      inner.x,
      inner.y + 4,
      clip(facts.joined(separator: " \(glyphs.dot) "), to: inner.width),
      Style(.muted)
    )
  }
}
