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
  /// Whether clicks and the wheel are asked for; holding Shift selects text all the same.
  package var mouse: Bool
  /// Makes a branch of the run at a step, nil for its newest checkpoint, with changes of settings,
  /// and trains it; returns a line that says where. Nil where there are no branches.
  package var branch: (@Sendable (Int?, [String]) throws -> String)?

  package init(
    theme: String? = nil,
    glyphs: GlyphSet? = nil,
    ownsTrainer: Bool = true,
    mouse: Bool = true,
    branch: (@Sendable (Int?, [String]) throws -> String)? = nil
  ) {
    self.theme = theme
    self.glyphs = glyphs
    self.ownsTrainer = ownsTrainer
    self.mouse = mouse
    self.branch = branch
  }
}

/// The live screen of a run (spec S80–S86).
package enum Dashboard {
  /// Why there can be no dashboard on this terminal, or nil when there can.
  package static func obstacle() -> UserError? {
    Terminal.obstacle(ProcessInfo.processInfo.environment)
  }

  /// Refuses the name of a theme that does not exist, with the known ones.
  package static func check(theme name: String) throws {
    let folder = ThemeLibrary.userFolder(ProcessInfo.processInfo.environment)
    try check(theme: name, in: ThemeLibrary.load(folder: folder))
  }

  /// The same among the themes of `library`.
  static func check(theme name: String, in library: ThemeLibrary) throws {
    guard library[name] == nil else { return }
    throw UserError(
      .usage,
      "--theme \(name)",
      "there is no such theme",
      remedy: "choose one of \(library.themes.map(\.name).joined(separator: ", "))"
    )
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
    let library = ThemeLibrary.load(folder: ThemeLibrary.userFolder(environment))
    if let name = options.theme { try check(theme: name, in: library) }
    let isUTF8 = Terminal.useLocale()
    let terminal = try Terminal(environment: environment, mouse: options.mouse)
    defer { terminal.close() }
    let glyphs = options.glyphs ?? glyphSet(isUTF8: isUTF8, term: environment["TERM"] ?? "")
    var model = Model(
      size: Size(80, 24),
      look: Model.Look(glyphs: glyphs, library: library),
      ownsTrainer: options.ownsTrainer
    )
    if let problem = library.problems.first { model.message = .problem(problem) }
    var loop = Loop(source: source, terminal: terminal, options: options, model: model)
    return try loop.run()
  }

  /// The linux console has no braille in its font.
  private static func glyphSet(isUTF8: Bool, term: String) -> GlyphSet {
    isUTF8 ? (term == "linux" ? .block : .braille) : .ascii
  }
}

/// The loop between terminal, store and model.
private struct Loop {
  let source: any RunSource
  let terminal: Terminal
  let options: DashboardOptions
  var model: Model
  private var wasOpened = false

  /// Between two looks into the store; also the pace of frames while nobody types.
  private let interval = 0.1

  init(source: any RunSource, terminal: Terminal, options: DashboardOptions, model: Model) {
    self.source = source
    self.terminal = terminal
    self.options = options
    self.model = model
  }

  mutating func run() throws -> DashboardExit {
    var nextPoll = 0.0
    while true {
      try takeTerminal()
      let now = Date().timeIntervalSince1970
      if let exit = apply(.tick(now)) { return exit }
      if now >= nextPoll || nextPoll > now + 2 * interval {
        nextPoll = now + interval
        if let exit = poll() { return exit }
      }
      if model.isShown { terminal.show(view(model), theme: model.look.theme) }
      // A key is answered at once: the wait ends with the first byte.
      let wait = max(1, Int((nextPoll - Date().timeIntervalSince1970) * 1000) + 1)
      for event in terminal.events(within: min(wait, 100)) {
        if let exit = apply(event) { return exit }
      }
    }
  }

  /// Where the terminal has become ours, the model gets its size and, at first, its colours.
  private mutating func takeTerminal() throws {
    if try terminal.take() {
      if !wasOpened {
        wasOpened = true
        let library = model.look.library
        let chosen = library.initial(
          options.theme,
          depth: terminal.colourDepth,
          environment: ProcessInfo.processInfo.environment
        )
        model.look.depth = terminal.colourDepth
        model.look.themeIndex = library.themes.firstIndex { $0.name == chosen.name } ?? 0
      }
      _ = update(&model, .resize(terminal.size))
    }
    model.isShown = terminal.isTaken
  }

  private mutating func poll() -> DashboardExit? {
    do {
      return apply(.data(try source.poll()))
    } catch {
      return apply(.sourceFailed("\(error)"))
    }
  }

  private mutating func apply(_ event: Event) -> DashboardExit? {
    if case .interrupt = event { _ = update(&model, .tick(Date().timeIntervalSince1970)) }
    for effect in update(&model, event) {
      switch effect {
      case .exit(let exit): return exit
      case .repaint: terminal.repaint()
      case .suspend: terminal.suspend()
      case .request(let action):
        do {
          try source.request(action)
        } catch {
          _ = update(&model, .sourceFailed("\(error)"))
          model.isStopping = false
        }
      case .look(let step):
        _ = update(&model, answer { .moment(try source.moment(step: step)) })
      case .branch(let step, let changes):
        _ = update(
          &model,
          answer {
            .told(try options.branch?(step, changes) ?? "branch it with supertop branch instead")
          }
        )
      }
    }
    return nil
  }

  /// What the world answers, or why it cannot.
  private func answer(_ ask: () throws -> Event) -> Event {
    do { return try ask() } catch { return .sourceFailed("\(error)") }
  }
}
