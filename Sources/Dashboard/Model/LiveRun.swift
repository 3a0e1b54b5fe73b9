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

  /// Rows of one poll, so that a long run is read without the screen standing still.
  private static let limit = 4000

  /// Opens the run's store for reading; throws a `UserError` when it cannot be read.
  package init(folder: RunFolder) throws {
    self.folder = folder
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
      (trials, joint) = (TrialChanges(), nil)
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
    // Asking who holds the lock costs a system call or two; once a second is enough.
    if polls % 10 == 0, status != nil { delta.trainerAlive = folder.trainer() != nil }
    polls += 1
    return delta
  }

  private func takeTrials(_ delta: inout RunDelta) throws {
    delta.trials = try trials.next(reader).map(\.now)
    let joint = try reader.jointProgress()
    if joint != self.joint { delta.joint = joint }
    self.joint = joint
  }

  /// Records a command in the store for the trainer.
  package func request(_ action: Intervention.Action) throws { _ = try reader.request(action) }

  /// Writes the run's `exports/copied.txt`; throws a `UserError` when it cannot be written.
  package func keep(_ text: String) throws -> String? {
    let path = folder.exportsPath + "/copied.txt"
    try writeWhole(text + "\n", to: path)
    return path
  }

  /// Those that are new or have moved on; what was settled before the first look is not news.
  private func changedInterventions() throws -> [Intervention] {
    let rows = try reader.interventions(after: settled, limit: 64)
    let isFirst = polls == 0
    var changed: [Intervention] = []
    for row in rows {
      let isSettled = row.state == .done || row.state == .refused
      if reported[row.id] != row.state, !(isFirst && isSettled) { changed.append(row) }
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
