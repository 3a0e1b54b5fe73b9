/// Where the list of themes is: the view draws by it, the mouse is read by it.
struct ThemeList {
  let box: Rect
  /// The lines of the themes.
  let rows: Rect
  /// Place of the first that is shown.
  let first: Int

  /// At the right edge, so that most of the screen shows the theme.
  init(_ model: Model) {
    let themes = model.look.library.themes
    let widest = themes.map { columns(of: $0.name) }.max() ?? 0
    let (width, height) = (min(model.size.width, widest + 12), model.size.height)
    box = Rect(
      model.size.width - width,
      min(1, height),
      width,
      min(height - min(1, height), themes.count + 3)
    )
    let isSmall = box.height < 4 || box.width < 12
    rows =
      isSmall
      ? Rect(box.x, box.y + 1, box.width, box.height - 1)
      : Rect(box.x + 2, box.y + 1, box.width - 4, box.height - 3)
    let latest = max(0, themes.count - rows.height)
    first = min(latest, max(0, model.look.themeIndex - rows.height / 2))
  }

  /// Place of the theme drawn at a cell, or nil.
  func theme(at x: Int, _ y: Int) -> Int? { rows.contains(x, y) ? first + y - rows.y : nil }
}

/// The themes, each with the ground that it is for.
func drawThemes(_ frame: inout Frame, _ model: Model) {
  let list = ThemeList(model)
  let glyphs = model.look.glyphs
  let inside = drawDialog(&frame, list.box, glyphs, "Theme")
  let shown = model.look.library.themes.enumerated().dropFirst(list.first).prefix(list.rows.height)
  for (row, (index, theme)) in shown.enumerated() {
    let isChosen = index == model.look.themeIndex
    let ground: Role = isChosen ? .selectBg : .bg
    let rect = Rect(list.rows.x, list.rows.y + row, list.rows.width, 1)
    frame.fill(rect, Cell(32, Style(.fg, on: ground)))
    let mark = isChosen ? glyphs.selected + " " : "  "
    let x = frame.put(
      rect.x,
      rect.y,
      mark,
      Style(isChosen ? .selectFg : .fg, on: ground),
      limit: rect.width
    )
    frame.put(
      x,
      rect.y,
      clip(glyphs.plain(theme.name), to: rect.maxX - x),
      Style(isChosen ? .selectFg : .fg, on: ground)
    )
    let word = theme.isMonochrome ? "" : theme.appearance == .any ? "" : theme.appearance.rawValue
    if columns(of: theme.name) + columns(of: word) + 3 < rect.width {
      frame.putRight(rect.maxX, rect.y, word, Style(isChosen ? .selectFg : .muted, on: ground))
    }
  }
  if list.box.height >= 4, list.box.width >= 12 {
    frame.put(
      inside.x,
      inside.maxY - 1,
      clip("Enter takes it  Esc", to: inside.width),
      Style(.muted)
    )
  }
}
