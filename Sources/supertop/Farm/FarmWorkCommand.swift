import ArgumentParser
import Foundation
import Runs
import Search
import Synchronization

/// `supertop farm work RUN`: trains trials.
struct FarmWorkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "work",
    abstract: "Train trials of a prepared run, one at a time.",
    discussion: """
      Without an index it trains whatever nobody else is at until all are trained. With one, from \
      --task or the scheduler's SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX, it ends when that \
      trial is trained, by whomever; of a joint search it trains earlier ones first where that is \
      needed. What is trained already is not trained again, and what a dead worker began goes on \
      from its last checkpoint.
      """
  )

  @OptionGroup var place: FarmPlace

  @Option(help: ArgumentHelp("Index of the trial to be trained, from 0.", valueName: "index"))
  var task: Int?

  @Option(
    help: ArgumentHelp(
      "Threads of a training, which change no bit of it (default: as the trial says).",
      valueName: "n"
    )
  )
  var threads: Int?

  @Flag(help: "Print a JSON object a line.")
  var json = false

  func validate() throws {
    guard (0...1024).contains(threads ?? 0) else {
      throw ValidationError("--threads \(threads ?? 0): give 0 to 1024")
    }
  }

  func run() throws {
    let farm = try place.farm()
    try farm.sharing.check(place.path)
    let isAsked = Asked()
    let signals = Signals { _ in isAsked.value.store(true, ordering: .relaxed) }
    let index = try index()
    let worker = try FarmWorker(farm, task: index, threads: threads) {
      isAsked.value.load(ordering: .relaxed)
    }
    let lead = FarmLead(folder: farm.folder, json: json)
    var failed: String?
    let ending = try worker.run(lead: lead.watch) { event in
      if case .settled(_, let report) = event, let fault = report.fault { failed = fault }
      try show(event)
    }
    switch ending {
    case .left:
      Output(descriptor: STDERR_FILENO).line("supertop: stopped; others go on from here")
      throw ExitCode(128 + (signals.received ?? SIGTERM))
    case .stopped:
      Output(descriptor: STDERR_FILENO).line(
        "supertop: the search was stopped; continue with supertop farm work \(place.path)"
      )
    case .done: if !json, index == nil { Output().line(try FarmSummary(farm).line) }
    }
    // Of a joint search it is one candidate less.
    guard !farm.isJoint else { return }
    if let index { failed = try farm.trials()[index].message }
    if let failed { throw UserError(.configuration, "", failed) }
  }

  /// Whether a signal has come, for the queues of trainers.
  private final class Asked: Sendable {
    let value = Atomic(false)
  }

  /// The index of `--task`, or of a scheduler.
  ///
  /// Errors: `.usage` for a variable that holds none.
  private func index() throws -> Int? {
    if let task { return task }
    for name in ["SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"] {
      guard let text = ProcessInfo.processInfo.environment[name] else { continue }
      guard let number = Int(text) else {
        throw UserError(.usage, "\(name)=\(text)", "no index", remedy: "give a number from 0")
      }
      return number
    }
    return nil
  }

  private struct Line: Encodable {
    var event = "trial"
    var run: String
    var state: TrialRecord.State
    var epochs: Int
    var accuracy: Double?
    var testAccuracy: Double?
    var message: String?

    enum CodingKeys: String, CodingKey {
      case event, run, state, epochs, message
      case accuracy = "val_accuracy"
      case testAccuracy = "test_accuracy"
    }
  }

  private func show(_ event: FarmWorker.Event) throws {
    let (run, report, state): (String, TrialReport, TrialRecord.State) =
      switch event {
      case .training(let run, let report): (run, report, .running)
      case .settled(let run, let report):
        (run, report, report.fault == nil ? .finished : .failed)
      case .lost(let run): (run, TrialReport(), .waiting)
      }
    let line = Line(
      run: run,
      state: state,
      epochs: report.epochs.count,
      accuracy: report.epochs.last?.validationAccuracy,
      testAccuracy: report.result?.testAccuracy,
      message: report.fault
    )
    if json { return try Output().json(line) }
    switch state {
    case .running where report.epochs.isEmpty: Output().line("\(run): training")
    case .running: break
    case .finished:
      Output().line(
        "\(run): " + Format.counted(line.epochs, "epoch")
          + (line.accuracy.map { ", validation accuracy \(Format.percent($0))" } ?? "")
          + (line.testAccuracy.map { ", \(Format.percent($0)) on the test images" } ?? "")
      )
    case .failed: Output().line("\(run) failed: \(line.message ?? "")")
    default: Output().line("\(run): another machine has taken it over")
    }
  }
}
