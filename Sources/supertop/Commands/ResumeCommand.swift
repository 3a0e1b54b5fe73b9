import ArgumentParser
import Ranks
import Runs
import Search
import Training

/// `supertop resume RUN`: continues a run after any kind of end.
struct ResumeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume",
    abstract: "Continue a stopped or killed run.",
    discussion: """
      The run continues from its newest checkpoint and ends with the same bits as one that was \
      never interrupted; temperatures set by hand are set again at the same steps. A finished run \
      prints its result again; a joint search can be given more --rounds. If the data has changed \
      since the run began, it is refused.
      """
  )

  @Argument(
    help: ArgumentHelp("Folder of the run (default: the newest in runs).", valueName: "run"),
    completion: .directory
  )
  var path: String?

  @Option(help: ArgumentHelp("Let a joint search have so many rounds in all.", valueName: "n"))
  var rounds: Int?

  @Flag(help: acceptHelp)
  var acceptChangedData = false

  @OptionGroup(title: "Display") var display: DisplayOptions

  func run() throws {
    try display.check()
    let folder = try RunFolder.open(path: NewestRun.path(path))
    if let rounds { try JointRecords.extend(folder, to: rounds) }
    let trainer = try Trainer(
      folder: folder,
      acceptsChangedData: acceptChangedData,
      ranks: .world
    )
    try TrainingProcess(folder: folder, trainer: trainer, display: display).run()
  }
}

/// What `resume` and `derive` say of `--accept-changed-data`.
let acceptHelp = ArgumentHelp("Continue although the data has changed since the run began.")
