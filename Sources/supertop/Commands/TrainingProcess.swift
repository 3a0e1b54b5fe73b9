import ArgumentParser
import Dashboard
import Foundation
import Ranks
import Runs
import Search
import Training

/// A training in this process from its start to the exit of the program.
struct TrainingProcess {
  let folder: RunFolder
  let trainer: Trainer
  let display: DisplayOptions

  /// Trains a new run; one that fails before its first step is removed again.
  static func start(_ folder: RunFolder, display: DisplayOptions) throws {
    do {
      let trainer = try Trainer(folder: folder, ranks: .world)
      try TrainingProcess(folder: folder, trainer: trainer, display: display).run()
    } catch let error as UserError {
      // A run that failed before its first step holds nothing that anybody could want.
      let reader = try? folder.reader()
      if (try? reader?.steps(limit: 1))?.isEmpty ?? true {
        removeAll(folder.path)
      }
      throw error
    }
  }

  /// Trains with a dashboard or with progress lines; returns when the run is finished or stopped.
  ///
  /// Throws the error of a failed run, or the exit code 128 + signal where a signal ended it.
  func run() throws {
    guard display.wantsDashboard else {
      return try runHeadless(after: trainer.firstStep - 1, obstacle: display.obstacle, starts: true)
    }
    trainer.start()
    // What cannot even begin is reported in a line, not on a screen that has to be left first.
    if case .failed(let error) = trainer.wait(seconds: TrainingProcess.firstLook) { throw error }
    // Before the dashboard, which gives back what it found: a terminal that goes sends the signal
    // twice.
    Signals.ignoreHangUp()
    let reader = try folder.reader()
    switch try display.show(folder, ownsTrainer: true) {
    case .quit, .stopRequested:
      try report(
        waited(),
        ProgressPrinter(folder, json: false, after: trainer.firstStep - 1, output: Output())
      )
    case .detached:
      Output().line(
        "training continues here; steer it with supertop watch \(folder.path)",
        linking: folder.path
      )
      try runHeadless(after: (try reader.status()?.step ?? 0) - 1, obstacle: nil)
    case .hungUp:
      try runHeadless(after: (try reader.status()?.step ?? 0) - 1, obstacle: nil)
    case .interrupted:
      throw ExitCode(128 + SIGINT)
    case .terminated:
      let stop = StopRequest(reader)
      _ = waited { stop.ask() }
      throw ExitCode(128 + SIGTERM)
    }
  }

  /// Seconds in which a missing folder and the like show themselves.
  private static let firstLook = 0.2

  private func waited(_ look: () -> Void = {}) -> Trainer.Outcome {
    while true {
      look()
      if let outcome = trainer.wait(seconds: 1) { return outcome }
    }
  }

  /// Prints what the training does until it ends; `starts` it once signals are heard.
  private func runHeadless(after step: Int, obstacle: String?, starts: Bool = false) throws {
    let reader = try folder.reader()
    let printer = try ProgressPrinter(
      folder,
      json: display.json,
      after: step,
      output: Output()
    )
    let stop = StopRequest(reader)
    let signals = Signals { _ in stop.ask() }
    if starts { trainer.start() }
    if step < trainer.firstStep {
      printer.begin(folder, try folder.settings(), obstacle: obstacle)
    }
    var outcome: Trainer.Outcome?
    while outcome == nil {
      outcome = trainer.wait(seconds: 0.1)
      try printer.poll()
      if signals.received != nil {
        stop.ask()
        // A launcher whose other processes have ended sends a signal too.
        if let ranks = Ranks.world, ranks.isStuck { ranks.leave("the other processes are gone") }
      }
    }
    if let outcome { try report(outcome, printer) }
    if let signal = signals.received, outcome == .stopped { throw ExitCode(128 + signal) }
  }

  private func report(_ outcome: Trainer.Outcome, _ printer: ProgressPrinter) throws {
    switch outcome {
    case .finished(let result):
      try printer.end(result, folder)
    case .stopped:
      Output(descriptor: STDERR_FILENO).line(
        "supertop: stopped; continue with supertop resume \(folder.path)",
        linking: folder.path
      )
    case .failed(let error):
      throw error
    }
  }
}
