import Foundation
import Runs

/// The loop between terminal, store, themes and model.
struct Loop {
  let source: any RunSource
  let options: DashboardOptions
  private(set) var model: Model
  private var setup: Dashboard.Setup
  private var wasOpened: Bool
  /// Whether the source has more than was taken up.
  private var isBehind = false
  /// Whether something has happened that the frame on the screen may not show.
  private var isStale = true
  private var wasAnimated = false
  private var lastFrame = 0.0
  private var terminal: Terminal { setup.terminal }

  /// Between two looks into the store; also the pace of frames while nobody types.
  private let interval = 0.1
  /// Between two looks into the folder of themes.
  private let themeInterval = 1.0
  /// Between two frames while nothing happens.
  private let stillInterval = 1.0

  /// A loop over a terminal that another loop may have opened, and whose look the model has then.
  init(
    source: any RunSource,
    setup: Dashboard.Setup,
    options: DashboardOptions,
    model: Model,
    wasOpened: Bool = false
  ) {
    self.source = source
    self.setup = setup
    self.options = options
    self.model = model
    self.wasOpened = wasOpened
  }

  /// Runs until the person leaves.
  mutating func run() throws -> DashboardExit {
    var nextPoll = 0.0
    var nextThemes = Date().timeIntervalSince1970 + themeInterval
    while true {
      try takeTerminal()
      let now = Date().timeIntervalSince1970
      if let exit = apply(.tick(now)) { return exit }
      if now >= nextPoll || nextPoll > now + 2 * interval {
        if let exit = poll(until: now + interval) { return exit }
        nextPoll = isBehind ? now : now + interval
      }
      if now >= nextThemes || nextThemes > now + 2 * themeInterval {
        nextThemes = now + themeInterval
        if let library = setup.themes.changed() { _ = apply(.themes(library)) }
      }
      // The first frame has the colours that fit the ground.
      if model.isShown, !terminal.isAsking {
        draw(now)
        terminal.say(model.tabProgress)
      }
      // A key is answered at once: the wait ends with the first byte.
      let wait = max(1, Int((nextPoll - Date().timeIntervalSince1970) * 1000) + 1)
      for event in terminal.events(within: min(wait, 100)) {
        if let exit = apply(event) { return exit }
      }
    }
  }

  /// Draws what has changed; what changes with the time alone, once a second.
  private mutating func draw(_ now: Double) {
    let isAnimated = model.isAnimated
    guard isStale || isAnimated || wasAnimated || abs(now - lastFrame) >= stillInterval else {
      return
    }
    (isStale, wasAnimated, lastFrame) = (false, isAnimated, now)
    terminal.show(view(model), theme: model.look.theme)
  }

  /// Where the terminal has become ours, the model gets its size and, at first, its colours.
  private mutating func takeTerminal() throws {
    if try terminal.take() {
      if !wasOpened {
        wasOpened = true
        model.look.adapt(to: setup)
      }
      _ = update(&model, .resize(terminal.size))
      isStale = true
    }
    model.isShown = terminal.isTaken
  }

  /// Takes up what is new; of a long run as much as there is time for.
  private mutating func poll(until end: Double) -> DashboardExit? {
    repeat {
      do {
        let delta = try source.poll()
        isBehind = delta.hasMore
        if let exit = apply(.data(delta)) { return exit }
      } catch {
        isBehind = false
        return apply(.sourceFailed("\(error)"))
      }
    } while isBehind && Date().timeIntervalSince1970 < end
    return nil
  }

  private mutating func apply(_ event: Event) -> DashboardExit? {
    if case .interrupt = event { _ = update(&model, .tick(Date().timeIntervalSince1970)) }
    isStale = isStale || event.isNews
    for effect in update(&model, event) {
      switch effect {
      case .exit(let exit): return exit
      case .repaint: terminal.repaint()
      case .suspend: terminal.suspend()
      case .mouse(let isOurs): terminal.setMouse(isOurs)
      case .notify(let text): terminal.tell(text)
      case .copy(let text): copy(text)
      case .look(let step):
        _ = update(&model, answer { .moment(try source.moment(step: step)) })
      case .branch(let step, let changes):
        let place = source.path
        _ = update(
          &model,
          answer {
            .told(try options.branch?(place, step, changes) ?? "branch it with supertop branch")
          }
        )
      case .request(let action):
        do {
          try source.request(action)
        } catch {
          _ = update(&model, .sourceFailed("\(error)"))
          model.isStopping = false
        }
      }
    }
    return nil
  }

  private mutating func copy(_ text: String) {
    var copied = Copied(bytes: text.utf8.count, way: terminal.copy(text))
    do {
      copied.file = try source.keep(text)
    } catch {
      copied.problem = "\(error)"
    }
    _ = update(&model, .copied(copied))
  }

  /// What the world answers, or why it cannot.
  private func answer(_ ask: () throws -> Event) -> Event {
    do { return try ask() } catch { return .sourceFailed("\(error)") }
  }
}

extension Event {
  /// Whether it may change the frame by more than the time does.
  fileprivate var isNews: Bool {
    switch self {
    case .tick: false
    case .data(let delta): !delta.isEmpty
    default: true
    }
  }
}

extension Model.Look {
  /// Takes the depth of a terminal's colours, and the theme that was asked for or fits it.
  mutating func adapt(to setup: Dashboard.Setup) {
    let terminal = setup.terminal
    let chosen = library.initial(
      setup.theme,
      depth: terminal.colourDepth,
      isLight: terminal.features.isLight,
      environment: ProcessInfo.processInfo.environment
    )
    depth = terminal.colourDepth
    show(theme: chosen.name)
    isThemeChosen = !terminal.asks
  }
}
