import ArgumentParser
import Dashboard
import Foundation
import Runs

/// How a run is shown; the same for `search`, `resume` and `watch`.
struct DisplayOptions: ParsableArguments {
  @Flag(help: "Print progress lines instead of the dashboard.")
  var headless = false

  @Flag(
    help: """
      Print one JSON object per line instead of the dashboard: events "step", "epoch", and \
      finally "done".
      """
  )
  var json = false

  @Option(
    help: ArgumentHelp("Theme of the dashboard; T shows them all to choose.", valueName: "name"),
    completion: .themes
  )
  var theme: String?

  @Flag(help: "Draw the dashboard with ASCII characters only.")
  var ascii = false

  /// Refuses a theme that does not exist before anything is started, and what the environment says
  /// of the dashboard where it would be shown.
  func check() throws {
    if theme != nil || wantsDashboard { try Dashboard.check(theme: theme) }
  }

  /// Whether to show the dashboard.
  var wantsDashboard: Bool { !headless && !json && obstacle == nil }

  /// Why there is no dashboard although one is wanted; nil where that needs no words.
  var obstacle: String? {
    if headless || json { return nil }
    guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else { return "no terminal" }
    return Dashboard.obstacle().map { "\($0.place): \($0.problem)" }
  }

  /// Shows a run until a person leaves; to be called on the main thread.
  ///
  /// One viewer of a run steers it; with a reason for a `refusal` this one does not.
  func show(
    _ folder: RunFolder,
    ownsTrainer: Bool,
    refusal: String? = SteeringClaim.refusal()
  ) throws -> DashboardExit {
    try Dashboard.run(
      source: LiveRun(folder: folder, claim: SteeringClaim(folder, refusal: refusal)),
      options: options(ownsTrainer: ownsTrainer)
    )
  }

  /// How the dashboard is opened.
  func options(ownsTrainer: Bool) -> DashboardOptions {
    DashboardOptions(
      theme: theme,
      glyphs: ascii ? .ascii : nil,
      ownsTrainer: ownsTrainer,
      branch: Branching.start
    )
  }
}

extension CompletionKind {
  /// The names of all themes, those of the user's folder among them.
  static var themes: CompletionKind { .custom { _, _, _ in ThemeReport.all().map(\.name) } }
}
