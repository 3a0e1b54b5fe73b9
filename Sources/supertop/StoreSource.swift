import Dashboard
import Runs

/// Feeds the dashboard from a run's store: in this process, in another, or of a run that is over.
final class StoreSource: RunSource {
  private let folder: RunFolder
  private let reader: RunReader
  private var session = -1
  private var hasSummary = false
  private var choices: [Choice] = []
  private var lastStep = -1
  private var lastTheta = -1
  private var lastEpoch = -1
  private var lastLog: Int64 = 0
  /// Interventions before this one are settled and told.
  private var settled: Int64 = 0
  private var open: [Int64: Intervention] = [:]

  init(_ folder: RunFolder) throws {
    self.folder = folder
    reader = try folder.reader()
  }

  func poll() throws -> RunDelta {
    var delta = RunDelta()
    if !hasSummary {
      delta.summary = RunSummary(name: folder.name, configuration: try folder.configuration())
      hasSummary = true
    }
    // A trainer that took the run over may have taken back steps: everything is told anew.
    let present = try reader.session()
    if present != session {
      session = present
      (lastStep, lastTheta, lastEpoch) = (-1, -1, -1)
    }
    let found = try reader.choices()
    if found != choices {
      choices = found
      delta.choices = found
    }
    // Asked before the status: a trainer that ended in between has written its last word by then.
    delta.trainerAlive = folder.trainer() != nil
    delta.status = try reader.status()
    delta.steps = try reader.steps(after: lastStep)
    lastStep = delta.steps.last?.step ?? lastStep
    delta.thetas = try reader.thetas(after: lastTheta)
    lastTheta = delta.thetas.last?.step ?? lastTheta
    delta.epochs = try reader.epochs(after: lastEpoch)
    lastEpoch = delta.epochs.last?.epoch ?? lastEpoch
    delta.log = try reader.log(after: lastLog)
    lastLog = delta.log.last?.id ?? lastLog
    delta.interventions = try changedInterventions()
    return delta
  }

  func request(_ action: Intervention.Action) throws {
    try reader.request(action)
  }

  /// New interventions, and known ones that have got on.
  private func changedInterventions() throws -> [Intervention] {
    let recent = try reader.interventions(after: settled)
    let changed = recent.filter { open[$0.id] != $0 }
    open = Dictionary(uniqueKeysWithValues: recent.map { ($0.id, $0) })
    let waiting = recent.first { $0.state == .requested || $0.state == .accepted }
    settled = (waiting?.id).map { $0 - 1 } ?? recent.last?.id ?? settled
    return changed
  }
}
