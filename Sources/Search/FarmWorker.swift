import Foundation
import Runs
import Training

/// A process that trains the trials of a farm, one at a time.
///
/// Of a joint search it takes the lead where nobody has it: records what the others report and
/// picks what is to be trained next. A worker that dies loses what it did since its last
/// checkpoint; another one goes on from there, and takes the lead over.
package struct FarmWorker: Sendable {
  /// What a worker is at.
  package enum Event: Sendable {
    /// It trains a trial, as an epoch has ended or the training begun.
    case training(String, TrialReport)
    /// It has trained a trial to its end.
    case settled(String, TrialReport)
    /// It could not go on with a trial: another machine took it over.
    case lost(String)
  }

  /// Why it ended.
  package enum Ending: Sendable, Equatable {
    /// Its trial is settled; without a trial of its own, all are.
    case done
    /// Somebody stopped the search.
    case stopped
    /// It was asked to leave; others go on.
    case left
  }

  /// Seconds between two looks at a training.
  private static let poll = 0.2
  /// Seconds between two looks at all trials where none is free: the longer, the longer that is so.
  private static let rest = 0.05...1.0

  private let farm: Farm
  private let task: String?
  private let threads: Int?
  private let stops: @Sendable () -> Bool

  /// - Parameters:
  ///   - farm: what is trained.
  ///   - task: index of the trial whose end is waited for; nil for all of them.
  ///   - threads: of a training; nil for as many as its settings say.
  ///   - stops: whether this process has been asked to leave.
  /// - Throws: `.usage` for an index that the farm has not.
  package init(
    _ farm: Farm,
    task: Int? = nil,
    threads: Int? = nil,
    stops: @escaping @Sendable () -> Bool
  ) throws {
    let runs = farm.runs
    if let task, !runs.indices.contains(task) {
      throw UserError(
        .usage,
        "task \(task)",
        "\(farm.folder.path) has \(Format.counted(runs.count, "trial"))",
        remedy: "give 0 to \(max(0, runs.count - 1))"
      )
    }
    self.farm = farm
    self.task = task.map { runs[$0] }
    self.threads = threads
    self.stops = stops
  }

  /// Trains until nothing is left that this process waits for; returns why it ended.
  ///
  /// `lead` watches a trainer that leads the search, until its end; `progress` receives what this
  /// process is at. Throws the first error that is not of one trial alone.
  package func run(
    lead watch: (Trainer) throws -> Trainer.Outcome,
    progress: (Event) throws -> Void
  ) throws -> Ending {
    let before = try farm.lead().stops
    var rest = Self.rest.lowerBound
    while true {
      let lead = try farm.lead()
      if lead.isFinished { return .done }
      if lead.stops > before { return .stopped }
      if stops() { return .left }
      let trials = try farm.trials()
      let isDone = self.isDone(trials)
      if isDone, !farm.isJoint { return .done }
      // Of a joint search, whoever finds its own trial done sees to it that it goes on.
      switch try leads(isDone ? 0 : 1, watch) {
      case .finished?: return .done
      case .failed(let error)? where error.code != .busy: throw error
      case nil, .stopped?, .failed?: if isDone { return .done }
      }
      guard !stops() else { continue }
      let hasTrained = try !lead.isPaused && trainNext(trials, before, progress)
      if hasTrained {
        rest = Self.rest.lowerBound
      } else {
        Thread.sleep(forTimeInterval: rest)
        rest = min(1.3 * rest, Self.rest.upperBound)
      }
    }
  }

  private func isDone(_ trials: [Farm.Trial]) -> Bool {
    guard let task else { return !farm.isJoint && trials.allSatisfy(\.state.isSettled) }
    return trials.first { $0.run == task }?.state.isSettled ?? false
  }

  /// Leads the joint search, if nobody else does; how that ended, nil where it did not begin.
  private func leads(
    _ parallel: Int,
    _ watch: (Trainer) throws -> Trainer.Outcome
  ) throws -> Trainer.Outcome? {
    guard farm.isJoint, farm.folder.trainer() == nil else { return nil }
    let (task, stops) = (task, stops)
    do {
      let trainer = try Trainer(
        folder: farm.folder,
        waits: false,
        work: JointWork(parallel: parallel, threads: threads) { trials in
          stops() || parallel > 0 && trials.contains { $0.run == task && $0.isSettled }
        }
      )
      return try watch(trainer)
    } catch let error as UserError where error.code == .busy {
      return nil
    }
  }

  /// Trains the first trial that nobody is at; whether there was one.
  private func trainNext(
    _ trials: [Farm.Trial],
    _ stopsBefore: Int,
    _ progress: (Event) throws -> Void
  ) throws -> Bool {
    let runner = TrialRunner(path: farm.folder.path, sharing: farm.sharing, threads: threads)
    // Its own first.
    for trial in trials.filter({ $0.run == task }) + trials where !trial.state.isSettled {
      guard let run = farm.run(trial.run), let attempt = try runner.start(run) else { continue }
      try train(trial.run, attempt, stopsBefore, progress)
      return true
    }
    return false
  }

  private func train(
    _ name: String,
    _ attempt: TrialRunner.Attempt,
    _ stopsBefore: Int,
    _ progress: (Event) throws -> Void
  ) throws {
    try progress(.training(name, attempt.report))
    var (epochs, isPaused) = (0, false)
    do {
      while true {
        let outcome = try attempt.wait(seconds: Self.poll)
        if case .finished? = outcome { return try progress(.settled(name, attempt.report)) }
        if outcome != nil { return }
        if attempt.report.epochs.count > epochs {
          epochs = attempt.report.epochs.count
          try progress(.training(name, attempt.report))
        }
        guard farm.isJoint else {
          if stops() { attempt.stop() }
          continue
        }
        let lead = try farm.lead()
        if stops() || lead.stops > stopsBefore || lead.stopped.contains(name) { attempt.stop() }
        if lead.isPaused != isPaused {
          isPaused = lead.isPaused
          try attempt.reader.request(isPaused ? .pause : .resume)
        }
      }
    } catch let error as UserError where error.code == .busy {
      try progress(.lost(name))
    } catch let error as UserError where attempt.report.fault == error.description {
      try progress(.settled(name, attempt.report))
    }
  }
}
