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
  package init(
    theme: String? = nil,
    glyphs: GlyphSet? = nil,
    ownsTrainer: Bool = true
  ) {
    self.theme = theme
    self.glyphs = glyphs
    self.ownsTrainer = ownsTrainer
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
    defer { terminal.close() }
    let glyphs = options.glyphs ?? glyphSet(isUTF8: isUTF8, term: environment["TERM"] ?? "")
    var model = Model(
      size: Size(80, 24),
      look: Model.Look(glyphs: glyphs, library: library),
      ownsTrainer: options.ownsTrainer
    )
    model.pointer.isOurs = features.mouse
    if let problem = library.problems.first { model.message = .problem(problem) }
    var loop = Loop(
      source: source,
      terminal: terminal,
      themes: folder,
      theme: theme,
      model: model
    )
    return try loop.run()
  }

  /// One frame of a run as an SVG picture, without a terminal (`--screenshot`).
  package static func screenshot(
    source: any RunSource,
    size: Size,
    theme name: String = "default-dark",
    showsResult: Bool = false
  ) throws -> String {
    let library = ThemeLibrary.load(
      folder: ThemeLibrary.userFolder(ProcessInfo.processInfo.environment)
    )
    guard let index = library.themes.firstIndex(where: { $0.name == name }) else {
      throw UserError(.usage, "--theme \(name)", "there is no such theme")
    }
    var model = Model(
      size: size,
      look: Model.Look(depth: .direct, library: library, themeIndex: index)
    )
    // A long run comes in pieces.
    for _ in 0..<10_000 {
      let delta = try source.poll()
      model.now = delta.status?.heartbeat ?? model.now
      _ = update(&model, .data(delta))
      if delta.steps.isEmpty, delta.thetas.isEmpty { break }
    }
    if !showsResult { model.overlay = nil }
    return view(model).svg(theme: model.look.theme)
  }

  /// The linux console has no braille in its font.
  private static func glyphSet(isUTF8: Bool, term: String) -> GlyphSet {
    isUTF8 ? (term == "linux" ? .block : .braille) : .ascii
  }
}
