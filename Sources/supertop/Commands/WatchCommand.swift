import ArgumentParser
import Dashboard
import Foundation
import Runs
import Search

/// `supertop watch RUN`: a dashboard for a run of another process, live or over, or a list of many.
struct WatchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Show and steer a run that trains in another process, or look at a finished one.",
    discussion: """
      All keys of the dashboard work from here too; leaving it leaves the run as it is. Several \
      runs, or a folder that holds runs, are shown as a list, from which Enter opens the dashboard \
      of one. Of several viewers of a run one steers; the others are read-only until it leaves.

        supertop watch runs/digits-1
        supertop watch runs
      """
  )

  @Argument(
    help: ArgumentHelp(
      "Folders of runs, or a folder that holds runs (default: the newest in runs).",
      valueName: "run"
    ),
    completion: .directory
  )
  var paths: [String] = []

  @Option(
    help: ArgumentHelp("Write a picture of the dashboard (SVG) and leave.", valueName: "file.svg"),
    completion: .file()
  )
  var screenshot: String?

  @Option(help: ArgumentHelp("Columns and rows of the picture.", valueName: "WxH"))
  var size = "120x36"

  @Flag(help: "Do not steer, and leave the right to do so to others.")
  var readOnly = false

  @OptionGroup(title: "Display") var display: DisplayOptions

  func run() throws {
    try display.check()
    let paths = try paths.isEmpty ? [NewestRun.path(nil)] : paths
    if let places = try RunPlaces(watching: paths) { return try list(places) }
    let folder = try RunFolder.open(path: paths[0])
    if let screenshot {
      var still = try Still(
        source: LiveRun(folder: folder),
        size: FrameCommand.size(size),
        theme: display.theme ?? FrameCommand.pictureTheme,
        colours: .direct
      )
      try still.show(.main)
      return try writeWhole(still.svg, to: screenshot)
    }
    if display.wantsDashboard {
      let refusal = SteeringClaim.refusal(isReadOnly: readOnly)
      _ = try display.show(folder, ownsTrainer: false, refusal: refusal)
      return
    }
    let printer = try ProgressPrinter(
      folder,
      json: display.json,
      after: -1,
      output: Output()
    )
    printer.begin(folder, try folder.settings(), obstacle: display.obstacle)
    while true {
      // Asked before the records are read: what a trainer wrote before it went is then seen.
      let isOver = folder.trainer() == nil
      try printer.poll()
      if isOver || printer.isClosed { break }
      Thread.sleep(forTimeInterval: 0.2)
    }
    let status = try folder.reader().status() ?? RunStatus()
    if let result = try folder.reader().result() {
      try printer.end(try RunResult(json: result), folder)
    } else if status.state == .failed {
      throw UserError(.software, folder.path, status.message)
    } else {
      throw UserError(
        .unavailable,
        folder.path,
        "no trainer is at work on this run; it is at step \(status.step)",
        remedy: "continue with supertop resume \(folder.path)"
      )
    }
  }

  /// Shows the list of several runs, or takes a picture of it.
  private func list(_ places: RunPlaces) throws {
    if let screenshot {
      let picture = try Dashboard.screenshot(
        places: places.paths,
        size: FrameCommand.size(size),
        theme: display.theme ?? FrameCommand.pictureTheme
      )
      return try writeWhole(picture, to: screenshot)
    }
    guard display.wantsDashboard else {
      throw UserError(
        .unavailable,
        places.paths[0],
        "several runs are watched on a terminal only"
          + (display.obstacle.map { ", and here is \($0)" } ?? ""),
        remedy: "list them with supertop runs, or watch one"
      )
    }
    _ = try Dashboard.list(
      places: places.paths,
      refusal: SteeringClaim.refusal(isReadOnly: readOnly),
      options: display.options(ownsTrainer: false)
    )
  }
}
