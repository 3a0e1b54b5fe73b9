import Foundation
import Runs

extension Dashboard {
  /// Shows the list of the runs at `places`, runs or folders of runs, until a person leaves it; to
  /// be called on the main thread.
  ///
  /// With a reason for a `refusal` nothing can be steered from their dashboards.
  package static func list(
    places: [String],
    refusal: String?,
    options: DashboardOptions
  ) throws -> DashboardExit {
    let setup = try open(options)
    defer { setup.terminal.close() }
    var model = RunListModel(size: Size(80, 24), look: setup.look)
    if let problem = setup.look.library.problems.first { model.message = .problem(problem) }
    var loop = RunListLoop(
      scanner: RunScanner(places: places),
      setup: setup,
      options: options,
      refusal: refusal,
      model: model
    )
    return try loop.run()
  }

  /// One frame of the list as an SVG picture, without a terminal.
  package static func screenshot(
    places: [String],
    size: Size,
    theme name: String = "default-dark"
  ) throws -> String {
    var model = RunListModel(size: size, look: try Model.Look(theme: name, depth: .direct))
    model.take(RunScanner(places: places).scan())
    model.now = Date().timeIntervalSince1970
    return viewList(model).svg(theme: model.look.theme)
  }
}

/// The loop between terminal, folders and the list; the dashboard of a run has a loop of its own.
private struct RunListLoop {
  let scanner: RunScanner
  let setup: Dashboard.Setup
  let options: DashboardOptions
  /// Why no run may be steered from here.
  let refusal: String?
  var model: RunListModel
  private var views: [String: RunView] = [:]
  private var wasOpened = false
  private var terminal: Terminal { setup.terminal }

  init(
    scanner: RunScanner,
    setup: Dashboard.Setup,
    options: DashboardOptions,
    refusal: String?,
    model: RunListModel
  ) {
    self.scanner = scanner
    self.setup = setup
    self.options = options
    self.refusal = refusal
    self.model = model
  }

  /// Between two looks at the folders.
  private let interval = 0.3

  mutating func run() throws -> DashboardExit {
    var nextScan = 0.0
    while true {
      if try terminal.take() {
        if !wasOpened { model.look.adapt(to: setup) }
        wasOpened = true
        _ = updateList(&model, .resize(terminal.size))
      }
      let now = Date().timeIntervalSince1970
      _ = updateList(&model, .tick(now))
      if now >= nextScan || nextScan > now + 2 * interval {
        // Many runs come a part at a time, so that the screen does not stand still.
        let runs = scanner.scan(within: 0.1)
        model.take(runs, isComplete: scanner.isComplete)
        nextScan = Date().timeIntervalSince1970 + interval
      }
      if terminal.isTaken, !terminal.isAsking {
        terminal.show(viewList(model), theme: model.look.theme)
      }
      for event in terminal.events(within: 100) {
        for effect in updateList(&model, event) {
          switch effect {
          case .exit(let exit): return exit
          case .repaint: terminal.repaint()
          case .suspend: terminal.suspend()
          case .open(let path):
            if let exit = try open(path) { return exit }
            nextScan = 0
          }
        }
      }
    }
  }

  /// Shows a run until a person comes back to the list; nil then, else why the program is to end.
  private mutating func open(_ path: String) throws -> DashboardExit? {
    let source: LiveRun
    do {
      let folder = try RunFolder.open(path: path)
      source = try LiveRun(folder: folder, claim: SteeringClaim(folder, refusal: refusal))
    } catch {
      _ = updateList(&model, .sourceFailed("\(error)"))
      return nil
    }
    var inner = Model(size: terminal.size, look: model.look, ownsTrainer: false)
    inner.hasList = true
    views[path]?.restore(&inner)
    var loop = Loop(
      source: source,
      setup: setup,
      options: options,
      model: inner,
      wasOpened: true
    )
    let exit = try loop.run()
    views[path] = RunView(loop.model)
    _ = updateList(&model, .resize(terminal.size))
    switch exit {
    case .quit, .detached, .stopRequested: return nil
    case .interrupted, .terminated, .hungUp: return exit
    }
  }
}
