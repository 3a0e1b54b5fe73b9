import Foundation
import Runs

/// The dashboard of a run without a terminal: its frame as a picture or as text, and its screens as
/// values.
package struct Still {
  /// Colours to draw with.
  package enum Colours: Sendable {
    /// Marks and attributes only.
    case none
    /// The 256 of xterm.
    case palette
    /// Red, green and blue.
    case direct

    fileprivate var depth: ColourDepth {
      switch self {
      case .none: .none
      case .palette: .palette
      case .direct: .direct
      }
    }
  }

  /// What a frame shows.
  package enum View: String, CaseIterable, Sendable {
    /// The main screen.
    case main
    /// The inspector of the choice or the candidate that is chosen.
    case choice
    /// The screens behind the numbers, by name.
    case learning, cost, film, networks, system, progress, recipe, recipes
    case tradeoffs = "trade-offs"
    /// The log among them.
    case log
    /// The main screen under the help, under the result of a finished run.
    case help, result

    /// Title of the screen in a run that has it.
    fileprivate var title: String {
      self == .cost ? "Cost & τ" : rawValue.prefix(1).uppercased() + rawValue.dropFirst()
    }
  }

  private let source: any RunSource
  private var model: Model

  /// Reads what there is; throws a `UserError` where it cannot be read or there is no such theme.
  ///
  /// Without the name of a theme the environment decides, as on a terminal.
  package init(
    source: any RunSource,
    size: Size = Size(120, 36),
    theme name: String? = nil,
    colours: Colours = .none,
    glyphs: GlyphSet = .braille
  ) throws {
    self.source = source
    let look = try Model.Look(theme: name, depth: colours.depth, glyphs: glyphs)
    model = Model(size: size, look: look)
    try poll()
  }

  /// Takes up what is new; throws a `UserError` where it cannot be read.
  package mutating func poll() throws {
    _ = update(&model, .tick(Date().timeIntervalSince1970))
    // A long run comes in pieces.
    var hasMore = true
    while hasMore {
      let delta = try source.poll()
      _ = update(&model, .data(delta))
      hasMore = delta.hasMore
    }
  }

  /// Goes back to the moment after `step` steps, in a joint search after so many candidates.
  ///
  /// Errors: `.usage` for more than were done.
  package mutating func go(to step: Int) throws {
    guard (0...model.done).contains(step) else {
      throw UserError(
        .usage,
        "--at \(step)",
        "the run has done \(Format.counted(model.done, model.kind.units.step))",
        remedy: "give a number up to \(model.done)"
      )
    }
    for case .look(let step) in model.setCursor(step) {
      _ = update(&model, .moment(try source.moment(step: step)))
    }
  }

  /// Chooses what inspectors show: a choice by its name or identity, a candidate by its number.
  ///
  /// Errors: `.usage` naming what there is.
  package mutating func choose(_ text: String) throws {
    func fault(_ problem: String, _ remedy: String) -> UserError {
      UserError(.usage, "--choice \(text)", problem, remedy: remedy)
    }
    if model.kind.hasChoices {
      model.selection = try Control.choice(text, model.choices, fault)
    } else if model.kind == .joint {
      guard let place = model.trials.firstIndex(where: { "\($0.number)" == text }) else {
        throw fault("no such candidate", "give a number from 1 to \(model.trials.count)")
      }
      (model.selection, model.hasChosen) = (place, true)
    } else {
      throw fault("\(model.kind.article) has no choices", "leave the option out")
    }
  }

  /// Shows `view`, and of the small arrangement page `tab`, counted from 1.
  ///
  /// Errors: `.usage` for a view or a page that the run does not have.
  package mutating func show(_ view: View, tab: Int = 1) throws {
    let kind = model.kind
    guard kind.tabs.indices.contains(tab - 1) else {
      throw UserError(
        .usage,
        "--tab \(tab)",
        "\(kind.article) has no such page",
        remedy: "give a number from 1 to \(kind.tabs.count)"
      )
    }
    model.tab = tab - 1
    (model.screen, model.overlay) = (.main, nil)
    switch view {
    case .main: break
    case .learning, .cost, .film, .networks, .system, .progress, .recipe, .recipes, .tradeoffs,
      .log:
      guard let place = kind.tabs.firstIndex(where: { $0.title == view.title }) else {
        let names = View.allCases.filter { view in kind.tabs.contains { $0.title == view.title } }
        throw UserError(
          .usage,
          "--screen \(view.rawValue)",
          "\(kind.article) has no such screen",
          remedy: "choose one of main, \(names.map(\.rawValue).joined(separator: ", "))"
        )
      }
      model.tab = place
    case .choice:
      guard kind.hasChoices || kind == .joint else {
        throw UserError(
          .usage,
          "--screen choice",
          "\(kind.article) has no choices",
          remedy: "choose main, log, help or result"
        )
      }
      model.screen = .inspector
    case .help: model.overlay = .help(scroll: 0)
    case .result:
      guard model.result != nil else {
        throw UserError(
          .usage,
          "--screen result",
          "the run has no result yet",
          remedy: "choose main"
        )
      }
      model.overlay = .result
    }
  }

  /// The frame as a picture (SVG) in true colours.
  package var svg: String { view(model).svg(theme: model.look.theme) }

  /// The frame as lines of text without any look.
  package var text: String { view(model).text + "\n" }

  /// The frame as lines with the control sequences of a terminal.
  package var ansi: String { view(model).ansi(theme: model.look.theme, depth: model.look.depth) }

  /// What the screens `names` show, of the run in folder `run`; without names all, the inspector
  /// only of what was chosen.
  ///
  /// Errors: `.usage` for a screen that such a run does not have.
  package func screen(run: String, names: [ScreenName], inspects: Bool) throws -> RunScreen {
    let known = model.kind.screens
    if let other = names.first(where: { !known.contains($0) }) {
      throw UserError(
        .usage,
        "--screen \(other.rawValue)",
        "\(model.kind.article) has no such screen",
        remedy: "choose one of \(known.map(\.rawValue).joined(separator: ", "))"
      )
    }
    let all = known.filter { $0 != .choice || inspects }
    return RunScreen(model.shown, run: run, names: Set(names.isEmpty ? all : names))
  }
}
