import ArgumentParser
import Foundation

/// How a run is shown; the same for `search`, `resume` and `watch`.
struct DisplayOptions: ParsableArguments {
  @Flag(help: "Print progress lines instead of the dashboard.")
  var headless = false

  @Flag(
    help: """
      Print one JSON object a line instead of the dashboard: events "step", "epoch" and, last, "done".
      """
  )
  var json = false

  @Option(
    help: ArgumentHelp("Theme of the dashboard; T cycles through all of them.", valueName: "name")
  )
  var theme: String?

  @Flag(help: "Draw the dashboard with ASCII characters only.")
  var ascii = false

  /// Whether to show the dashboard.
  var wantsDashboard: Bool { !headless && !json && obstacle == nil }

  /// Why there is no dashboard although one is wanted; nil where that needs no words.
  var obstacle: String? {
    if headless || json { return nil }
    guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else { return "no terminal" }
    let kind = ProcessInfo.processInfo.environment["TERM"] ?? ""
    return kind.isEmpty || kind == "dumb" ? "the terminal cannot move its cursor" : nil
  }
}
