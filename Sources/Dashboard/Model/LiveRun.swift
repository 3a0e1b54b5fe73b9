import Foundation
import Runs

/// The run of a folder, as its store shows it: live or finished, of this process or another
/// (spec S80, S86).
package final class LiveRun: RunSource {
  private let folder: RunFolder
  private let reader: RunReader
  private let summary: RunSummary
  private var session: Int?
  private var hasChoices = false
  private var polls = 0
  private var lastStep = -1
  private var lastTheta = -1
  private var lastEpoch = -1
  private var lastLog: Int64 = 0
  /// All interventions up to this one are settled.
  private var settled: Int64 = 0
  private var reported: [Int64: Intervention.State] = [:]
  private var lastStatus: RunStatus?
  private var trials = TrialChanges()
  private var joint: JointProgress?
  private var derived: [DerivedRecord] = []
  /// Nil for a viewer that never steers, such as a picture.
  private let claim: SteeringClaim?
  private var steering = Steering.granted
  private var sign = SignOfLife()
  private var nextLook = 0.0
  private var isTrainerThere = false

  /// Rows of one poll, so that a long run is read without the screen standing still.
  private static let limit = 4000

  /// Opens the run's store for reading; throws a `UserError` when it cannot be read.
  ///
  /// With a `claim` it asks for the right to steer as soon as there is a trainer.
  package init(folder: RunFolder, claim: SteeringClaim? = nil) throws {
    self.folder = folder
    self.claim = claim
    reader = try folder.reader()
    summary = RunSummary(name: folder.name, settings: try folder.settings())
  }

  /// What is new in the store; throws a `UserError` when it cannot be read.
  package func poll() throws -> RunDelta {
    var delta = RunDelta()
    let session = try reader.session()
    if session != self.session {
      // A resumed run takes back steps: everything is read again.
      self.session = session
      delta.startsAnew = true
      delta.summary = summary
      (lastStep, lastTheta, lastEpoch, hasChoices) = (-1, -1, -1, false)
      (trials, joint, settled, reported) = (TrialChanges(), nil, 0, [:])
    }
    if !hasChoices {
      let choices = try reader.choices()
      hasChoices = !choices.isEmpty
      if hasChoices { delta.choices = choices }
    }
    delta.steps = try reader.steps(after: lastStep, limit: Self.limit)
    lastStep = delta.steps.last?.step ?? lastStep
    delta.thetas = try reader.thetas(after: lastTheta, limit: Self.limit / 8)
    lastTheta = delta.thetas.last?.step ?? lastTheta
    delta.hasMore = delta.steps.count == Self.limit || delta.thetas.count == Self.limit / 8
    delta.epochs = try reader.epochs(after: lastEpoch)
    lastEpoch = delta.epochs.last?.epoch ?? lastEpoch
    // What an option adds moves with the other choices, from epoch to epoch.
    if delta.choices != nil || hasChoices && !delta.epochs.isEmpty {
      delta.prices = try reader.prices()
    }
    if summary.kind == .joint { try takeTrials(&delta) }
    // The status after the rows: a run that says it is finished has written all of them.
    let status = try reader.status()
    if status != lastStatus { delta.status = status }
    lastStatus = status
    if delta.status?.state == .finished {
      delta.result = try reader.result().map { try RunResult(json: $0) }
    }
    delta.log = try reader.log(after: lastLog, limit: 200)
    lastLog = delta.log.last?.id ?? lastLog
    delta.interventions = try changedInterventions()
    if summary.kind.hasChoices, polls % 10 == 0 {
      let derived = try reader.derived()
      if derived != self.derived { delta.derived = derived }
      self.derived = derived
    }
    // Asking who holds the lock costs a system call or two; once a second is enough.
    if polls % 10 == 0 {
      isTrainerThere = folder.trainer() != nil
      if status != nil { delta.trainerAlive = isTrainerThere }
      delta.freeBytes = freeSpace(folder.path)
    }
    look(&delta)
    polls += 1
    return delta
  }

  /// Who steers, and when the trainer last gave a sign of life: a few times a second.
  private func look(_ delta: inout RunDelta) {
    let now = Date().timeIntervalSince1970
    guard now >= nextLook || nextLook > now + 1 else { return }
    nextLook = now + 0.25
    if isTrainerThere, let last = folder.lastSign() {
      delta.lastSign = sign.noted(last, now: now)
    }
    // What nobody trains on cannot be steered, and a finished run's folder is left as it is.
    guard let claim, isTrainerThere else { return }
    let steering = claim.look()
    if steering != self.steering { delta.steering = steering }
    self.steering = steering
  }

  private func takeTrials(_ delta: inout RunDelta) throws {
    delta.trials = try trials.next(reader).map(\.now)
    let joint = try reader.jointProgress()
    if joint != self.joint { delta.joint = joint }
    self.joint = joint
  }

  /// The run's folder.
  package var path: String { folder.path }

  /// Records a command in the store for the trainer.
  package func request(_ action: Intervention.Action) throws { _ = try reader.request(action) }

  /// What the run had come to when `step` steps were done.
  package func moment(step: Int) throws -> RunMoment { try reader.moment(step: step) }

  /// Writes the run's `exports/copied.txt`; throws a `UserError` when it cannot be written.
  package func keep(_ text: String) throws -> String? {
    let path = folder.exportsPath + "/copied.txt"
    try writeWhole(text + "\n", to: path)
    return path
  }

  /// Those that are new or have moved on.
  private func changedInterventions() throws -> [Intervention] {
    let rows = try reader.interventions(after: settled)
    var changed: [Intervention] = []
    for row in rows {
      if reported[row.id] != row.state { changed.append(row) }
      reported[row.id] = row.state
    }
    while let first = reported.min(by: { $0.key < $1.key }),
      first.value == .done || first.value == .refused
    {
      settled = first.key
      reported[first.key] = nil
    }
    return changed
  }
}

/// When a sign of life was seen, by the watcher's clock.
///
/// The time of a file is that of its file system, whose clock need not be ours: only that it moves
/// is trusted, but for the first look.
private struct SignOfLife {
  private var last = 0.0
  private var seen = 0.0

  mutating func noted(_ time: Double, now: Double) -> Double {
    if time != last {
      seen = last == 0 ? min(time, now) : now
      last = time
    }
    return seen
  }
}
