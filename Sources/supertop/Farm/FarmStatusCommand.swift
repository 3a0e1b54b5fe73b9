import ArgumentParser
import Runs

/// `supertop farm status RUN`: the trials and who is at them.
struct FarmStatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show the trials of a prepared run and who is at them."
  )

  @OptionGroup var place: FarmPlace

  @Flag(help: "Print a JSON object.")
  var json = false

  func run() throws {
    let summary = try FarmSummary(place.farm())
    try json ? Output().json(summary) : Output().text(summary.text)
  }
}

/// `supertop farm missing RUN`: what a scheduler is to start again.
struct FarmMissingCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "missing",
    abstract: "Print the indices of the trials that are not trained, as of an array: 0,3-7.",
    discussion: """
      Nothing is printed where all are trained. Those that failed for a reason of their own, which \
      'farm status' says, are not among them.

        sbatch --array="$(supertop farm missing runs/v3)" job.sh
      """
  )

  @OptionGroup var place: FarmPlace

  func run() throws {
    let farm = try place.farm()
    // A joint search may end with fewer than were foreseen.
    guard try !farm.lead().isFinished else { return }
    let missing = try farm.trials().filter { !$0.state.isSettled }.map(\.index)
    if !missing.isEmpty { Output().line(missing.ranges) }
  }
}

/// The trials of a farm, as text or JSON.
struct FarmSummary: Encodable {
  var event = "farm"
  /// The search.
  var run: String
  /// Whether nothing is left to be trained.
  var done: Bool
  var trials: [Farm.Trial]
  /// Machine that leads the search; nil where nobody does.
  var host: String?
  /// Process there.
  var process: Int32?

  init(_ farm: Farm) throws {
    run = farm.folder.path
    trials = try farm.trials()
    let leader = farm.isJoint ? farm.folder.worker() : nil
    (host, process) = (leader?.host, leader?.process)
    done = try farm.isJoint ? farm.lead().isFinished : trials.allSatisfy(\.state.isSettled)
    // Those that were foreseen and never picked.
    if done { trials.removeAll { $0.state == .waiting } }
  }

  var text: String {
    var rows = [["", "trial", "state", "epochs", "val", "worker"]]
    for trial in trials {
      let worker = trial.host.map { "\($0), process \(trial.process ?? 0)" }
      rows.append([
        "\(trial.index)", trial.run, trial.state.rawValue, "\(trial.epochs)",
        trial.accuracy.map { Format.spacedPercent($0) } ?? "-", worker ?? trial.message ?? "",
      ])
    }
    return TextTable.aligned(rows, left: [1, 2, 5]) + line + "\n"
  }

  /// How many there are in each state.
  var line: String {
    let states: [TrialRecord.State] = [.finished, .failed, .stopped, .running, .waiting]
    let counts = states.compactMap { state in
      let count = trials.count { $0.state == state }
      return count > 0 ? "\(count) \(state.rawValue)" : nil
    }
    return "\(Format.counted(trials.count, "trial")): \(counts.joined(separator: ", "))"
      + (host.map { "; \($0), process \(process ?? 0), leads" } ?? "")
  }
}
