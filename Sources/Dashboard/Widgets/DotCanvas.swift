/// A grid of dots finer than the cells: braille 2×4, half blocks 1×2, ASCII 1×2 (spec S85).
struct DotCanvas {
  let width: Int
  let height: Int
  let glyphs: GlyphSet
  private var bits: [UInt8]
  private var roles: [Role]
  private var ranks: [UInt8]

  /// Dots of a cell across and down.
  let across: Int
  let down: Int

  init(width: Int, height: Int, glyphs: GlyphSet) {
    self.width = max(0, width)
    self.height = max(0, height)
    self.glyphs = glyphs
    across = glyphs == .braille ? 2 : 1
    down = glyphs == .braille ? 4 : 2
    bits = Array(repeating: 0, count: self.width * self.height)
    roles = Array(repeating: .fg, count: bits.count)
    ranks = Array(repeating: 0, count: bits.count)
  }

  var dotWidth: Int { width * across }
  var dotHeight: Int { height * down }

  /// Sets a dot.
  ///
  /// Where curves share a cell the higher rank colours it.
  mutating func set(_ x: Int, _ y: Int, _ role: Role, rank: UInt8) {
    guard x >= 0, y >= 0, x < dotWidth, y < dotHeight else { return }
    let cell = y / down * width + x / across
    // A curve clears the band under it, which would otherwise thicken the line.
    if rank > 1, ranks[cell] == 1 { bits[cell] = 0 }
    if rank == 1, ranks[cell] > 1 { return }
    bits[cell] |= 1 << UInt8(y % down * across + x % across)
    if rank >= ranks[cell] {
      roles[cell] = role
      ranks[cell] = rank
    }
  }

  /// A straight line of dots, both ends included.
  mutating func line(_ x0: Int, _ y0: Int, _ x1: Int, _ y1: Int, _ role: Role, rank: UInt8) {
    let (dx, dy) = (abs(x1 - x0), abs(y1 - y0))
    let steps = max(dx, dy)
    if dx == 0 {
      // The most frequent line by far, and nothing to round.
      for y in min(y0, y1)...max(y0, y1) { set(x0, y, role, rank: rank) }
      return
    }
    for i in 0...steps {
      let share = Double(i) / Double(steps)
      set(
        x0 + Int(near: Double(x1 - x0) * share),
        y0 + Int(near: Double(y1 - y0) * share),
        role,
        rank: rank
      )
    }
  }

  /// Braille bit of the dot in row r, column c, at index 2r + c.
  private static let braille: [UInt32] = [0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80]

  /// Puts the dots into `frame` with the top left cell at (`x`, `y`); empty cells stay as they are.
  func draw(_ frame: inout Frame, _ x: Int, _ y: Int) {
    for cell in bits.indices where bits[cell] != 0 {
      let scalar: UInt32
      switch glyphs {
      case .braille:
        scalar = (0..<8).reduce(0x2800) {
          $0 + (bits[cell] & (1 << UInt8($1)) != 0 ? Self.braille[$1] : 0)
        }
      case .block: scalar = bits[cell] == 3 ? 0x2588 : bits[cell] == 1 ? 0x2580 : 0x2584
      case .ascii: scalar = bits[cell] == 3 ? 58 : bits[cell] == 1 ? 39 : 46
      }
      let (cx, cy) = (x + cell % width, y + cell / width)
      var style = frame[cx, cy].style
      style.foreground = roles[cell]
      style.attributes = []
      frame[cx, cy] = Cell(scalar, style)
    }
  }
}
