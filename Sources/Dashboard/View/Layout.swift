import Runs

/// Where everything is at a size: the view draws by it, the mouse is read by it.
struct Layout: Sendable, Equatable {
  /// Four arrangements and a last resort; no size is refused.
  enum Kind: Sendable, Equatable { case wide, normal, tabbed, strip, line }

  var kind: Kind
  var size: Size
  var header = Rect(0, 0, 0, 0)
  var progress = Rect(0, 0, 0, 0)
  var body = Rect(0, 0, 0, 0)
  var message = Rect(0, 0, 0, 0)
  var keys = Rect(0, 0, 0, 0)
  var tabRects: [Rect] = []
  var tabTitles: [String] = []
  /// The box of the layers, with its border when `isBoxed`.
  var layers: Rect?
  /// Probabilities over time of the chosen choice, and of the most open one, when there is room.
  var previews: [Rect] = []
  /// The log, on the screen that has it.
  var log: Rect?
  /// First column of the panels where they stand beside the list.
  var split: Int?
  var panels: [(panel: Panel, rect: Rect)] = []
  /// Whether panels have borders, or only titles.
  var isBoxed = true

  // The rows of the list of choices.
  var firstRow = 0
  var visibleRows = 0
  var layerRows = Rect(0, 0, 0, 0)
  var rowHeight = 1
  var legendRows = 0
  var hasColumnTitles = true

  static func == (a: Layout, b: Layout) -> Bool {
    a.kind == b.kind && a.size == b.size && a.layers == b.layers && a.previews == b.previews
  }

  /// The arrangement of the main screen for `model`.
  init(_ model: Model) {
    size = model.size
    let (w, h) = (size.width, size.height)
    kind =
      if w >= 110, h >= 30 { .wide } else if w >= 80, h >= 22, model.kind != .joint {
        .normal
      } else if w >= 36, h >= 8 {
        .tabbed
      } else if w >= 20, h >= 4 { .strip } else { .line }
    header = Rect(0, 0, w, min(1, h))
    let rows = messageHeight(model, size)
    switch kind {
    case .wide, .normal, .tabbed:
      progress = Rect(0, 1, w, 1)
      // The first screen of a large terminal needs every line.
      let hasTabs = kind == .tabbed || model.tab > 0 || model.zoom != nil
      let top = hasTabs ? 3 : 2
      body = Rect(0, top, w, h - top - 1 - rows)
      message = Rect(0, h - 1 - rows, w, rows)
      keys = Rect(0, h - 1, w, 1)
      isBoxed = kind != .tabbed
      if hasTabs { arrangeTabNames(model) }
      if let zoom = model.zoom {
        panels = [(zoom, body)]
      } else if hasTabs {
        arrangeTab(model)
      } else {
        arrangeColumns(model)
      }
    case .strip:
      progress = Rect(0, 1, w, 1)
      keys = Rect(0, h - 1, w, 1)
      message = Rect(0, h - 2, w, h >= 5 ? 1 : 0)
      isBoxed = false
      // The line under the progress holds the figures.
      body = Rect(0, 2, w, 1)
      if h > 5, model.kind == .joint {
        layers = Rect(0, 3, w, h - 5)
        arrangeCandidateRows(model, Rect(0, 3, w, h - 5))
      } else if h > 5, model.kind.hasChoices {
        layers = Rect(0, 3, w, h - 5)
        arrangeLayers(model, Rect(0, 3, w, h - 5), titles: false, legend: 0)
      }
    case .line: break
    }
  }

  private mutating func arrangeColumns(_ model: Model) {
    if model.kind == .joint { return arrangeCandidates(model) }
    guard model.kind.hasChoices else { return arrangeGrid(model.kind.panels) }
    let (w, h) = (size.width, body.height)
    let usual = kind == .wide ? w * 58 / 100 : max(50, w * 64 / 100)
    let left = model.listWidth(of: w, usual: usual)
    split = left
    let right = Rect(left, body.y, w - left, h)
    legendRows = legendHeight(model, width: left - 4)
    let count = model.list.rows.count
    let chrome = 3 + legendRows
    rowHeight = count > 0 && count * 2 + chrome <= h * 7 / 10 ? 2 : 1
    let wanted = max(count, 4) * rowHeight + chrome
    if h - wanted >= 5, count > 0 {
      layers = Rect(0, body.y, left, wanted)
      arrangeOverTime(model, Rect(0, body.y + wanted, left, h - wanted))
    } else {
      layers = Rect(0, body.y, left, h)
    }
    if let layers { arrangeLayers(model, layers.inner, titles: true, legend: legendRows) }
    arrangeColumn(model.kind.panels, right)
  }

  /// Under the list: the film where there is room for it, and one choice or two over time.
  private mutating func arrangeOverTime(_ model: Model, _ rect: Rect) {
    var rest = rect
    let film = model.choices.count + 4
    if rect.height >= film + 10 {
      panels.append((.film, Rect(rect.x, rect.y, rect.width, film)))
      rest = Rect(rect.x, rect.y + film, rect.width, rect.height - film)
    }
    let half = rest.width / 2
    previews =
      rest.width >= 96 && model.choices.count > 1
      ? [
        Rect(rest.x, rest.y, half, rest.height),
        Rect(rest.x + half, rest.y, rest.width - half, rest.height),
      ]
      : [rest]
  }

  /// The names of the screens; only that of the chosen one where not all fit.
  private mutating func arrangeTabNames(_ model: Model) {
    func title(_ index: Int, _ hasName: Bool) -> String {
      let name = model.look.glyphs.plain(model.kind.tabs[index].title)
      return hasName ? "\(index + 1) \(name)" : "\(index + 1)"
    }
    let count = model.kind.tabs.count
    let whole = (0..<count).map { columns(of: title($0, true)) + 3 }.reduce(1, +)
    var x = 1
    for index in 0..<count {
      let text = title(index, whole <= size.width || index == model.tab)
      let width = columns(of: text) + 2
      tabRects.append(Rect(x, 2, width, 1))
      tabTitles.append(text)
      x += width + 1
    }
  }

  /// Panels one below the other.
  private mutating func arrangeColumn(_ four: [Panel], _ right: Rect) {
    // Panels share their borders: n panels cost n + 1 lines.
    let inside = right.height - 5
    var heights = Array(repeating: inside / 4, count: 4)
    for i in 0..<(inside % 4) { heights[[0, 1, 2, 3][i]] += 1 }
    var y = right.y
    for (panel, height) in zip(four, heights) {
      panels.append((panel, Rect(right.x, y, right.width, height + 2)))
      y += height + 1
    }
  }

  /// The list of candidates above the recipes, and the panels beside them.
  private mutating func arrangeCandidates(_ model: Model) {
    let left = model.listWidth(of: size.width, usual: size.width * 58 / 100)
    split = left
    let axes = max(9, body.height * 34 / 100)
    let list = Rect(0, body.y, left, body.height - axes)
    layers = list
    arrangeCandidateRows(model, list.inner)
    panels.append((.axes, Rect(0, list.maxY, left, axes)))
    arrangeColumn(model.kind.panels, Rect(left, body.y, size.width - left, body.height))
  }

  private mutating func arrangeCandidateRows(_ model: Model, _ rect: Rect) {
    hasColumnTitles = rect.height >= 5
    let top = hasColumnTitles ? 1 : 0
    layerRows = Rect(rect.x, rect.y + top, rect.width, rect.height - top)
    visibleRows = layerRows.height
    let order = model.candidates
    let latest = max(0, order.count - visibleRows)
    let place = order.firstIndex(of: model.selection) ?? 0
    firstRow = min(latest, max(0, place - visibleRows / 2))
  }

  /// Place in the model's candidates of the one drawn at a cell, or nil.
  func candidate(at x: Int, _ y: Int, in model: Model) -> Int? {
    guard layers != nil, layerRows.contains(x, y) else { return nil }
    let place = firstRow + y - layerRows.y
    let order = model.candidates
    return order.indices.contains(place) ? order[place] : nil
  }

  /// Four panels in two columns, each with a large one above a small one.
  private mutating func arrangeGrid(_ four: [Panel]) {
    let left = size.width / 2
    let top = body.height * 62 / 100
    for (index, panel) in four.enumerated() {
      let (x, width) = index < 2 ? (0, left) : (left, size.width - left)
      // The lower one shares the border above it.
      let rect =
        index % 2 == 0
        ? Rect(x, body.y, width, top)
        : Rect(x, body.y + top - 1, width, body.height - top + 1)
      panels.append((panel, rect))
    }
  }

  private mutating func arrangeTab(_ model: Model) {
    let tabs = model.kind.tabs
    switch tabs[min(model.tab, tabs.count - 1)] {
    case .panels(_, let first, nil): panels = [(first, body)]
    // Choices are many lines, and their time wants the whole width.
    case .panels(_, .film, let second?):
      let film = min(model.choices.count + 4, body.height * 2 / 3)
      panels = [(.film, Rect(body.x, body.y, body.width, film))]
      if body.height - film >= 5 {
        panels.append((second, Rect(body.x, body.y + film, body.width, body.height - film)))
      } else {
        panels[0].rect = body
      }
    case .panels(_, let first, let second?):
      let half = body.width / 2
      panels = [
        (first, Rect(body.x, body.y, half, body.height)),
        (second, Rect(body.x + half, body.y, body.width - half, body.height)),
      ]
    case .log: log = body
    case .choices:
      layers = body
      if model.kind == .joint { return arrangeCandidateRows(model, body) }
      legendRows = body.height >= 9 ? legendHeight(model, width: body.width - 2) : 0
      arrangeLayers(model, body, titles: body.height >= 8, legend: legendRows)
    }
  }

  private mutating func arrangeLayers(_ model: Model, _ rect: Rect, titles: Bool, legend: Int) {
    hasColumnTitles = titles
    legendRows = legend
    let top = titles ? 1 : 0
    let room = max(0, rect.height - top - legend)
    layerRows = Rect(rect.x, rect.y + top, rect.width, room)
    visibleRows = max(0, room / rowHeight)
    let list = model.list
    // The chosen row stays in sight, about in the middle of a long list.
    let latest = max(0, list.rows.count - visibleRows)
    firstRow = min(latest, max(0, list.place(of: model.selection) - visibleRows / 2))
  }

  /// The step at a cell of the film or of a line of the log, or nil.
  func step(at x: Int, _ y: Int, in model: Model) -> Int? {
    if let log, model.screen == .main {
      let list = LogRows(model.shown, isBoxed ? log.inner : log)
      return list.event(at: y)?.step
    }
    guard model.screen == .main,
      let film = panels.first(where: { $0.panel == .film && $0.rect.contains(x, y) })
    else { return nil }
    return FilmGrid(model.shown, inside(film.rect)).step(at: x)
  }

  /// The part of a panel inside its border, or under its title.
  func inside(_ rect: Rect) -> Rect {
    isBoxed
      ? Rect(rect.x + 2, rect.y + 1, rect.width - 4, rect.height - 2)
      : Rect(rect.x + 1, rect.y + 1, rect.width - 2, rect.height - 1)
  }

  /// The row of the list drawn at a cell, or nil.
  func row(at x: Int, _ y: Int, in model: Model) -> ChoiceList.Row? {
    guard layers != nil, layerRows.contains(x, y) else { return nil }
    let row = (y - layerRows.y) / rowHeight
    let rows = model.list.rows
    return row < visibleRows && firstRow + row < rows.count ? rows[firstRow + row] : nil
  }

  /// The box of a dialog of this many columns and lines, in the middle of the screen.
  func dialog(width: Int, height: Int) -> Rect {
    let (w, h) = (min(width, size.width), min(height, size.height))
    return Rect((size.width - w) / 2, (size.height - h) / 2, w, h)
  }

  /// Box of the quit dialog and the lines of its answers.
  func quitDialog(_ model: Model) -> Rect {
    size.height >= 9 && size.width >= 40
      ? dialog(width: 54, height: 9) : dialog(width: size.width, height: min(4, size.height))
  }

  func quitAnswerRects(_ model: Model) -> [Rect] {
    let box = quitDialog(model)
    let isSmall = box.height < 9
    return model.quitAnswers.indices.map {
      Rect(
        box.x + (isSmall ? 0 : 2),
        box.y + (isSmall ? 1 : 4) + $0,
        box.width - (isSmall ? 0 : 4),
        1
      )
    }
  }
}
