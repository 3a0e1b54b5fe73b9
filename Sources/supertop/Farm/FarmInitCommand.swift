import ArgumentParser
import Runs
import Search
import Training

/// `supertop farm init RUN`: makes the trials.
struct FarmInitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Prepare a run for workers on many machines.",
    discussion: """
      Of a joint search, new or stopped, the candidates of the present round are made; the others \
      follow while workers train. Of a finished search, networks are evaluated and ranked as by \
      'derive', with its options, and those that it would train are made. Give it again to change \
      something, while nobody works.
      """
  )

  @OptionGroup var derive: DeriveCommand

  @Option(
    help: ArgumentHelp(
      "Seconds without a sign of life after which a worker of another machine counts as dead.",
      valueName: "seconds"
    )
  )
  var patience = 60.0

  func validate() throws {
    guard (5...86_400).contains(patience) else {
      throw ValidationError("--patience \(patience): give 5 to 86400 seconds")
    }
  }

  func run() throws {
    let folder = try RunFolder.open(path: NewestRun.path(derive.path))
    let sharing = Sharing.own(patience: patience)
    switch try folder.settings() {
    case .joint(let settings): try prepare(folder, settings, sharing)
    case .search: try derive.derive(preparing: sharing)
    case .training:
      throw UserError(
        .usage,
        folder.path,
        "a training is one trial",
        remedy: "train it by several processes with mpirun, or name a search"
      )
    }
    let count = try Farm(folder).count
    if !derive.json {
      Output().line(
        "\(Format.counted(count, "trial")) prepared; start workers with supertop farm work "
          + "\(folder.path), or see supertop farm script \(folder.path)"
      )
    }
  }

  private func prepare(
    _ folder: RunFolder,
    _ settings: JointConfiguration,
    _ sharing: Sharing
  ) throws {
    guard derive.isPlain else {
      throw UserError(
        .usage,
        folder.path,
        "a joint search picks its candidates by its own settings",
        remedy: "leave the options of derive out"
      )
    }
    try plan(folder, settings, sharing)
    try FarmLead(folder: folder, json: derive.json, isQuiet: true).collect()
  }

  private func plan(
    _ folder: RunFolder,
    _ settings: JointConfiguration,
    _ sharing: Sharing
  ) throws {
    let lock = try folder.lock()
    let reader = try folder.reader()
    guard try reader.result() == nil else {
      throw UserError(
        .usage,
        folder.path,
        "the search is finished",
        remedy: "give it more rounds with supertop resume \(folder.path) --rounds N"
      )
    }
    // The best of the coarse stage may be trained on beside those of the fine stage.
    let rounds = try reader.jointProgress()?.rounds ?? settings.search.rounds
    let foreseen = rounds * settings.search.candidates + settings.fine.candidates + 1
    let count = max(foreseen, try reader.trials().count)
    try Farm.make(
      folder,
      trials: (0..<count).map { "trials/candidate-\($0 + 1)" },
      isJoint: true,
      sharing: sharing
    )
    withExtendedLifetime(lock) {}
  }
}

extension DeriveCommand {
  /// Whether no option is given but for the form of the output.
  fileprivate var isPlain: Bool {
    let plain = try? DeriveCommand.parse(["run"])
    guard let plain else { return false }
    return samples == plain.samples && select == plain.select && refine == plain.refine
      && top == plain.top && retrainEpochs == nil && !inherit && tune == plain.tune && !uniform
      && budget == nil && recipe == nil && assignments.isEmpty && seed == nil && threads == nil
      && !acceptChangedData
  }
}
