import Foundation

extension Frame {
  /// The frame as lines with the control sequences of a terminal (ECMA-48), in a theme's colours at
  /// `depth`; each line ends in the terminal's own look.
  func ansi(theme: Theme, depth: ColourDepth) -> String {
    (0..<height).map { y in
      var line = ""
      var style: Style?
      for cell in row(y) where cell.scalar != 0 {
        if cell.style != style { line += Self.look(cell.style, theme, depth) }
        style = cell.style
        line.unicodeScalars.append(Unicode.Scalar(cell.scalar) ?? "?")
      }
      return line + "\u{1B}[0m\n"
    }.joined()
  }

  private static func look(_ style: Style, _ theme: Theme, _ depth: ColourDepth) -> String {
    let (fore, back) = (theme[style.foreground], theme[style.background])
    var attributes = style.attributes.union(fore.attributes(at: depth))
    attributes.formUnion(back.attributes(at: depth).intersection(.reverse))
    var codes = ["0"]
    for (attribute, code) in [
      (Attributes.bold, "1"), (.dim, "2"), (.underline, "4"), (.reverse, "7"),
    ] where attributes.contains(attribute) {
      codes.append(code)
    }
    for (swatch, layer) in [(fore, "38"), (back, "48")] {
      switch depth {
      case .none: break
      case .direct:
        if let rgb = swatch.rgb { codes.append("\(layer);2;\(rgb.red);\(rgb.green);\(rgb.blue)") }
      case .palette: if let index = swatch.index256 { codes.append("\(layer);5;\(index)") }
      case .eight, .sixteen:
        if let index = swatch.index16 { codes.append("\(layer);5;\(index)") }
      }
    }
    return "\u{1B}[" + codes.joined(separator: ";") + "m"
  }
}
