import ArgumentParser
import Dashboard
import Foundation
import Runs
import Search

/// `supertop watch RUN`: a dashboard for a run of another process, live or over.
struct WatchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Show and steer a run that trains in another process, or look at a finished one.",
    discussion: """
      All keys of the dashboard work from here too; leaving it leaves the run as it is.
      """
  )

  @Argument(help: ArgumentHelp("Folder of the run.", valueName: "run"))
  var path: String

  @Option(
    help: ArgumentHelp("Write a picture of the dashboard (SVG) and leave.", valueName: "file.svg")
  )
  var screenshot: String?

  @Option(help: ArgumentHelp("Columns and rows of the picture.", valueName: "WxH"))
  var size = "120x36"

  @OptionGroup(title: "Display") var display: DisplayOptions

  func run() throws {
    try display.check()
    let folder = try RunFolder.open(path: path)
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
      _ = try display.show(folder, ownsTrainer: false)
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
}
