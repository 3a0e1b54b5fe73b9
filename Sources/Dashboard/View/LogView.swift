import Runs

/// The lines of the log that are in sight.
struct LogRows {
  let events: [RunEvent]
  /// The event of the moment that is shown.
  let place: Int
  private let first: Int
  private let rect: Rect

  init(_ model: Model, _ rect: Rect) {
    // Of a past moment too the whole log is listed.
    events = model.future?.events ?? model.events
    place = model.logPlace(in: events)
    self.rect = rect
    let latest = max(0, events.count - rect.height)
    first = min(latest, max(0, place - rect.height / 2))
  }

  /// The events in sight, each with its row.
  var rows: [(y: Int, index: Int)] {
    (0..<max(0, min(rect.height, events.count - first))).map { (rect.y + $0, first + $0) }
  }

  /// The event at a row of the screen, or nil.
  func event(at y: Int) -> RunEvent? {
    rows.first { $0.y == y }.map { events[$0.index] }
  }
}

/// The screen of the log: what happened and what people asked for, with its step; the line of the
/// moment that is shown is marked.
func drawLogScreen(_ frame: inout Frame, _ model: Model, _ area: Rect, isBoxed: Bool) {
  let glyphs = model.look.glyphs
  if isBoxed {
    let count = Format.counted(model.interventions.count, "request")
    drawBox(
      &frame,
      area,
      glyphs,
      title: [("Log", Style(.title)), (count, Style(.muted))]
    )
  }
  let rect = isBoxed ? area.inner : area
  let list = LogRows(model, rect)
  guard !list.events.isEmpty else {
    frame.putCentred(rect, rect.y + rect.height / 2, "nothing has been logged", Style(.muted))
    return
  }
  let steps = list.events.compactMap(\.step).max().map { columns(of: Format.grouped($0)) } ?? 4
  for (y, index) in list.rows {
    let event = list.events[index]
    let isHere = index == list.place && model.cursor != nil
    let ground: Role = isHere ? .selectBg : .bg
    if isHere { frame.fill(Rect(rect.x, y, rect.width, 1), Cell(32, Style(.fg, on: ground))) }
    if isHere { frame.put(rect.x, y, glyphs.selected, Style(.borderFocus, on: ground)) }
    let muted = Style(isHere ? .selectFg : .muted, on: ground)
    var x = rect.x + 1
    if rect.width >= 60 {
      x = frame.put(x, y, event.time.map(timeOfDay) ?? "        ", muted) + 1
    }
    let step = event.step.map { Format.grouped($0) } ?? ""
    x = frame.put(x, y, Format.right(step, steps), muted) + 1
    let (mark, role) = look(event.kind, glyphs)
    x = frame.put(x, y, mark, Style(role, on: ground)) + 1
    let text = clip(glyphs.plain(event.text), to: rect.maxX - x)
    frame.put(x, y, text, Style(isHere ? .selectFg : role == .muted ? .fg : role, on: ground))
  }
}

/// Sign and role of a kind of event.
private func look(_ kind: RunEvent.Kind, _ glyphs: GlyphSet) -> (mark: String, role: Role) {
  switch kind {
  case .epoch, .log(.info): (glyphs.dot, .muted)
  case .log(.notice), .log(.warning), .finding: ("!", .warn)
  case .log(.error): (glyphs.cross, .bad)
  case .request: (glyphs.done, .pinned)
  case .refusal: (glyphs.cross, .bad)
  }
}

/// The time of day in UTC, so that a picture does not depend on where it is drawn.
func timeOfDay(_ time: Double) -> String {
  let second = Int(time.isFinite ? min(max(time, 0), 1e12) : 0) % 86_400
  return [second / 3600, second / 60 % 60, second % 60].map { Format.padded($0, 2) }
    .joined(separator: ":")
}
