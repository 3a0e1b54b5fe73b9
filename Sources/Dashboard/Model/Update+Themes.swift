import Foundation

/// Choosing a theme, and what changes themes from outside.
extension Model {
  /// Opens the list of themes.
  mutating func openThemes() { overlay = .themes(before: look.theme.name) }

  /// A key in the list of themes; what is chosen there is shown at once.
  mutating func chooseTheme(_ key: Key, before: String) {
    let count = look.library.themes.count
    switch key {
    case .down, .tab, .character("j"), .character("T"):
      look.themeIndex = (look.themeIndex + 1) % count
    case .up, .backTab, .character("k"): look.themeIndex = (look.themeIndex + count - 1) % count
    case .home, .pageUp, .character("g"): look.themeIndex = 0
    case .end, .pageDown, .character("G"): look.themeIndex = count - 1
    case .enter:
      overlay = nil
      look.isThemeChosen = true
      message = .notice("theme \(look.theme.name)")
    case .escape, .character("q"):
      overlay = nil
      look.show(theme: before)
    default: break
    }
  }

  /// The wheel moves through the list, a press takes a theme, one outside leaves it.
  mutating func chooseTheme(_ x: Int, _ y: Int, _ button: Int, before: String) {
    switch button {
    case 64: look.themeIndex = max(0, look.themeIndex - 1)
    case 65: look.themeIndex = min(look.library.themes.count - 1, look.themeIndex + 1)
    case 0:
      let list = ThemeList(self)
      guard list.box.contains(x, y) else { return chooseTheme(.escape, before: before) }
      if let index = list.theme(at: x, y) { look.themeIndex = index }
    default: break
    }
  }

  /// Shows the theme that fits the ground, unless a person has chosen one, or is about to.
  mutating func follow(isLight: Bool) {
    guard case .themes = overlay else { return look.follow(isLight: isLight) }
    if look.followsGround { overlay = .themes(before: ThemeLibrary.usual(isLight: isLight)) }
  }

  /// Takes themes that were read anew; a faulty one keeps its old look.
  mutating func take(_ library: ThemeLibrary) {
    let shown = look.theme
    look.library = library.keeping(shown.name, of: look.library)
    look.themeIndex = 0
    look.show(theme: shown.name)
    if let problem = library.problems.first {
      message = .problem("theme \(problem)")
    } else if look.theme != shown {
      message = .notice("theme \(shown.name) was read again")
    }
    if case .themes(let before) = overlay, look.library[before] == nil {
      overlay = .themes(before: shown.name)
    }
  }
}

extension Model.Look {
  /// How to draw without a terminal: in the theme that is named, else as the environment asks.
  ///
  /// Errors: `.usage` for a theme that does not exist.
  init(theme name: String?, depth: ColourDepth, glyphs: GlyphSet = .braille) throws {
    let environment = ProcessInfo.processInfo.environment
    let library = ThemeLibrary.load(folder: ThemeLibrary.userFolder(environment))
    let chosen = try library.chosen(name, environment)
    self.init(glyphs: glyphs, depth: depth, library: library)
    show(theme: library.initial(chosen, depth: depth, environment: environment).name)
  }

  mutating func show(theme name: String) {
    if let index = library.themes.firstIndex(where: { $0.name == name }) { themeIndex = index }
  }

  /// Whether nobody has chosen a theme, so that it goes by the ground.
  var followsGround: Bool { !isThemeChosen && depth >= .palette }

  /// Shows the theme that fits the ground, unless a person has chosen one.
  mutating func follow(isLight: Bool) {
    if followsGround { show(theme: ThemeLibrary.usual(isLight: isLight)) }
  }
}
