import Foundation

/// Reads `*.theme`: `role = true colour | 256 index | 16-colour name`, each with attributes.
///
/// Only `fg` is required. A missing depth is derived from the one on its left, a missing role from
/// another role. Errors carry `file:line:` and leave what the role would be without the line.
struct ThemeParser {
  let file: String
  let parents: [Theme]
  private(set) var problems: [String] = []

  private var roles: [String: Swatch] = [:]
  private var name: String
  private var appearance = Theme.Appearance.any
  private var parent: Theme?

  init(file: String, parents: [Theme]) {
    self.file = file
    self.parents = parents
    name = file
  }

  /// Names that a file may set, with the roles that replace a missing one.
  private static let keys: [(name: String, role: Role?, standIns: [String])] = [
    ("bg", .bg, []), ("fg", .fg, []), ("muted", .muted, ["fg"]),
    ("faint", .faint, ["border", "muted", "fg"]),
    ("border", .border, ["muted", "fg"]), ("border_focus", .borderFocus, ["key", "fg"]),
    ("title", .title, ["fg"]), ("key", .key, ["warn", "fg"]), ("bar_bg", .barBg, ["bg"]),
    ("select_bg", .selectBg, ["bar_bg", "bg"]), ("select_fg", .selectFg, ["title", "fg"]),
    ("good", .good, ["fg"]), ("warn", .warn, ["fg"]), ("bad", .bad, ["warn", "fg"]),
    ("series_a", .seriesA, ["border_focus", "fg"]), ("series_b", .seriesB, ["warn", "fg"]),
    ("series_c", .seriesC, ["key", "fg"]), ("pinned", .pinned, ["key", "fg"]),
    ("ramp_low", nil, ["muted", "fg"]), ("ramp_mid", nil, []), ("ramp_high", nil, ["title", "fg"]),
    ("option_1", .option1, ["series_a"]), ("option_2", .option2, ["good"]),
    ("option_3", .option3, ["border_focus"]), ("option_4", .option4, ["title"]),
    ("option_5", .option5, ["bad"]), ("option_6", .option6, ["series_c"]),
    ("option_7", .option7, ["warn"]), ("option_8", .option8, ["key"]),
    ("option_9", .option9, ["muted"]), ("option_ink", .optionText, ["bg", "fg"]),
  ]

  mutating func parse(_ text: String) -> Theme {
    for (number, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      let line = raw.trimmingCharacters(in: .whitespaces)
      if line.isEmpty || line.hasPrefix("#") { continue }
      guard let equals = line.firstIndex(of: "=") else {
        complain(number, "no '=' in \"\(line)\"")
        continue
      }
      let key = line[..<equals].trimmingCharacters(in: .whitespaces)
      let value = line[line.index(after: equals)...].trimmingCharacters(in: .whitespaces)
      do {
        try set(key, value)
      } catch {
        complain(number, error.text)
      }
    }
    if parent == nil, roles["fg"] == nil {
      problems.append("\(file): no fg; using the terminal's own")
    }
    return Theme(name: name, appearance: appearance, swatches: Role.allCases.map(swatch))
  }

  private struct Problem: Error { var text: String }

  private mutating func complain(_ line: Int, _ text: String) {
    problems.append("\(file):\(line + 1): \(text)")
  }

  private mutating func set(_ key: String, _ value: String) throws(Problem) {
    switch key {
    case "name": name = value
    case "format":
      if value != "1" { throw Problem(text: "format \(value) is not known; this program reads 1") }
    case "appearance":
      guard let known = Theme.Appearance(rawValue: value) else {
        throw Problem(text: "appearance is dark, light or any, not \(value)")
      }
      appearance = known
    case "extends":
      guard let known = parents.first(where: { $0.name == value }) else {
        throw Problem(text: "no theme named \(value)")
      }
      parent = known
    default:
      guard Self.keys.contains(where: { $0.name == key }) else {
        throw Problem(text: "unknown role \(key)")
      }
      roles[key] = try spec(value)
    }
  }

  /// Up to three depths, left to right.
  private func spec(_ text: String) throws(Problem) -> Swatch {
    var result = Swatch()
    let parts = text.split(separator: "|", omittingEmptySubsequences: false)
    if parts.count > 3 { throw Problem(text: "more than three depths") }
    for (place, part) in parts.enumerated() {
      var attributes: Attributes = []
      var seen = false
      for word in part.split(whereSeparator: \.isWhitespace).map(String.init) {
        switch word {
        case "bold": attributes.insert(.bold)
        case "dim": attributes.insert(.dim)
        case "underline": attributes.insert(.underline)
        case "reverse": attributes.insert(.reverse)
        default:
          if seen { throw Problem(text: "unknown word \(word)") }
          seen = true
          try colour(word, place, &result)
        }
      }
      if !seen { throw Problem(text: "no colour in \"\(text)\"") }
      if place == 0 || place == 1 && attributes != [] { result.attributes = attributes }
      result.attributes16 = attributes
    }
    return result
  }

  /// Sets the depth that `word` is written in and those on its right.
  private func colour(_ word: String, _ place: Int, _ result: inout Swatch) throws(Problem) {
    if word == "default" {
      if place == 0 { result.rgb = nil }
      if place <= 1 { result.index256 = nil }
      result.index16 = nil
    } else if let rgb = RGB(hex: word) {
      result.rgb = rgb
      result.index256 = Palette.nearest(to: rgb, in: 16..<256)
      result.index16 = Palette.nearest(to: rgb, in: 0..<16)
    } else if let index = Int(word), (0..<256).contains(index) {
      if place == 0 { result.rgb = Palette.colours[index] }
      result.index256 = index
      result.index16 = index < 16 ? index : Palette.nearest(to: Palette.colours[index], in: 0..<16)
    } else if let index = Palette.names.firstIndex(of: word) {
      // A name is the user's own colour, so it stays an index at every depth that has indices.
      if place == 0 { result.rgb = Palette.colours[index] }
      if place <= 1 { result.index256 = index }
      result.index16 = index
    } else {
      throw Problem(text: "bad colour \(word); write #rrggbb, 0-255, a name or default")
    }
  }

  private func named(_ key: String) -> Swatch {
    if let own = roles[key] { return own }
    guard let row = Self.keys.first(where: { $0.name == key }) else { return Swatch() }
    if let parent {
      if let role = row.role { return parent[role] }
      return parent[key == "ramp_low" ? .ramp0 : key == "ramp_high" ? .ramp7 : .ramp4]
    }
    for other in row.standIns { if let found = roles[other] { return found } }
    return Swatch()
  }

  private func swatch(_ role: Role) -> Swatch {
    if let row = Self.keys.first(where: { $0.role == role }) { return named(row.name) }
    if role.rawValue >= Role.scale0.rawValue {
      // From a step of the ramp on that text can be read on.
      return ramp(0.45 + 0.55 * Double(role.rawValue - Role.scale0.rawValue) / 15)
    }
    return ramp(Double(role.rawValue - Role.ramp0.rawValue) / 7)
  }

  /// Two straight ramps that meet at `ramp_mid`; where there are no values between, the nearest of
  /// the three.
  private func ramp(_ share: Double) -> Swatch {
    let (low, high) = (named("ramp_low"), named("ramp_high"))
    let hasMiddle = roles["ramp_mid"] != nil || parent != nil
    var nearest =
      share < 1.0 / 3 ? low : share > 2.0 / 3 ? high : hasMiddle ? named("ramp_mid") : low
    if let a = low.rgb, let c = high.rgb {
      let b = (hasMiddle ? named("ramp_mid").rgb : nil) ?? a.mixed(with: c, 0.5)
      let rgb = share < 0.5 ? a.mixed(with: b, share * 2) : b.mixed(with: c, share * 2 - 1)
      // Named colours stay the terminal's own.
      if low.index256.map({ $0 > 15 }) ?? false {
        nearest.rgb = rgb
        nearest.index256 = Palette.nearest(to: rgb, in: 16..<256)
      }
    }
    return nearest
  }
}
