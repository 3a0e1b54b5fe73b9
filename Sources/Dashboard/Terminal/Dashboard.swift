import Foundation
import Runs

/// How a dashboard is opened.
package struct DashboardOptions: Sendable {
  /// Name of a theme; nil lets the terminal decide.
  package var theme: String?
  /// Characters to draw with; nil lets the locale and the terminal decide.
  package var glyphs: GlyphSet?
  /// Whether the training runs in this process, so that leaving has to say what becomes of it.
  package var ownsTrainer: Bool
  /// Makes a branch of the run at a path and trains it; returns a line that says where.
  ///
  /// Takes the step, nil for the newest checkpoint, and changes of settings. Nil where there are no
  /// branches.
  package var branch: (@Sendable (String, Int?, [String]) throws -> String)?

  package init(
    theme: String? = nil,
    glyphs: GlyphSet? = nil,
    ownsTrainer: Bool = true,
    branch: (@Sendable (String, Int?, [String]) throws -> String)? = nil
  ) {
    self.theme = theme
    self.glyphs = glyphs
    self.ownsTrainer = ownsTrainer
    self.branch = branch
  }
}

/// The live screen of a run (spec S80–S86).
package enum Dashboard {
  /// Why there can be no dashboard on this terminal, or nil when there can.
  package static func obstacle() -> UserError? {
    Terminal.obstacle(ProcessInfo.processInfo.environment)
  }

  /// Refuses the name of a theme that does not exist, with the known ones, and variables of the
  /// environment that have none of their values.
  package static func check(theme name: String?) throws {
    let environment = ProcessInfo.processInfo.environment
    let folder = ThemeLibrary.userFolder(environment)
    _ = try ThemeLibrary.load(folder: folder).chosen(name, environment)
    _ = try TerminalFeatures(environment)
  }

  /// Shows a run until the person leaves it; to be called on the main thread.
  ///
  /// Started or continued in the background (`&`, `bg`) it waits for the foreground, and ends
  /// with the training of this process. Throws a `UserError` when the terminal cannot be used.
  /// The terminal is as it was on return, whatever happened. Unknown theme names are refused with
  /// the known ones.
  package static func run(source: any RunSource, options: DashboardOptions) throws -> DashboardExit
  {
    let setup = try open(options)
    defer { setup.terminal.close() }
    var model = Model(size: Size(80, 24), look: setup.look, ownsTrainer: options.ownsTrainer)
    model.pointer.isOurs = setup.terminal.features.mouse
    if let problem = setup.look.library.problems.first { model.message = .problem(problem) }
    var loop = Loop(source: source, setup: setup, options: options, model: model)
    return try loop.run()
  }

  /// A terminal that is not taken yet, and how to draw on it.
  struct Setup {
    let terminal: Terminal
    let look: Model.Look
    var themes: ThemeFolder
    /// Name of the theme that was asked for.
    let theme: String?
  }

  /// The terminal of this process, and how to draw on it.
  static func open(_ options: DashboardOptions) throws -> Setup {
    let environment = ProcessInfo.processInfo.environment
    var folder = ThemeFolder(ThemeLibrary.userFolder(environment))
    let library = folder.library()
    let theme = try library.chosen(options.theme, environment)
    let features = try TerminalFeatures(environment)
    let isUTF8 = Terminal.useLocale()
    let terminal = try Terminal(
      environment: environment,
      features: features,
      asks: theme == nil && features.isLight == nil
    )
    let glyphs = options.glyphs ?? glyphSet(isUTF8: isUTF8, term: environment["TERM"] ?? "")
    return Setup(
      terminal: terminal,
      look: Model.Look(glyphs: glyphs, library: library),
      themes: folder,
      theme: theme
    )
  }

  /// The linux console has no braille in its font.
  private static func glyphSet(isUTF8: Bool, term: String) -> GlyphSet {
    isUTF8 ? (term == "linux" ? .block : .braille) : .ascii
  }
}
