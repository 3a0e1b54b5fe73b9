import ArgumentParser
import Foundation
import Runs
import Search
import Training

/// `supertop branch RUN`: a new run that goes on from a checkpoint of another (spec S84).
struct BranchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "branch",
    abstract: "Go on from a checkpoint of a run as a new run, with other settings.",
    discussion: """
      The new run has the records of the old one up to the checkpoint, and trains on from there; \
      the old one stays as it is, and may be under way. Temperature, cost, budget, learning rates \
      and epochs may be changed; data, seed, batches, space and network may not.

        supertop branch runs/digits-1 --at 400 --set temperature.rate=0.95
      """
  )

  @Argument(help: ArgumentHelp("Folder of the run.", valueName: "run"), completion: .directory)
  var path: String

  @Option(
    help: ArgumentHelp(
      "Branch from the newest checkpoint at or before this step (default: the newest of all).",
      valueName: "step"
    )
  )
  var at: Int?

  @Option(
    name: .customLong("run"),
    help: ArgumentHelp("Folder of the new run (default: RUN-b1, -b2, …).", valueName: "folder"),
    completion: .directory
  )
  var place: String?

  @Option(
    name: .customLong("set"),
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Change a key; may be repeated.", valueName: "key.path=value")
  )
  var assignments: [String] = []

  @Flag(help: "Make the run, and train it later with supertop resume.")
  var only = false

  @OptionGroup(title: "Display") var display: DisplayOptions

  private struct Report: Encodable {
    var event = "branch"
    var run: String
    var parent: String
    var step: Int
  }

  func run() throws {
    try display.check()
    let parent = try RunFolder.open(path: path)
    let folder = try parent.makeBranch(at: place, step: at, changes: assignments)
    let step = try folder.parent()?.step ?? 0
    if display.json {
      try Output().json(
        Report(run: folder.absolutePath, parent: parent.absolutePath, step: step)
      )
    } else if only || !display.wantsDashboard {
      Output().line(
        "\(folder.path) goes on from step \(step) of \(parent.path)"
          + (only ? "; train it with supertop resume \(folder.path)" : "")
      )
    }
    if only { return }
    try TrainingProcess(folder: folder, trainer: Trainer(folder: folder), display: display).run()
  }
}
