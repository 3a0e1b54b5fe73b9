import Runs

/// Where everything of the list of runs is at a size: drawn by the view, read by the mouse.
struct RunListLayout: Sendable {
  /// A column of the list beside the name, in the order in which they are drawn.
  enum Column: Int, Sendable, CaseIterable {
    case word, bar, share, accuracyCurve, lossCurve, accuracy, cost

    var width: Int {
      switch self {
      case .word: 10
      case .bar: 8
      case .share: 4
      case .accuracyCurve, .lossCurve: 12
      case .accuracy: 6
      case .cost: 8
      }
    }

    var title: String {
      switch self {
      case .word: "state"
      case .bar: "progress"
      case .share: ""
      case .accuracyCurve: "accuracy"
      case .lossCurve: "loss"
      case .accuracy: "last"
      case .cost: "cost"
      }
    }

    /// In the order in which a narrow screen keeps them.
    static let needed: [Column] = [
      .share, .accuracy, .word, .accuracyCurve, .cost, .bar, .lossCurve,
    ]
  }

  /// A word of the key line that can be clicked.
  struct Hint {
    var rect: Rect
    var key: String
    var word: String
    var command: RunListCommand
  }

  /// Columns of marks before all others: the chosen one, the chart's letter, the state.
  static let margin = 6

  let size: Size
  var header: Rect
  /// Titles of the columns; empty on a low screen.
  var titles = Rect(0, 0, 0, 0)
  var rows: Rect
  var firstRow = 0
  var fields: [Column] = []
  var details: Rect?
  var chart: Rect?
  var message: Rect
  var keys: Rect

  init(_ model: RunListModel) {
    size = model.size
    let (w, h) = (size.width, size.height)
    let isSmall = w < 36 || h < 8
    header = Rect(0, 0, w, min(1, h))
    keys = Rect(0, max(1, h - 1), w, h >= 3 ? 1 : 0)
    message = Rect(0, h - 2, w, isSmall ? 0 : 1)
    let bottom = h - keys.height - message.height
    var list = Rect(0, 1, w, max(0, bottom - 1))
    if w >= 110, h >= 20 {
      let left = w * 58 / 100
      list.width = left
      let height = min(list.height - 8, max(8, list.height / 2))
      details = Rect(left, list.y, w - left, height)
      chart = Rect(left, list.y + height, w - left, list.height - height)
    } else if h >= 18, w >= 50, !model.marked.isEmpty {
      let height = list.height * 45 / 100
      list.height -= height
      chart = Rect(0, list.maxY, w, height)
    }
    if !isSmall, list.height >= 4 {
      titles = Rect(list.x, list.y, list.width, 1)
      list = Rect(list.x, list.y + 1, list.width, list.height - 1)
    }
    rows = list
    // The chosen run stays in sight, about in the middle of a long list.
    let latest = max(0, model.shown.count - rows.height)
    firstRow = min(latest, max(0, model.selection - rows.height / 2))
    arrangeColumns(model)
  }

  /// As many columns as leave room for the names.
  private mutating func arrangeColumns(_ model: RunListModel) {
    let longest = model.shown.map { columns(of: $0.name) }.max() ?? 0
    var room = rows.width - Self.margin - min(max(12, longest), 28) - 1
    var chosen: Set<Column> = []
    for column in Column.needed {
      guard column.width + 1 <= room else { break }
      chosen.insert(column)
      room -= column.width + 1
    }
    fields = Column.allCases.filter(chosen.contains)
  }

  /// First column of the name.
  var nameX: Int { rows.x + Self.margin + fields.reduce(0) { $0 + $1.width + 1 } }

  /// The words of the key line that fit.
  func hints(_ model: RunListModel) -> [Hint] {
    guard keys.height > 0 else { return [] }
    var x = keys.x + 1
    var hints: [Hint] = []
    for binding in RunListKeys.bindings where !binding.hint.isEmpty {
      let key = String(binding.label.split(separator: " ")[0])
      let width = columns(of: key + " " + binding.hint)
      // Leaving is always told of.
      let rest = binding.command == .quit ? 0 : columns(of: "  q quit")
      guard x + width + rest <= keys.maxX else { continue }
      hints.append(
        Hint(
          rect: Rect(x, keys.y, width, 1),
          key: key,
          word: binding.hint,
          command: binding.command
        )
      )
      x += width + 2
    }
    return hints
  }
}
