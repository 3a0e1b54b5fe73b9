import Foundation
import Runs

extension Frame {
  /// The frame as an SVG picture in a theme's true colours (`--screenshot`, README).
  ///
  /// Blocks, lines and braille are drawn as shapes, so that no font decides how they meet.
  func svg(theme: Theme) -> String {
    let (cw, ch) = (8.4, 18.0)
    let isLight = theme.appearance == .light
    let ground = theme[.bg].rgb ?? (isLight ? RGB(250, 250, 250) : RGB(14, 17, 22))
    let text = theme[.fg].rgb ?? (isLight ? RGB(30, 30, 30) : RGB(220, 223, 228))
    func number(_ value: Double) -> String {
      Format.fixed(value, 2)
        .replacingOccurrences(of: "\\.?0+$", with: "", options: .regularExpression)
    }
    let (w, h) = (Double(width) * cw + 20, Double(height) * ch + 20)
    var out =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(number(w)) \(number(h))\" "
      + "width=\"\(number(w))\" height=\"\(number(h))\" font-family=\"'DejaVu Sans Mono','Menlo',"
      + "'Consolas',monospace\" font-size=\"14\">\n"
    out += "<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"\(ground.hex)\"/>\n"
    for y in 0..<height {
      var x = 0
      while x < width {
        let cell = self[x, y]
        // Neighbours of one style are one rectangle and one text.
        var end = x + 1
        while end < width, self[end, y].style == cell.style { end += 1 }
        let role = theme[cell.style.foreground]
        let attributes = cell.style.attributes.union(role.attributes)
        var fore = role.rgb ?? text
        var back = theme[cell.style.background].rgb ?? ground
        let isReversed =
          attributes.contains(.reverse)
          || theme[cell.style.background].attributes.contains(.reverse)
        if isReversed { swap(&fore, &back) }
        if attributes.contains(.dim) { fore = fore.mixed(with: back, 0.4) }
        let (left, top) = (10 + Double(x) * cw, 10 + Double(y) * ch)
        if back != ground {
          out +=
            "<rect x=\"\(number(left))\" y=\"\(number(top))\" "
            + "width=\"\(number(Double(end - x) * cw + 0.3))\" height=\"\(number(ch + 0.3))\" "
            + "fill=\"\(back.hex)\"/>\n"
        }
        var shapes = ""
        var letters = ""
        for column in x..<end {
          let scalar = self[column, y].scalar
          if let path = Self.shape(scalar, 10 + Double(column) * cw, top, cw, ch, number) {
            shapes += path
            letters += " "
          } else if scalar != 0 {
            letters.unicodeScalars.append(Unicode.Scalar(scalar) ?? "?")
          }
        }
        if !shapes.isEmpty { out += "<path d=\"\(shapes)\" fill=\"\(fore.hex)\"/>\n" }
        out += Self.words(letters, left, top, cw, ch, number, fore, attributes)
        x = end
      }
    }
    return out + "</svg>\n"
  }

  private static func words(
    _ letters: String,
    _ left: Double,
    _ top: Double,
    _ cw: Double,
    _ ch: Double,
    _ number: (Double) -> String,
    _ role: RGB,
    _ attributes: Attributes
  ) -> String {
    let trimmed = letters.drop { $0 == " " }
    let lead = letters.count - trimmed.count
    var body = String(trimmed)
    while body.last == " " { body.removeLast() }
    guard !body.isEmpty else { return "" }
    let length = Double(columns(of: body)) * cw
    let escaped = body.replacingOccurrences(of: "&", with: "&amp;")
      .replacingOccurrences(of: "<", with: "&lt;").replacingOccurrences(of: ">", with: "&gt;")
    return "<text x=\"\(number(left + Double(lead) * cw))\" y=\"\(number(top + ch * 0.74))\" "
      + "textLength=\"\(number(length))\" xml:space=\"preserve\" fill=\"\(role.hex)\""
      + (attributes.contains(.bold) ? " font-weight=\"bold\"" : "")
      + (attributes.contains(.underline) ? " text-decoration=\"underline\"" : "") + ">"
      + escaped + "</text>\n"
  }

  /// Path of a block, line or braille character in its cell; nil for letters.
  private static func shape(
    _ scalar: UInt32,
    _ x: Double,
    _ y: Double,
    _ cw: Double,
    _ ch: Double,
    _ number: (Double) -> String
  ) -> String? {
    func box(_ left: Double, _ top: Double, _ width: Double, _ height: Double) -> String {
      "M\(number(x + left)) \(number(y + top))h\(number(width))v\(number(height))"
        + "h\(number(-width))z"
    }
    let (mx, my, thin) = (cw / 2, ch / 2, 1.0)
    switch scalar {
    case 0x2588: return box(0, 0, cw + 0.3, ch + 0.3)
    case 0x2580: return box(0, 0, cw + 0.3, my)
    case 0x2581...0x2587:
      let rows = Double(scalar - 0x2580) / 8 * ch
      return box(0, ch - rows, cw + 0.2, rows)
    case 0x2589...0x258f: return box(0, 0, Double(0x2590 - scalar) / 8 * cw, ch + 0.3)
    case 0x2500: return box(0, my - thin / 2, cw + 0.3, thin)
    case 0x2501: return box(0, my - 1.5, cw + 0.3, 3)
    case 0x2578: return box(0, my - 1.5, mx, 3)
    case 0x2502: return box(mx - thin / 2, 0, thin, ch + 0.3)
    case 0x251c: return box(mx - thin / 2, 0, thin, ch + 0.3) + box(mx, my - thin / 2, mx, thin)
    case 0x2524: return box(mx - thin / 2, 0, thin, ch + 0.3) + box(0, my - thin / 2, mx, thin)
    case 0x256d: return box(mx - thin / 2, my, thin, my + 0.3) + box(mx, my - thin / 2, mx, thin)
    case 0x256e: return box(mx - thin / 2, my, thin, my + 0.3) + box(0, my - thin / 2, mx, thin)
    case 0x2570: return box(mx - thin / 2, 0, thin, my) + box(mx, my - thin / 2, mx, thin)
    case 0x256f: return box(mx - thin / 2, 0, thin, my) + box(0, my - thin / 2, mx + thin / 2, thin)
    case 0x254c:
      return box(0.5, my - thin / 2, cw / 2 - 1, thin)
        + box(mx + 0.5, my - thin / 2, cw / 2 - 1, thin)
    case 0x2801...0x28ff:
      var dots = ""
      let places: [(UInt32, Double, Double)] = [
        (0x01, 0, 0), (0x02, 0, 1), (0x04, 0, 2), (0x08, 1, 0), (0x10, 1, 1), (0x20, 1, 2),
        (0x40, 0, 3), (0x80, 1, 3),
      ]
      for (bit, column, row) in places where (scalar - 0x2800) & bit != 0 {
        dots += box(cw * (0.25 + 0.5 * column) - 1.25, ch * (0.125 + 0.25 * row) - 1.25, 2.5, 2.5)
      }
      return dots
    default: return nil
    }
  }
}
