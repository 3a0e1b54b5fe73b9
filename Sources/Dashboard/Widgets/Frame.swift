import Runs

/// A style role, never a colour: themes say what a role looks like (spec S85).
enum Role: UInt8, CaseIterable, Sendable {
  case bg, fg, muted, faint, border, borderFocus, title, key, barBg, selectBg, selectFg
  case good, warn, bad, seriesA, seriesB, seriesC, pinned
  case ramp0, ramp1, ramp2, ramp3, ramp4, ramp5, ramp6, ramp7
  case option1, option2, option3, option4, option5, option6, option7, option8, option9, optionText
  case scale0, scale1, scale2, scale3, scale4, scale5, scale6, scale7
  case scale8, scale9, scale10, scale11, scale12, scale13, scale14, scale15

  /// Step of the scale of sizes for `share` 0…1, low to high.
  static func scale(_ share: Double) -> Role {
    let step = min(15, max(0, Int(near: share * 15)))
    return Role(rawValue: Role.scale0.rawValue + UInt8(step)) ?? .fg
  }

  /// Colour of option `index`; repeats after nine, see `Choice.look(of:)`.
  static func option(_ index: Int) -> Role {
    Role(rawValue: Role.option1.rawValue + UInt8(((index % 9) + 9) % 9)) ?? .fg
  }

  /// Step of the low-to-high ramp for `share` 0…1; NaN is the lowest.
  static func ramp(_ share: Double) -> Role {
    let step = min(7, max(0, Int(near: (share * 8).rounded(.down))))
    return Role(rawValue: Role.ramp0.rawValue + UInt8(step)) ?? .fg
  }
}

/// Attributes that add to those of the theme.
struct Attributes: OptionSet, Hashable, Sendable {
  let rawValue: UInt8

  init(rawValue: UInt8) { self.rawValue = rawValue }

  static let bold = Attributes(rawValue: 1)
  static let dim = Attributes(rawValue: 2)
  static let underline = Attributes(rawValue: 4)
  static let reverse = Attributes(rawValue: 8)
}

/// How a piece of text looks: the roles of its colour and of the ground under it.
struct Style: Hashable, Sendable {
  var foreground: Role
  var background: Role
  var attributes: Attributes

  init(_ foreground: Role = .fg, on background: Role = .bg, _ attributes: Attributes = []) {
    self.foreground = foreground
    self.background = background
    self.attributes = attributes
  }
}

/// One character cell.
struct Cell: Hashable, Sendable {
  /// Unicode scalar; 0 continues the wide character on its left.
  var scalar: UInt32
  var style: Style

  init(_ scalar: UInt32 = 32, _ style: Style = Style()) {
    self.scalar = scalar
    self.style = style
  }
}

/// Cells that a person may click or a widget may fill.
struct Rect: Hashable, Sendable {
  var x: Int
  var y: Int
  var width: Int
  var height: Int

  init(_ x: Int, _ y: Int, _ width: Int, _ height: Int) {
    self.x = x
    self.y = y
    self.width = max(0, width)
    self.height = max(0, height)
  }

  /// Whether cell (`x`, `y`) lies inside.
  func contains(_ px: Int, _ py: Int) -> Bool {
    px >= x && px < x + width && py >= y && py < y + height
  }

  /// The part inside a border one cell thick.
  var inner: Rect { Rect(x + 1, y + 1, width - 2, height - 2) }

  var maxX: Int { x + width }
  var maxY: Int { y + height }
}

/// Size of a terminal in cells.
package struct Size: Hashable, Sendable {
  /// Columns.
  package var width: Int
  /// Rows.
  package var height: Int

  package init(_ width: Int, _ height: Int) {
    self.width = max(0, width)
    self.height = max(0, height)
  }
}

/// A picture of the screen: a grid of cells, and where the text cursor is.
///
/// Writing outside the grid is clipped, so that no layout can crash at a small size.
struct Frame: Hashable, Sendable {
  let width: Int
  let height: Int
  private(set) var cells: [Cell]
  /// Where a text field waits for typing; nil hides the cursor.
  var cursor: Cursor?

  /// A cell position.
  struct Cursor: Hashable, Sendable {
    var x: Int
    var y: Int
  }

  init(_ size: Size) {
    width = size.width
    height = size.height
    cells = Array(repeating: Cell(), count: size.width * size.height)
  }

  /// The cell at column `x`, row `y`; writes outside are dropped, reads outside give a blank.
  subscript(x: Int, y: Int) -> Cell {
    get { contains(x, y) ? cells[y * width + x] : Cell() }
    set { if contains(x, y) { cells[y * width + x] = newValue } }
  }

  /// Row `y` from left to right.
  func row(_ y: Int) -> ArraySlice<Cell> { cells[(y * width)..<((y + 1) * width)] }

  /// Ends cut text as the glyphs can: `clip` does not know them.
  mutating func endCutText(_ glyphs: GlyphSet) {
    guard glyphs.isASCII else { return }
    for place in cells.indices where cells[place].scalar == 0x2026 { cells[place].scalar = 126 }
  }

  private func contains(_ x: Int, _ y: Int) -> Bool { x >= 0 && y >= 0 && x < width && y < height }

  /// Writes `text` from (`x`, `y`), cut to `limit` columns, and returns the column after it.
  @discardableResult
  mutating func put(
    _ x: Int,
    _ y: Int,
    _ text: String,
    _ style: Style = Style(),
    limit: Int = .max
  ) -> Int {
    var column = x
    let end = limit == .max ? Int.max : x + max(0, limit)
    for scalar in text.printable().unicodeScalars {
      let wide = columns(of: scalar)
      if wide == 0 { continue }
      if column + wide > end { break }
      self[column, y] = Cell(scalar.value, style)
      if wide == 2 {
        // A wide character must not lose its right half at the edge.
        if column + 1 < width {
          self[column + 1, y] = Cell(0, style)
        } else {
          self[column, y] = Cell(32, style)
        }
      }
      column += wide
    }
    return column
  }

  /// Writes `text` so that it ends before column `right`, within `limit` columns.
  mutating func putRight(
    _ right: Int,
    _ y: Int,
    _ text: String,
    _ style: Style = Style(),
    limit: Int = .max
  ) {
    let text = clip(text, to: limit)
    put(right - columns(of: text), y, text, style)
  }

  /// Writes `text` in the middle of `rect`'s row `y`, cut to its width.
  mutating func putCentred(_ rect: Rect, _ y: Int, _ text: String, _ style: Style = Style()) {
    let text = clip(text, to: rect.width)
    put(rect.x + (rect.width - columns(of: text)) / 2, y, text, style)
  }

  /// Fills `rect` with one cell.
  mutating func fill(_ rect: Rect, _ cell: Cell) {
    for y in rect.y..<rect.maxY { for x in rect.x..<rect.maxX { self[x, y] = cell } }
  }

  /// The characters alone, a line a row, without trailing blanks: what golden tests compare.
  var text: String {
    (0..<height).map { y in
      var line = ""
      for cell in row(y) where cell.scalar != 0 {
        line.unicodeScalars.append(Unicode.Scalar(cell.scalar) ?? "?")
      }
      while line.last == " " { line.removeLast() }
      return line
    }.joined(separator: "\n")
  }

  /// The roles alone, one letter a cell in the order of `Role`, for golden tests of the style.
  var roles: String {
    let letters = Array("bfmaeouktsSgwrABCp01234567DEFGHIJKLinNxWyYzZqQvVhPRT")
    return (0..<height).map { y in
      String(
        row(y).map {
          $0.scalar == 32 && $0.style.background == .bg
            ? " " : letters[Int($0.style.foreground.rawValue)]
        }
      )
    }.joined(separator: "\n")
  }
}

/// Columns that a scalar takes: 0 for controls and combining marks, 2 for East Asian wide ones.
func columns(of scalar: Unicode.Scalar) -> Int {
  let value = scalar.value
  if value < 0x20 || (0x7f..<0xa0).contains(value) { return 0 }
  if value < 0x300 { return 1 }
  switch scalar.properties.generalCategory {
  case .nonspacingMark, .enclosingMark, .format: return 0
  default: break
  }
  switch value {
  case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff,
    0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1faff, 0x20000...0x3fffd:
    return 2
  default: return 1
  }
}

/// Columns that `text` takes, controls in it written out.
func columns(of text: String) -> Int {
  text.printable().unicodeScalars.reduce(0) { $0 + columns(of: $1) }
}

/// `text` cut to `width` columns, its end marked by `…` when cut.
func clip(_ text: String, to width: Int) -> String {
  let text = text.printable()
  guard columns(of: text) > width else { return text }
  guard width > 0 else { return "" }
  var kept = ""
  var used = 0
  for scalar in text.unicodeScalars {
    let wide = columns(of: scalar)
    if used + wide > width - 1 { break }
    kept.unicodeScalars.append(scalar)
    used += wide
  }
  return kept + "…"
}
