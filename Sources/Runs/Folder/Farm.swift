import Foundation

/// The trials of a run that processes of several machines train (`supertop farm`).
///
/// All of it is in files that are written whole, so every machine may read it at any time.
package struct Farm: Sendable {
  /// A trial as its files show it.
  package struct Trial: Codable, Sendable, Equatable {
    /// Its place in the farm, from 0: what a scheduler calls the index of a task.
    package var index: Int
    /// Its run, seen from the folder of the search.
    package var run: String
    /// How far it has come.
    package var state: TrialRecord.State
    /// Epochs that are done.
    package var epochs: Int
    /// Accuracy on its validation images after the last of them, 0…1; nil before the first.
    package var accuracy: Double?
    /// Why it failed; nil where it did not.
    package var message: String?
    /// Machine that is at it; nil for none.
    package var host: String?
    /// Process there.
    package var process: Int32?

    enum CodingKeys: String, CodingKey {
      case index, run, state, epochs, message, host, process
      case accuracy = "val_accuracy"
    }
  }

  /// What the process that leads a joint search tells the others.
  package struct Lead: Codable, Sendable, Equatable {
    /// Whether people have paused the search.
    package var isPaused = false
    /// How often people have stopped it.
    package var stops = 0
    /// Whether it has come to its end.
    package var isFinished = false
    /// Candidates that people stopped, by their runs.
    package var stopped: [String] = []

    package init() {}

    enum CodingKeys: String, CodingKey {
      case stops, stopped
      case isPaused = "paused"
      case isFinished = "finished"
    }
  }

  private struct Plan: Codable {
    var trials: [String]
    var isJoint: Bool

    enum CodingKeys: String, CodingKey {
      case trials
      case isJoint = "joint"
    }
  }

  /// The search.
  package let folder: RunFolder
  /// What its workers agree on.
  package let sharing: Sharing
  /// Whether a joint search picks the trials while they are trained.
  package let isJoint: Bool
  /// Runs of the trials, by index; one of a joint search is made when it is picked.
  private let planned: [String]

  /// The farm of a run.
  ///
  /// Errors: `.usage` for a run without one, `.data` for damaged files.
  package init(_ folder: RunFolder) throws {
    let path = Self.planPath(folder)
    guard pathExists(path), let sharing = try folder.sharing() else {
      throw UserError(
        .usage,
        folder.path,
        "is not prepared for several machines",
        remedy: "give supertop farm init \(folder.path) once, where the run is on a file system "
          + "that all of them share"
      )
    }
    let plan: Plan = try readRecord(path)
    self.folder = folder
    self.sharing = sharing
    isJoint = plan.isJoint
    planned = plan.trials
  }

  /// Prepares a run: its lock and those of its trials hold between machines from now on.
  ///
  /// `trials` are runs, seen from `folder`; those that exist are prepared too. Errors: those of
  /// files that cannot be written.
  package static func make(
    _ folder: RunFolder,
    trials: [String],
    isJoint: Bool,
    sharing: Sharing
  ) throws {
    for trial in trials where pathExists(folder.path + "/" + trial) {
      try RunFolder(path: folder.path + "/" + trial).share(sharing)
    }
    try folder.share(sharing)
    try writeRecord(Plan(trials: trials, isJoint: isJoint), to: planPath(folder))
  }

  private static func planPath(_ folder: RunFolder) -> String { folder.path + "/farm.json" }

  /// Number of trials that are known, or foreseen.
  package var count: Int { runs.count }

  /// The runs of the trials by index, those that people added behind those that were foreseen.
  package var runs: [String] {
    guard isJoint else { return planned }
    let known = Set(planned)
    let added = (names(in: folder.path + "/trials") ?? []).filter(Farm.isTrial)
      .map { "trials/" + $0 }.filter { !known.contains($0) }
    return planned
      + added.sorted { ($0.utf8.count, $0) < ($1.utf8.count, $1) }
  }

  /// Whether a name is that of a trial, not of a draft.
  private static func isTrial(_ name: String) -> Bool {
    name.hasPrefix("candidate-") && !name.contains(".")
  }

  /// A trial's run; nil before it is picked.
  package func run(_ name: String) -> RunFolder? {
    let path = folder.path + "/" + name
    return pathExists(path + "/config.yaml") ? RunFolder(path: path) : nil
  }

  /// What the lead says; nothing where none has been.
  package func lead() throws -> Lead {
    pathExists(leadPath) ? try readRecord(leadPath) : Lead()
  }

  /// Keeps what the lead says, in place of what was; for the holder of the run's lock.
  package func write(lead: Lead) throws { try writeRecord(lead, to: leadPath) }

  private var leadPath: String { folder.path + "/lead.json" }

  /// The trials as their files show them now.
  package func trials() throws -> [Trial] {
    let stopped = Set(try lead().stopped)
    return try runs.enumerated().map { try trial($1, index: $0, stopped: stopped) }
  }

  private func trial(_ name: String, index: Int, stopped: Set<String>) throws -> Trial {
    var trial = Trial(index: index, run: name, state: .waiting, epochs: 0)
    guard let run = run(name) else { return trial }
    let report = try run.report()
    trial.epochs = report.epochs.count
    trial.accuracy = report.epochs.last?.validationAccuracy
    trial.message = report.fault
    if report.isSettled {
      trial.state = report.fault == nil ? .finished : .failed
    } else if stopped.contains(name) {
      trial.state = .stopped
    } else if let holder = run.worker() {
      trial.state = .running
      (trial.host, trial.process) = (holder.host, holder.process)
    }
    return trial
  }
}

extension RunFolder {
  /// Who trains on a run that machines share; nil when nobody does, as far as this machine knows.
  package func worker() -> (host: String, process: Int32)? {
    guard let holder = TrainerLock.leaseholder(in: path) else { return nil }
    // Of this machine the kernel knows better.
    if holder.machine == Machine.identity, trainer() == nil { return nil }
    return (holder.host, holder.process)
  }
}

extension [Int] {
  /// Ascending numbers as schedulers take them: `0,3-7`.
  package var ranges: String {
    var parts: [ClosedRange<Int>] = []
    for number in self {
      if let last = parts.last, last.upperBound == number - 1 {
        parts[parts.count - 1] = last.lowerBound...number
      } else {
        parts.append(number...number)
      }
    }
    return parts.map {
      $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)"
    }.joined(separator: ",")
  }
}
