import Foundation
import Runs

/// What is wrong with how a theme looks: text that cannot be read, ramps that turn back (spec S85).
///
/// Colours of the terminal's own are not judged: nobody knows them here.
struct ThemeLinter {
  /// Least contrast of text and curves on their ground, by WCAG 2 level AA.
  static let readable = 4.5
  /// Least contrast of the chosen row, which is read most.
  static let chosen = 7.0
  /// Least contrast of the bold words on an option's bar, by WCAG 2 for large or bold text, with
  /// some to spare.
  static let onOption = 3.9

  private let theme: Theme

  init(_ theme: Theme) { self.theme = theme }

  /// `key: problem; remedy`, a line each; empty for a theme that is fine.
  var findings: [String] {
    var found: [String] = []
    func check(_ key: String, _ role: Role, on ground: String, _ under: Role, _ least: Double) {
      guard let ink = colour(role), let paper = colour(under) else { return }
      let contrast = ink.contrast(with: paper)
      guard contrast < least else { return }
      found.append(
        "\(key): contrast \(fixed(contrast)) of \(ink.hex) on \(ground) \(paper.hex) is below "
          + "\(fixed(least)); make it \(isLight(paper) ? "darker" : "lighter")"
      )
    }
    for (key, role) in Self.texts { check(key, role, on: "bg", .bg, Self.readable) }
    check("select_fg", .selectFg, on: "select_bg", .selectBg, Self.chosen)
    check("fg", .fg, on: "bar_bg", .barBg, Self.readable)
    for index in 0..<9 {
      check(
        "option_ink",
        .optionText,
        on: "option_\(index + 1)",
        Role.option(index),
        Self.onOption
      )
    }
    for step in 0..<16 {
      check(
        "option_ink",
        .optionText,
        on: "the ramp's step \(step + 1) of 16",
        Role.scale(Double(step) / 15),
        Self.onOption
      )
    }
    return found + ramp() + options()
  }

  private static let texts: [(String, Role)] = [
    ("fg", .fg), ("muted", .muted), ("title", .title), ("key", .key), ("good", .good),
    ("warn", .warn), ("bad", .bad), ("series_a", .seriesA), ("series_b", .seriesB),
    ("series_c", .seriesC), ("pinned", .pinned), ("border_focus", .borderFocus),
  ]

  /// Away from the ground step by step: lighter on dark, darker on light.
  private func ramp() -> [String] {
    let steps: [Role] = [.ramp0, .ramp1, .ramp2, .ramp3, .ramp4, .ramp5, .ramp6, .ramp7]
    let colours = steps.compactMap(colour)
    guard colours.count == steps.count, let ground = colour(.bg) else { return [] }
    let sign = isLight(ground) ? -1.0 : 1.0
    let lightness = colours.map(\.lab.x)
    for (index, (a, b)) in zip(lightness, lightness.dropFirst()).enumerated()
    where sign * (b - a) <= 0 {
      return [
        "ramp_\(index < 3 ? "mid" : "high"): the ramp turns back in lightness after step "
          + "\(index + 1) of 8 (\(fixed(a)) to \(fixed(b))); "
          + "make it \(sign > 0 ? "lighter" : "darker")"
      ]
    }
    return []
  }

  /// Neighbouring bars have to be told apart by people who see no hue: by lightness.
  private func options() -> [String] {
    let colours = (0..<9).compactMap { colour(Role.option($0)) }
    guard colours.count == 9 else { return [] }
    return (0..<8).compactMap { index in
      let difference = abs(colours[index].lab.x - colours[index + 1].lab.x)
      guard difference < Self.step else { return nil }
      return "option_\(index + 2): as light as option_\(index + 1) (\(fixed(difference)) of 100 "
        + "apart); make one of them lighter by \(fixed(Self.step)) or more"
    }
  }

  /// Least difference in lightness (L* of CIELAB, 0…100) between neighbouring options.
  static let step = 2.0

  /// A role's colour; nil for one of the terminal's own.
  private func colour(_ role: Role) -> RGB? {
    let swatch = theme[role]
    if let index = swatch.index256, index < 16, Palette.colours[index] == swatch.rgb { return nil }
    return swatch.rgb
  }

  private func isLight(_ colour: RGB) -> Bool { colour.lab.x > 50 }

  private func fixed(_ value: Double) -> String { String(format: "%.1f", value) }
}

/// A theme as `supertop themes` lists it.
package struct ThemeReport: Codable, Sendable, Equatable {
  /// What `--theme` takes.
  package var name: String
  /// `dark`, `light` or `any`.
  package var appearance: String
  /// Whether it has no colours at all.
  package var monochrome: Bool
  /// A file, or nil for one that comes with the program.
  package var file: String?
  /// What is wrong with the file or with how it looks, a line each.
  package var problems: [String]

  /// The themes that there are, those of the user's folder among them.
  package static func all() -> [ThemeReport] {
    let own = ThemeLibrary.builtIn.themes
    let folder = ThemeLibrary.userFolder(ProcessInfo.processInfo.environment)
    let library = ThemeLibrary.load(folder: folder)
    return library.themes.map { theme in
      let isOwn = own.contains(theme)
      return ThemeReport(
        theme,
        file: isOwn ? nil : folder.map { "\($0)/\(theme.name).theme" },
        library.problems.filter { $0.hasPrefix("\(theme.name):") }
      )
    }
  }

  /// The theme in a file, checked.
  ///
  /// Errors: those of reading it.
  package static func file(_ path: String) throws -> ThemeReport {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let stem = name.hasSuffix(".theme") ? String(name.dropLast(6)) : name
    var parser = ThemeParser(file: path, parents: ThemeLibrary.builtIn.themes)
    var theme = parser.parse(try readText(path))
    if theme.name == path { theme.name = stem }
    return ThemeReport(theme, file: path, parser.problems)
  }

  private init(_ theme: Theme, file: String?, _ problems: [String]) {
    name = theme.name
    appearance = theme.appearance.rawValue
    monochrome = theme.isMonochrome
    self.file = file
    self.problems = problems + ThemeLinter(theme).findings.map { "\(theme.name): \($0)" }
  }
}
