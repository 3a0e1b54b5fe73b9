import ArgumentParser
import Dashboard
import Runs

/// `supertop themes`: lists the colour themes, and checks that they can be read (spec S85).
struct ThemesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "themes",
    abstract: "List the dashboard's colour themes, or check one.",
    discussion: """
      --check measures the contrast of text on its ground (4.5 : 1 at least), whether the ramp of \
      probabilities rises in lightness, and whether neighbouring options differ in lightness. It \
      exits with 65 where a theme fails. Your own themes are files in \
      ~/.config/supertop/themes/NAME.theme.
      """
  )

  @Argument(
    help: ArgumentHelp("A theme's file (default: all there are).", valueName: "file"),
    completion: .file()
  )
  var file: String?

  @Flag(help: "Say what is wrong with how a theme looks.")
  var check = false

  @Flag(help: "Print one JSON object.")
  var json = false

  private struct Report: Encodable {
    var event = "themes"
    var themes: [ThemeReport]
  }

  func run() throws {
    let themes = try file.map { [try ThemeReport.file($0)] } ?? ThemeReport.all()
    let output = Output()
    if json {
      try output.json(Report(themes: themes))
    } else {
      var rows = [["theme", "ground", "", "from"]]
      for theme in themes {
        let state = check ? theme.problems.isEmpty ? "ok" : "\(theme.problems.count) problems" : ""
        rows.append([
          theme.name, theme.monochrome ? "\(theme.appearance), no colours" : theme.appearance,
          state, theme.file ?? "the program",
        ])
      }
      output.text(TextTable.aligned(rows, left: [0, 1, 2, 3]))
      if check { for problem in themes.flatMap(\.problems) { output.line(problem) } }
    }
    guard check, let bad = themes.first(where: { !$0.problems.isEmpty }) else { return }
    throw UserError(
      .data,
      bad.file ?? bad.name,
      bad.problems[0],
      remedy: "themes/default-dark.theme explains the format"
    )
  }
}
