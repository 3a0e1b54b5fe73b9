import Foundation
import Networks
import Runs
import Synchronization

/// Trains candidates, each as a run in a common folder.
///
/// Safe to use from several processes at once, and to repeat: the lock of a trial's run is the
/// claim to it, which the system takes back from a process that ends in any way; the run's
/// checkpoints are where whoever claims it next continues; and its result is absent or whole. A
/// report beside its store tells the others how far it is.
package struct TrialRunner: Sendable {
  /// How an attempt to train a trial ended.
  package enum Outcome: Sendable, Equatable {
    case finished(TrainingResult)
    /// Asked to; the trial's checkpoint is where the next attempt continues.
    case stopped
    /// Another process is training it.
    case claimed
  }

  /// Folder of the trials' runs.
  package let path: String
  private let acceptsChangedData: Bool
  /// What the workers of several machines agree on; nil where there is one machine.
  private let sharing: Sharing?
  /// Threads of a training; nil for as many as its settings say.
  private let threads: Int?

  /// Seconds between two looks at a trial that is being trained.
  private static let poll = 0.2

  /// - Parameters:
  ///   - path: folder of the runs; it is made with the first of them.
  ///   - acceptsChangedData: whether a trial continues with other data than it began with.
  ///   - sharing: what the workers of several machines agree on; nil where there is one machine.
  ///   - threads: of a training, which change no bit of it; nil for as many as its settings say.
  package init(
    path: String,
    acceptsChangedData: Bool = false,
    sharing: Sharing? = nil,
    threads: Int? = nil
  ) {
    self.path = path
    self.acceptsChangedData = acceptsChangedData
    self.sharing = sharing
    self.threads = threads
  }

  /// Trains all trials, in their order but for those that other processes have claimed; returns
  /// when each has a result, or somebody asked to stop.
  ///
  /// A trial whose process died is taken over.
  ///
  /// - Parameters:
  ///   - trials: what is to be trained.
  ///   - stops: true asks for a checkpoint and the end.
  ///   - progress: receives the index of a trial and how far it is, several times a second, and
  ///     once more with its result.
  /// - Returns: the results in the order of the trials; nil if asked to stop.
  /// - Throws: the error of the first trial that fails.
  package func run(
    _ trials: [Trial],
    stops: () -> Bool = { false },
    progress: (Int, Trial.Progress) throws -> Void = { _, _ in }
  ) throws -> [TrainingResult]? {
    var results = [TrainingResult?](repeating: nil, count: trials.count)
    while results.contains(nil) {
      var isWaiting = true
      for index in trials.indices where results[index] == nil {
        let outcome = try run(trials[index], stops: stops) { try progress(index, $0) }
        switch outcome {
        case .finished(let result):
          results[index] = result
          isWaiting = false
        case .stopped: return nil
        case .claimed: break
        }
      }
      if isWaiting, results.contains(nil) {
        if stops() { return nil }
        Thread.sleep(forTimeInterval: TrialRunner.poll)
      }
    }
    return results.compactMap(\.self)
  }

  /// Trains one trial to its end, if no other process is at it.
  ///
  /// - Throws: the error of a training that fails.
  package func run(
    _ trial: Trial,
    stops: () -> Bool = { false },
    progress: (Trial.Progress) throws -> Void = { _ in }
  ) throws -> Outcome {
    let run = try folder(of: trial)
    guard let attempt = try start(run) else {
      try progress(Trial.Progress(of: trial, run, run.report()))
      return .claimed
    }
    while true {
      let outcome = try attempt.wait(seconds: TrialRunner.poll)
      try progress(Trial.Progress(of: trial, run, attempt.report))
      if let outcome { return outcome }
      if stops() { attempt.stop() }
    }
  }

  /// A training that this process has claimed and started.
  package final class Attempt: Sendable {
    /// The trial's run.
    package let run: RunFolder
    /// What it records, over one connection for its whole time.
    package let reader: RunReader
    private let trainer: Trainer
    private let request: StopRequest
    private let state: Mutex<TrialReport>

    fileprivate init(_ run: RunFolder, _ trainer: Trainer) throws {
      self.run = run
      self.trainer = trainer
      reader = try run.reader()
      request = StopRequest(reader)
      // The store alone is taken back where the training continues from a checkpoint.
      state = Mutex(TrialReport())
      trainer.start()
    }

    /// How far it was when it was last waited for.
    package var report: TrialReport { state.withLock(\.self) }

    /// Asks for a checkpoint and the end.
    package func stop() { request.ask() }

    /// Waits up to `seconds` for the end, and reports how far it is; nil if the end has not come.
    ///
    /// Throws the error of a training that failed.
    package func wait(seconds: Double) throws -> Outcome? {
      let end = trainer.wait(seconds: seconds)
      try update(end)
      return switch end {
      case nil: nil
      case .finished(.training(let result)): .finished(result)
      case .failed(let error): throw error
      case .stopped, .finished: .stopped
      }
    }

    private func update(_ end: Trainer.Outcome?) throws {
      var report = report
      report.epochs += try reader.epochs(after: report.epochs.last?.epoch ?? -1)
      switch end {
      case .finished(.training(let result)): report.result = result
      // Any other may be of this machine or its moment, and the next attempt may go well.
      case .failed(let error) where error.code == .configuration:
        report.fault = error.description
      default: break
      }
      guard report != self.report else { return }
      state.withLock { [report] in $0 = report }
      try run.write(report: report)
    }
  }

  /// Starts to train a trial, or to continue; nil if another process is at it.
  package func start(_ trial: Trial) throws -> Attempt? { try start(folder(of: trial)) }

  /// Starts to train the trial in `run`, or to continue; nil if another process is at it.
  package func start(_ run: RunFolder) throws -> Attempt? {
    // Sooner known than by trying to lock it.
    guard run.trainer() == nil else { return nil }
    do {
      let trainer = try Trainer(
        folder: run,
        acceptsChangedData: acceptsChangedData,
        waits: false,
        makeSession: NetworkTask.make(threads: threads)
      )
      return try Attempt(run, trainer)
    } catch let error as UserError where error.code == .busy {
      return nil
    }
  }

  /// The run of a trial: the one that trains it by these settings, or a new one.
  ///
  /// A name that is taken by other settings gets a number.
  package func folder(of trial: Trial) throws -> RunFolder {
    let settings = RunSettings.training(trial.settings)
    for number in 1... {
      let place = path + "/" + trial.name + (number > 1 ? "-\(number)" : "")
      if !pathExists(place) {
        try make(trial, at: place)
      }
      let run = try RunFolder.open(path: place)
      if try run.settings() == settings { return run }
    }
    preconditionFailure("out of numbers")
  }

  /// Makes a trial's run next to its place and moves it there, so that nobody sees half of one;
  /// where another process was faster, its run stays.
  private func make(_ trial: Trial, at place: String) throws {
    let draft = place + ".new-\(UUID().uuidString)"
    let run = try RunFolder.create(
      at: draft,
      settings: .training(trial.settings),
      network: Data(NetworkFile.json(trial.network).utf8),
      start: trial.start
    )
    if let data = trial.data { try run.store().record(data: data) }
    if let sharing { try run.share(sharing) }
    guard rename(draft, place) != 0 else { return }
    let fault = errno
    removeAll(draft)
    guard fault == EEXIST || fault == ENOTEMPTY else {
      throw UserError(
        .cannotCreate,
        place,
        "the folder cannot be made, \(systemMessage(fault))",
        remedy: "check the folder's permissions"
      )
    }
  }
}
