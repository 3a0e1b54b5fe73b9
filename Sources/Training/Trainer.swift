import Data
import Dispatch
import Foundation
import Ranks
import Runs
import Synchronization

/// What a run does, from where it was left to its end; confined to the trainer's queue.
package protocol RunSession: AnyObject {
  /// Works to the end of the run, or until somebody asks to stop; returns nil then.
  func train() throws -> RunResult?
}

/// Trains a run on a queue of its own; whoever wants to see or steer it does so through the run.
///
/// The engine's objects are made inside the queue's closure and never leave it, so nothing here
/// needs a lock but the outcome.
package final class Trainer: Sendable {
  /// How a training ended.
  package enum Outcome: Sendable, Equatable {
    case finished(RunResult)
    /// Asked to; a checkpoint is written and `resume` continues.
    case stopped
    /// The message is in the run's status too.
    case failed(UserError)
  }

  /// Builds what a run does on the trainer's queue.
  package typealias MakeSession = @Sendable (RunSettings, Preparation) throws -> any RunSession

  /// What building a session may need.
  package struct Preparation {
    /// Where the run is kept.
    package let folder: RunFolder
    /// The run's records.
    package let store: RunStore
    /// Its images.
    package let data: Dataset
    /// Whether the run begins; what was logged then need not be again.
    package let isNew: Bool
    /// The processes that train the run together; nil for this one alone.
    package let ranks: Ranks?
    /// Shows what is going on and the share that is done, 0…1; throws where somebody asked to stop.
    package let report: (_ message: String, _ share: Double) throws -> Void
    /// Adds a line to the run's log.
    package let log: (_ level: LogRecord.Level, _ text: String) throws -> Void
    fileprivate let checkpoint: Checkpoint?

    /// A session that trains `task`, from the run's newest checkpoint on.
    package func session(_ task: any TrainingTask) throws -> any RunSession {
      let session = try TrainingSession(
        folder: folder,
        store: store,
        task: task,
        ranks: ranks
      )
      try store.setChoices(task.choices, prices: task.choicePrices)
      if let checkpoint {
        try session.restore(checkpoint)
        try store.log(.info, "resumed at step \(session.step)")
      }
      session.replay = try store.acceptedInterventions(
        from: session.step,
        after: session.lastIntervention
      )
      return session
    }
  }

  /// Global steps that the run had done when this trainer took it over.
  package let firstStep: Int

  private let folder: RunFolder
  private let acceptsChangedData: Bool
  private let ranks: Ranks?
  private let makeSession: MakeSession
  /// What a run that is not finished needs; nil for a finished one.
  private let work: Work?
  private let queue = DispatchQueue(label: "supertop.trainer", qos: .userInitiated)
  private let ended = DispatchGroup()
  private let outcome = Mutex<Outcome?>(nil)

  private struct Work: Sendable {
    /// Held for as long as the trainer lives.
    var lock: TrainerLock
    var store: RunStore
    var checkpoint: Checkpoint?
  }

  /// Takes the run over: rewinds its records to the newest good checkpoint (spec S120).
  ///
  /// A finished run is left as it is, and its outcome is there at once. With `acceptsChangedData`
  /// it continues with other data than it began with; `ranks` train it together; `waits` as of
  /// `RunFolder.lock`. Errors: `.busy` when another process trains on it, `.cannotCreate` when it
  /// cannot be written, `.data` when it is damaged.
  package init(
    folder: RunFolder,
    acceptsChangedData: Bool = false,
    ranks: Ranks? = nil,
    waits: Bool = true,
    makeSession: @escaping MakeSession
  ) throws {
    self.folder = folder
    self.ranks = ranks
    self.acceptsChangedData = acceptsChangedData
    self.makeSession = makeSession
    // Without the lock, which a finished run needs no more, unless machines share the run; and with
    // it, for another process may have finished the run meanwhile.
    var found = folder.isShared ? nil : try Trainer.result(of: folder)
    let lock = try found == nil ? folder.lock(waits: waits) : nil
    if found == nil { found = try Trainer.result(of: folder) }
    guard let lock, found == nil else {
      work = nil
      firstStep = found?.steps ?? 0
      outcome.withLock { [found] in $0 = found.map { .finished($0) } }
      return
    }
    let store = try folder.store(under: lock)
    let latest = try folder.latestCheckpoint { try? store.log(.warning, $0) }
    firstStep = latest?.step ?? 0
    try store.beginSession(step: firstStep)
    try store.setStatus(Trainer.preparing("starting"))
    work = Work(lock: lock, store: store, checkpoint: latest?.checkpoint)
  }

  /// Starts training and returns at once.
  package func start() {
    guard let work else { return }
    // Of the group, and not left by the closure itself: the closure holds the lock of the run no
    // more when the end is known, and whoever hears of the end may end the process.
    queue.async(group: ended) { [self] in
      let end = train(work)
      outcome.withLock { $0 = end }
    }
  }

  /// Waits up to `seconds` for the end; nil if it has not come yet.
  package func wait(seconds: Double) -> Outcome? {
    guard ended.wait(timeout: .now() + seconds) == .success else { return nil }
    return outcome.withLock { $0 }
  }

  private static func result(of folder: RunFolder) throws -> RunResult? {
    guard let json = try folder.reader().result() else { return nil }
    var result = try RunResult(json: json)
    result.run = folder.absolutePath
    return result
  }

  // MARK: On the queue

  /// Leaves a long preparation because somebody asked to stop.
  private struct Interrupted: Error {}

  private func train(_ work: Work) -> Outcome {
    do {
      let result = try prepare(work).train()
      ranks?.ends()
      guard let result else { return .stopped }
      return .finished(result)
    } catch is Interrupted {
      end(work.store, .stopped, "stopped before the first step")
      return .stopped
    } catch {
      var fault = UserError(wrapping: error, at: folder.path)
      // A successor tidies up: what fails then is no fault of the disk.
      do { try work.store.confirm() } catch { fault = UserError(wrapping: error) }
      // Numbers that are not finite end all ranks at the same step; other faults are of one alone.
      if fault.code == .configuration { ranks?.ends() }
      try? work.store.log(.error, fault.description)
      end(work.store, .failed, fault.description)
      return .failed(fault)
    }
  }

  /// Builds what the run does, on all ranks where there are several.
  private func prepare(_ work: Work) throws -> any RunSession {
    guard let ranks else { return try build(work).session }
    let built: (session: any RunSession, data: DataFingerprint)
    do {
      built = try build(work)
      if ranks.isLead { try ranks.share(folder, work.store, step: firstStep) }
    } catch {
      // What the lead has to say is said before it shares anything.
      if !ranks.isLead { try ranks.agree(failing: UserError(wrapping: error)) }
      throw error
    }
    try ranks.agree(on: built.data)
    ranks.begins()
    return built.session
  }

  private func build(_ work: Work) throws -> (session: any RunSession, data: DataFingerprint) {
    let store = work.store
    var last = Date.distantPast
    let report: (String, Double) throws -> Void = { message, share in
      // Ten times a second is enough for an eye.
      guard Date().timeIntervalSince(last) > 0.1 else { return }
      last = Date()
      try store.setStatus(Trainer.preparing(message, progress: share))
      if try self.stopRequested(store) { throw Interrupted() }
    }
    let settings = try folder.settings()
    let data = try Dataset.load(settings.data) { try report($1, $0) }
    for warning in data.warnings { try store.log(.warning, warning) }
    // The others' records are the lead's, with which their data is compared.
    if ranks?.isLead ?? true {
      try store.check(data, source: settings.data.source, accepts: acceptsChangedData)
    }
    try store.setStatus(Trainer.preparing("building the network", progress: 1))
    let session = try makeSession(
      settings,
      Preparation(
        folder: folder,
        store: store,
        data: data,
        isNew: firstStep == 0,
        ranks: ranks,
        report: report,
        log: { try store.log($0, $1) },
        checkpoint: work.checkpoint
      )
    )
    return (session, data.fingerprint)
  }

  private func stopRequested(_ store: RunStore) throws -> Bool {
    guard let stop = try store.pendingInterventions().first(where: { $0.action == .stop }) else {
      return false
    }
    try store.accept(stop.id, step: firstStep)
    try store.finish(stop.id)
    return true
  }

  /// Writes the last status; an error here could not be reported anywhere, so none is thrown.
  private func end(_ store: RunStore, _ state: RunStatus.State, _ message: String) {
    var status = (try? store.reader.status()) ?? RunStatus()
    status.state = state
    status.message = message
    status.heartbeat = Date().timeIntervalSince1970
    try? store.setStatus(status)
  }

  private static func preparing(_ message: String, progress: Double = 0) -> RunStatus {
    var status = RunStatus(state: .preparing, message: message)
    status.progress = progress
    status.processIdentifier = ProcessInfo.processInfo.processIdentifier
    status.heartbeat = Date().timeIntervalSince1970
    status.memoryBytes = residentMemory()
    return status
  }
}
