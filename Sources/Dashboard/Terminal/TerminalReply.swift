/// What a terminal says of itself, asked or by its own accord.
enum TerminalReply: Hashable, Sendable {
  /// The colour of its ground (OSC 11).
  case background(RGB)
  /// Its device attributes (DA1), which every terminal sends: what was asked before is answered.
  case attributes
  /// Dark or light colours have been chosen in its settings (mode 2031).
  case scheme(isDark: Bool)

  /// The reply in the text of an operating system command, without introducer and terminator.
  init?(command: some Sequence<UInt8>) {
    let text = String(decoding: Array(command), as: UTF8.self)
    guard text.hasPrefix("11;"), let colour = RGB(reply: text.dropFirst(3)) else { return nil }
    self = .background(colour)
  }

  /// The reply in a control sequence's parameters and last letter.
  init?(parameters: String, final: Unicode.Scalar) {
    switch (parameters, final) {
    case ("?997;1", "n"): self = .scheme(isDark: true)
    case ("?997;2", "n"): self = .scheme(isDark: false)
    case (_, "c") where parameters.hasPrefix("?"): self = .attributes
    default: return nil
    }
  }
}

extension RGB {
  /// A colour as terminals report it: `rgb:` or `rgba:` with one to four digits a part, or `#` and
  /// as many for each of three.
  init?(reply text: Substring) {
    var parts: [Substring]
    if text.hasPrefix("#") {
      let digits = text.dropFirst()
      let size = digits.count / 3
      guard size > 0, digits.count == 3 * size, digits.utf8.count == digits.count else {
        return nil
      }
      parts = (0..<3).map { digits.dropFirst($0 * size).prefix(size) }
    } else {
      let form = text.prefix { $0 != ":" }
      guard ["rgb", "rgba"].contains(form) else { return nil }
      parts = text.dropFirst(form.count + 1).split(
        separator: "/",
        omittingEmptySubsequences: false
      )
      guard parts.count == form.count else { return nil }
    }
    let shares = parts.compactMap { part -> Double? in
      guard (1...4).contains(part.count), part.allSatisfy(\.isHexDigit),
        let value = Int(part, radix: 16)
      else { return nil }
      return Double(value) / Double(1 << (4 * part.count) - 1)
    }
    guard shares.count == parts.count else { return nil }
    let values = shares.map { Int(($0 * 255).rounded()) }
    self.init(values[0], values[1], values[2])
  }

  /// Whether dark text is read on it.
  var isLight: Bool { lab.x > 50 }
}
