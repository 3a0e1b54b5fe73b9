import ArgumentParser
import Dashboard
import Foundation
import Runs

/// `supertop frame RUN`: one frame of the dashboard, as text or as a picture.
struct FrameCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "frame",
    abstract: "Print the dashboard of a run once, or write it as a picture.",
    discussion: """
      Live or finished; no terminal is needed. On a terminal the text has the theme's colours, \
      elsewhere it has none.

        supertop frame runs/digits-1 --size 80x24
        supertop frame runs/digits-1 --screen choice --choice layer3 --svg layer3.svg
      """
  )

  /// Theme of pictures: those of two machines look alike.
  static let pictureTheme = "default-dark"

  @Argument(help: ArgumentHelp("Folder of the run.", valueName: "run"), completion: .directory)
  var path: String

  @Option(
    help: ArgumentHelp("Draw the run as it was after so many steps.", valueName: "step")
  )
  var at: Int?

  @Option(
    help: ArgumentHelp(
      "Columns and rows (default: those of the terminal, else 120x36).",
      valueName: "WxH"
    )
  )
  var size: String?

  @Option(help: "Screen to draw.")
  var screen = Still.View.main

  @Option(
    help: ArgumentHelp(
      "Choice by name, or candidate by number, that inspectors show.",
      valueName: "name"
    )
  )
  var choice: String?

  @Option(help: ArgumentHelp("Page of the small arrangement, from 1.", valueName: "number"))
  var tab = 1

  @Option(help: ArgumentHelp("Theme.", valueName: "name"), completion: .themes)
  var theme: String?

  @Flag(help: "Draw with ASCII characters only.")
  var ascii = false

  @Option(
    help: ArgumentHelp("Write a picture (SVG) in place of text.", valueName: "file.svg"),
    completion: .file()
  )
  var svg: String?

  func run() throws {
    let folder = try RunFolder.open(path: path)
    let output = Output()
    let area = try size.map(Self.size) ?? output.terminal.map { Size($0.columns, $0.rows - 1) }
    let colours: Still.Colours = svg == nil ? Self.colours : .direct
    var still = try Still(
      source: LiveRun(folder: folder),
      size: area ?? Size(120, 36),
      theme: theme ?? (svg == nil ? nil : Self.pictureTheme),
      colours: colours,
      glyphs: ascii ? .ascii : .braille
    )
    if let at { try still.go(to: at) }
    if let choice { try still.choose(choice) }
    try still.show(screen, tab: tab)
    if let svg { return try writeWhole(still.svg, to: svg) }
    if isatty(STDOUT_FILENO) == 1 { output.raw(still.ansi) } else { output.text(still.text) }
  }

  /// A size as people write it, `120x36`; `.usage` for anything else.
  static func size(_ text: String) throws -> Size {
    let sides = text.split(separator: "x").compactMap { Int($0) }
    guard sides.count == 2, sides.allSatisfy({ (1...1000).contains($0) }) else {
      throw UserError(.usage, "--size \(text)", "not a size", remedy: "write it like 120x36")
    }
    return Size(sides[0], sides[1])
  }

  /// Colours of the terminal behind standard output, as its environment tells them.
  private static var colours: Still.Colours {
    let environment = ProcessInfo.processInfo.environment
    let term = environment["TERM"] ?? ""
    guard isatty(STDOUT_FILENO) == 1, (environment["NO_COLOR"] ?? "").isEmpty,
      !term.isEmpty, term != "dumb"
    else { return .none }
    return ["truecolor", "24bit"].contains(environment["COLORTERM"] ?? "") ? .direct : .palette
  }
}

extension Still.View: ExpressibleByArgument {}
