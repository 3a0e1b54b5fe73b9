import Runs

/// Where everything stands at a size: the view draws by it, the mouse is read by it.
struct Layout: Sendable, Equatable {
  /// Four arrangements and a last resort; no size is refused.
  enum Kind: Sendable, Equatable { case wide, normal, tabbed, strip, line }

  /// A chart panel of the right-hand column.
  enum Panel: Sendable, Equatable {
    case loss, accuracy, cost, temperature
    /// The learning rate, and what is trained, in the training of one network.
    case rate, facts
  }

  /// Tabs of the small arrangement.
  static func tabs(_ model: Model) -> [String] {
    model.isTraining ? ["Learning", "Recipe"] : ["Layers", "Learning", "Cost & τ"]
  }

  var kind: Kind
  var size: Size
  var header = Rect(0, 0, 0, 0)
  var progress = Rect(0, 0, 0, 0)
  var body = Rect(0, 0, 0, 0)
  var message = Rect(0, 0, 0, 0)
  var keys = Rect(0, 0, 0, 0)
  var tabRects: [Rect] = []
  /// The box of the layers, with its border when `isBoxed`.
  var layers: Rect?
  /// The chosen layer's probabilities over time, when there is room.
  var preview: Rect?
  var panels: [(panel: Panel, rect: Rect)] = []
  /// Whether panels have borders, or only titles.
  var isBoxed = true

  // The rows of the layer list.
  var firstLayer = 0
  var visibleLayers = 0
  var layerRows = Rect(0, 0, 0, 0)
  var rowHeight = 1
  var legendRows = 0
  var hasColumnTitles = true

  static func == (a: Layout, b: Layout) -> Bool {
    a.kind == b.kind && a.size == b.size && a.layers == b.layers && a.preview == b.preview
  }

  /// The arrangement of the main screen for `model`.
  init(_ model: Model) {
    size = model.size
    let (w, h) = (size.width, size.height)
    kind =
      if w >= 110, h >= 30 { .wide } else if w >= 80, h >= 22 { .normal } else if w >= 36, h >= 8 {
        .tabbed
      } else if w >= 20, h >= 4 { .strip } else { .line }
    header = Rect(0, 0, w, min(1, h))
    switch kind {
    case .wide, .normal:
      progress = Rect(0, 1, w, 1)
      body = Rect(0, 2, w, h - 4)
      message = Rect(0, h - 2, w, 1)
      keys = Rect(0, h - 1, w, 1)
      arrangeColumns(model)
    case .tabbed:
      progress = Rect(0, 1, w, 1)
      body = Rect(0, 3, w, h - 5)
      message = Rect(0, h - 2, w, 1)
      keys = Rect(0, h - 1, w, 1)
      isBoxed = false
      var x = 1
      for (index, name) in Self.tabs(model).enumerated() {
        let width = columns(of: "\(index + 1) " + model.look.glyphs.plain(name)) + 2
        tabRects.append(Rect(x, 2, width, 1))
        x += width + 1
      }
      arrangeTab(model)
    case .strip:
      progress = Rect(0, 1, w, 1)
      keys = Rect(0, h - 1, w, 1)
      message = Rect(0, h - 2, w, h >= 5 ? 1 : 0)
      isBoxed = false
      // The line under the progress holds the figures.
      body = Rect(0, 2, w, 1)
      if h > 5, !model.isTraining {
        layers = Rect(0, 3, w, h - 5)
        arrangeLayers(model, Rect(0, 3, w, h - 5), titles: false, legend: 0)
      }
    case .line: break
    }
  }

  private mutating func arrangeColumns(_ model: Model) {
    if model.isTraining { return arrangeTraining() }
    let (w, h) = (size.width, body.height)
    let left = kind == .wide ? w * 58 / 100 : max(50, w * 64 / 100)
    let right = Rect(left, body.y, w - left, h)
    legendRows = legendLines(model, width: left - 4).count
    let count = model.choices.count
    let chrome = 3 + legendRows
    rowHeight = count > 0 && count * 2 + chrome <= h * 7 / 10 ? 2 : 1
    let wanted = max(count, 4) * rowHeight + chrome
    if h - wanted >= 5, count > 0 {
      layers = Rect(0, body.y, left, wanted)
      preview = Rect(0, body.y + wanted, left, h - wanted)
    } else {
      layers = Rect(0, body.y, left, h)
    }
    if let layers { arrangeLayers(model, layers.inner, titles: true, legend: legendRows) }
    // Panels share their borders: n panels cost n + 1 lines.
    let inside = h - 5
    var heights = Array(repeating: inside / 4, count: 4)
    for i in 0..<(inside % 4) { heights[[0, 1, 2, 3][i]] += 1 }
    var y = body.y
    for (panel, height) in zip([Panel.loss, .accuracy, .cost, .temperature], heights) {
      panels.append((panel, Rect(right.x, y, right.width, height + 2)))
      y += height + 1
    }
  }

  /// Loss and accuracy side by side, the learning rate and the recipe under them.
  private mutating func arrangeTraining() {
    let left = size.width / 2
    let top = body.height * 62 / 100
    for (x, width, upper, lower) in [
      (0, left, Panel.loss, Panel.rate), (left, size.width - left, .accuracy, .facts),
    ] {
      panels.append((upper, Rect(x, body.y, width, top)))
      // Shares the border above it.
      panels.append((lower, Rect(x, body.y + top - 1, width, body.height - top + 1)))
    }
  }

  private mutating func arrangeTab(_ model: Model) {
    let half = body.width / 2
    let pair = [
      Rect(body.x, body.y, half, body.height),
      Rect(body.x + half, body.y, body.width - half, body.height),
    ]
    if model.isTraining {
      panels =
        model.tab == 0
        ? [(.loss, pair[0]), (.accuracy, pair[1])] : [(.rate, pair[0]), (.facts, pair[1])]
      return
    }
    switch model.tab {
    case 1: panels = [(.loss, pair[0]), (.accuracy, pair[1])]
    case 2: panels = [(.cost, pair[0]), (.temperature, pair[1])]
    default:
      layers = body
      legendRows = body.height >= 9 ? legendLines(model, width: body.width - 2).count : 0
      arrangeLayers(model, body, titles: body.height >= 8, legend: legendRows)
    }
  }

  private mutating func arrangeLayers(_ model: Model, _ rect: Rect, titles: Bool, legend: Int) {
    hasColumnTitles = titles
    legendRows = legend
    let top = titles ? 1 : 0
    let room = max(0, rect.height - top - legend)
    layerRows = Rect(rect.x, rect.y + top, rect.width, room)
    visibleLayers = max(0, room / rowHeight)
    let count = model.choices.count
    // The chosen layer stays in sight, about in the middle of a long list.
    let latest = max(0, count - visibleLayers)
    firstLayer = min(latest, max(0, model.selection - visibleLayers / 2))
  }

  /// The layer drawn at a cell, or nil.
  func layer(at x: Int, _ y: Int) -> Int? {
    guard layers != nil, layerRows.contains(x, y) else { return nil }
    let row = (y - layerRows.y) / rowHeight
    return row < visibleLayers ? firstLayer + row : nil
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

/// The candidates' numbers and names, broken into lines of `width` columns; empty when layers
/// differ in their candidates.
func legendLines(_ model: Model, width: Int) -> [[(index: Int, name: String)]] {
  guard let first = model.choices.first?.options.map(\.name), width > 8 else { return [] }
  // Layers may lack some candidates; the list of the longest one names them all.
  let names =
    model.choices.map { $0.options.map(\.name) }.max { $0.count < $1.count } ?? first
  var lines: [[(index: Int, name: String)]] = [[]]
  var used = 0
  for (index, name) in names.enumerated() {
    let item = columns(of: name) + 4
    if used + item > width, !(lines.last ?? []).isEmpty {
      lines.append([])
      used = 0
    }
    lines[lines.count - 1].append((index, name))
    used += item
  }
  return lines.count <= 3 ? lines : Array(lines.prefix(3))
}

/// A word of the key line that can be clicked.
struct KeyHint {
  var rect: Rect
  var key: String
  var word: String
  var command: Command
}

/// The words of the key line that fit `rect`; the most needed first.
func keyHints(_ model: Model, _ rect: Rect) -> [KeyHint] {
  guard rect.height > 0 else { return [] }
  let order: [Command] =
    model.isTraining
    ? model.isOver
      ? [.quit, .help, .theme, .log]
      : [.togglePause, .quit, .help, .singleStep, .checkpoint, .theme]
    : model.screen == .inspector
      ? [.back, .quit, .help, .togglePause, .singleStep, .theme]
      : model.isOver
        ? [.quit, .help, .open, .theme, .log]
        : [
          .togglePause, .quit, .help, .open, .hotter, .cooler, .typeTemperature, .toggleHold,
          .singleStep, .checkpoint, .theme,
        ]
  var chosen: [(binding: KeyBinding, word: String)] = []
  var used = 1
  for command in order {
    guard let binding = KeyTable.bindings.first(where: { $0.command == command }) else { continue }
    var word = binding.hint
    switch command {
    case .togglePause: word = model.state == .paused ? "resume" : "pause"
    case .toggleHold: word = model.status?.temperatureHeld ?? false ? "release" : "hold"
    case .back: word = "back"
    case .log: word = "log"
    default: break
    }
    word = model.look.glyphs.plain(word)
    let width = columns(of: binding.label.split(separator: " ")[0] + " " + word) + 2
    if used + width - 2 > rect.width { continue }
    used += width
    chosen.append((binding, word))
  }
  // Drawn in the order of the table, whatever was left out.
  let places = KeyTable.bindings.map(\.command)
  chosen.sort {
    (places.firstIndex(of: $0.binding.command) ?? 0)
      < (places.firstIndex(of: $1.binding.command) ?? 0)
  }
  var x = rect.x + 1
  return chosen.map { item in
    let key = String(item.binding.label.split(separator: " ")[0])
    let width = columns(of: key + " " + item.word)
    defer { x += width + 2 }
    return KeyHint(
      rect: Rect(x, rect.y, width, 1),
      key: key,
      word: item.word,
      command: item.binding.command
    )
  }
}
