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
  /// Makes a branch of the run at a path, at a step, nil for its newest checkpoint, with changes of
  /// settings, and trains it; returns a line that says where. Nil where there are no branches.
  package var branch: (@Sendable (String, Int?, [String]) throws -> String)?

  package init(
    theme: String? = nil,
    glyphs: GlyphSet? = nil,
    ownsTrainer: Bool = true,
    mouse: Bool = true,
    branch: (@Sendable (String, Int?, [String]) throws -> String)? = nil
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
    let (terminal, look) = try open(options)
    defer { terminal.close() }
    var model = Model(size: Size(80, 24), look: look, ownsTrainer: options.ownsTrainer)
    if let problem = look.library.problems.first { model.message = .problem(problem) }
    var loop = Loop(source: source, terminal: terminal, options: options, model: model)
    return try loop.run()
  }

  /// The terminal, not taken yet, and how to draw on it.
  static func open(
    _ options: DashboardOptions
  ) throws -> (terminal: Terminal, look: Model.Look) {
    let environment = ProcessInfo.processInfo.environment
    let library = ThemeLibrary.load(folder: ThemeLibrary.userFolder(environment))
    if let name = options.theme { try check(theme: name, in: library) }
    let isUTF8 = Terminal.useLocale()
    let terminal = try Terminal(environment: environment, mouse: options.mouse)
    let glyphs = options.glyphs ?? glyphSet(isUTF8: isUTF8, term: environment["TERM"] ?? "")
    return (terminal, Model.Look(glyphs: glyphs, library: library))
  }

  /// How a picture is drawn.
  static func look(theme name: String) throws -> Model.Look {
    let library = ThemeLibrary.load(
      folder: ThemeLibrary.userFolder(ProcessInfo.processInfo.environment)
    )
    guard let index = library.themes.firstIndex(where: { $0.name == name }) else {
      throw UserError(.usage, "--theme \(name)", "there is no such theme")
    }
    return Model.Look(depth: .direct, library: library, themeIndex: index)
  }

  /// The linux console has no braille in its font.
  private static func glyphSet(isUTF8: Bool, term: String) -> GlyphSet {
    isUTF8 ? (term == "linux" ? .block : .braille) : .ascii
  }
}

/// The loop between terminal, store and model.
struct Loop {
  let source: any RunSource
  let terminal: Terminal
  let options: DashboardOptions
  private(set) var model: Model
  private var wasOpened: Bool

  /// Between two looks into the store; also the pace of frames while nobody types.
  private let interval = 0.1

  /// A loop over a terminal that another loop may have opened, and whose look the model has then.
  init(
    source: any RunSource,
    terminal: Terminal,
    options: DashboardOptions,
    model: Model,
    wasOpened: Bool = false
  ) {
    self.source = source
    self.terminal = terminal
    self.options = options
    self.model = model
    self.wasOpened = wasOpened
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
        model.look.adapt(to: terminal.colourDepth, theme: options.theme)
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
            .told(try options.branch?(source.path, step, changes) ?? "branch it with supertop branch instead")
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

extension Model.Look {
  /// Takes the depth of a terminal's colours, and the theme that was asked for or fits it.
  mutating func adapt(to depth: ColourDepth, theme: String?) {
    let chosen = library.initial(
      theme,
      depth: depth,
      environment: ProcessInfo.processInfo.environment
    )
    self.depth = depth
    themeIndex = library.themes.firstIndex { $0.name == chosen.name } ?? 0
  }
}
