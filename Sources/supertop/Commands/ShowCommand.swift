import ArgumentParser
import Dashboard
import Foundation
import Runs

/// `supertop show RUN`: what the dashboard shows, as sentences or as JSON.
struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Print what the dashboard of a run shows, as plain text or as JSON.",
    discussion: """
      Live or finished. For programs and for screen readers: the same facts as on the screen, a \
      fact a line or one object.

        supertop show runs/digits-1 --screen choices
        supertop show runs/digits-1 --choice layer3 --at 400 --json
        supertop show runs/digits-1 --screen status --follow
      """
  )

  @Argument(
    help: ArgumentHelp("Folder of the run (default: the newest in runs).", valueName: "run"),
    completion: .directory
  )
  var path: String?

  @Option(
    help: ArgumentHelp(
      "Screen to print, once or more (default: all that the run has).",
      valueName: "name"
    )
  )
  var screen: [ScreenName] = []

  @Option(
    help: ArgumentHelp("Choice by name, or candidate by number, to inspect.", valueName: "name")
  )
  var choice: String?

  @Option(
    help: ArgumentHelp("Show the run as it was after so many steps.", valueName: "step")
  )
  var at: Int?

  @Flag(help: "Print it again whenever something has changed, until the run ends.")
  var follow = false

  @Flag(help: "Print one JSON object a time.")
  var json = false

  func validate() throws {
    if at != nil, follow { throw ValidationError("--at --follow: give one of them") }
  }

  func run() throws {
    let folder = try RunFolder.open(path: NewestRun.path(path))
    let output = Output()
    var still = try Still(source: LiveRun(folder: folder))
    if let at { try still.go(to: at) }
    if let choice { try still.choose(choice) }
    var last = ""
    while true {
      // Asked before the records are read: what a trainer wrote before it went is then seen.
      let isLast = !follow || folder.trainer() == nil
      try still.poll()
      let shown = try still.screen(
        run: folder.absolutePath,
        names: screen,
        inspects: choice != nil
      )
      let text = json ? try JSONText.encode(shown, keys: .convertToSnakeCase) + "\n" : shown.text
      if text != last { output.text((json || last.isEmpty ? "" : "\n") + text) }
      last = text
      if isLast || output.isClosed { return }
      Thread.sleep(forTimeInterval: 0.2)
    }
  }
}

extension ScreenName: ExpressibleByArgument {}
