import Foundation
import Runs

/// One colour at every depth, with the attributes that go with it there; nil is the terminal's own.
struct Swatch: Hashable, Sendable {
  var rgb: RGB?
  var index256: Int?
  var index16: Int?
  var attributes: Attributes = []
  var attributes16: Attributes = []

  /// Attributes at `depth`.
  func attributes(at depth: ColourDepth) -> Attributes {
    depth >= .palette ? attributes : attributes16
  }
}

/// What every role looks like (spec S85).
struct Theme: Hashable, Sendable {
  /// Ground that a theme is made for.
  enum Appearance: String, Sendable { case dark, light, any }

  var name: String
  var appearance: Appearance = .any
  private var swatches: [Swatch]

  init(name: String, appearance: Appearance, swatches: [Swatch]) {
    self.name = name
    self.appearance = appearance
    self.swatches = swatches
  }

  /// Look of a role.
  subscript(role: Role) -> Swatch { swatches[Int(role.rawValue)] }

  /// Whether only attributes tell things apart.
  var isMonochrome: Bool {
    swatches.allSatisfy { $0.rgb == nil && $0.index256 == nil && $0.index16 == nil }
  }
}

/// The themes that can be chosen, and what was wrong with the files that could not be read whole.
struct ThemeLibrary: Sendable {
  var themes: [Theme]
  /// `file:line: problem`, a line each.
  var problems: [String] = []
  /// Names of the themes that those problems are of.
  var faulty: Set<String> = []

  /// The themes of the program, in the order of the T key.
  static let builtIn: ThemeLibrary = {
    var library = ThemeLibrary(themes: [])
    for (name, bytes) in [
      ("default-dark", PackageResources.default_dark_theme),
      ("default-light", PackageResources.default_light_theme),
      ("colour-blind", PackageResources.colour_blind_theme),
      ("colour-blind-light", PackageResources.colour_blind_light_theme),
      ("ember", PackageResources.ember_theme),
      ("high-contrast", PackageResources.high_contrast_theme),
      ("terminal16", PackageResources.terminal16_theme),
      ("mono", PackageResources.mono_theme),
    ] {
      library.add(String(decoding: bytes, as: UTF8.self), file: name)
    }
    return library
  }()

  /// The built-in themes and those of `folder` (`*.theme`), which win where names agree.
  static func load(folder: String?) -> ThemeLibrary {
    var library = builtIn
    guard let folder, let files = try? visibleEntries(folder) else { return library }
    for file in files where file.shown.hasSuffix(".theme") {
      do {
        let text = try readText(folder + "/" + file.name(in: folder))
        library.add(text, file: String(file.shown.dropLast(6)))
      } catch {
        library.problems.append("\(file.shown): \((error as? UserError)?.problem ?? "\(error)")")
      }
    }
    return library
  }

  /// `$XDG_CONFIG_HOME/supertop/themes`, or the same under `~/.config`.
  static func userFolder(_ environment: [String: String]) -> String? {
    if let home = environment["XDG_CONFIG_HOME"], !home.isEmpty { return home + "/supertop/themes" }
    return environment["HOME"].map { $0 + "/.config/supertop/themes" }
  }

  /// Reads a theme's text; a bad line is noted and its role falls back.
  mutating func add(_ text: String, file: String) {
    var parser = ThemeParser(file: file, parents: themes)
    let theme = parser.parse(text)
    problems += parser.problems
    if !parser.problems.isEmpty { faulty.insert(theme.name) }
    if let at = themes.firstIndex(where: { $0.name == theme.name }) {
      themes[at] = theme
    } else {
      themes.append(theme)
    }
  }

  /// The theme called `name`, or nil.
  subscript(name: String) -> Theme? { themes.first { $0.name == name } }

  /// The theme to start with: the named one, else what the terminal asks for.
  ///
  /// NO_COLOR and terminals without colour get `mono`, those below 256 colours `terminal16`, a
  /// light ground `default-light`. What a terminal answers comes later (`Model.follow`); until then
  /// COLORFGBG counts where nobody says what the ground is.
  func initial(
    _ name: String?,
    depth: ColourDepth,
    isLight: Bool? = nil,
    environment: [String: String]
  ) -> Theme {
    if let name, let theme = self[name] { return theme }
    let ground = environment["COLORFGBG"]?.split(separator: ";").last.flatMap { Int($0) }
    let choice =
      switch depth {
      case .none: "mono"
      case .eight, .sixteen: "terminal16"
      default: Self.usual(isLight: isLight ?? (ground == 7 || ground == 15))
      }
    return self[choice] ?? themes[0]
  }

  /// The theme for a ground where nobody has chosen one.
  static func usual(isLight: Bool) -> String { isLight ? "default-light" : "default-dark" }

  /// The theme that a person names by `--theme`, else by SUPERTOP_THEME; nil for none.
  ///
  /// Refuses one that does not exist, with the known ones.
  func chosen(_ option: String?, _ environment: [String: String]) throws -> String? {
    let variable = environment["SUPERTOP_THEME"].flatMap { $0.isEmpty ? nil : $0 }
    guard let name = option ?? variable, self[name] == nil else { return option ?? variable }
    throw UserError(
      .usage,
      option == nil ? "SUPERTOP_THEME=\(name)" : "--theme \(name)",
      "there is no such theme",
      remedy: "choose one of \(themes.map(\.name).joined(separator: ", "))"
    )
  }

  /// What is read anew, with `old` in the place of what is faulty or gone while it is `shown`.
  func keeping(_ shown: String, of old: ThemeLibrary) -> ThemeLibrary {
    var library = self
    for (index, theme) in themes.enumerated() where faulty.contains(theme.name) {
      library.themes[index] = old[theme.name] ?? theme
    }
    if library[shown] == nil, let theme = old[shown] { library.themes.append(theme) }
    return library
  }
}
