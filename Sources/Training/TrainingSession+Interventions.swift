import Foundation
import Runs

extension TrainingSession {
  /// How long a paused trainer sleeps between two looks at the store, seconds.
  private static let pausedPoll = 0.025
  /// How often a paused trainer writes its status, seconds.
  private static let pausedHeartbeat = 0.5

  /// Takes up what was asked since the last step; waits here while paused.
  ///
  /// Returns whether somebody asked to stop.
  func takeUpInterventions() throws -> Bool {
    try repeatInterventions()
    var beat = Date.distantPast
    while true {
      if try takeUpRequests() { return true }
      if steering.mayStep { break }
      if Date().timeIntervalSince(beat) >= TrainingSession.pausedHeartbeat {
        beat = Date()
        status.state = .paused
        updateStatus()
        try store.setStatus(status)
      }
      Thread.sleep(forTimeInterval: TrainingSession.pausedPoll)
    }
    status.state = .running
    return false
  }

  /// Takes up requests between two batches of an evaluation; a pause holds there too.
  ///
  /// Returns whether somebody asked to stop.
  func takeUpInterventions(evaluating message: String, progress: Double) throws -> Bool {
    if try takeUpInterventions() { return true }
    status.state = .validating
    status.message = message
    status.progress = progress
    updateStatus()
    try store.setStatus(status)
    return false
  }

  private func takeUpRequests() throws -> Bool {
    for request in try store.pendingInterventions() {
      if request.action.concernsCandidates {
        try store.refuse(request.id, note: "only a joint search has candidates")
        continue
      }
      if request.action.changesTraining, task.temperature(epoch: 0) == nil {
        try store.refuse(request.id, note: "a training has no temperature")
        continue
      }
      if request.action.changesTraining {
        try dropReplay()
        lastIntervention = request.id
      }
      try store.accept(request.id, step: step)
      let before = temperature
      if let reason = steering.apply(request.action, scheduled: scheduledTemperature) {
        try store.refuse(request.id, note: reason)
        continue
      }
      switch request.action {
      case .singleStep:
        openSteps.append(request.id)
      case .stop:
        openStops.append(request.id)
      case .checkpoint:
        try saveCheckpoint()
        try store.finish(request.id)
      case .pause, .resume:
        try store.finish(request.id)
      case .setTemperature, .scaleTemperature, .holdTemperature, .releaseTemperature:
        try store.finish(
          request.id,
          note: "\(Format.fixed(before, 3)) -> \(Format.fixed(temperature, 3))"
        )
      case .stopCandidate, .addCandidate, .setLimit, .startFineStage: break
      }
    }
    return !openStops.isEmpty
  }

  /// Notes that the oldest single step asked for is done, if any was.
  func finishSingleStep() throws {
    guard !openSteps.isEmpty else { return }
    try store.finish(openSteps.removeFirst())
  }

  /// Applies again what an earlier process had taken up before this step.
  private func repeatInterventions() throws {
    while let next = replay.first, let at = next.step, at <= step {
      replay.removeFirst()
      lastIntervention = next.id
      _ = steering.apply(next.action, scheduled: scheduledTemperature)
    }
  }

  /// A new request starts another course: what was still to be repeated will not come again.
  private func dropReplay() throws {
    for old in replay { try store.refuse(old.id, note: "overtaken by a new request") }
    replay = []
  }
}
