import Foundation
import Runs

extension TrainingSession {
  /// Brings the status up to date; its state and message are the caller's.
  func updateStatus() {
    if status.state != .validating { status.progress = 0 }
    if status.state == .running || status.state == .paused { status.message = "" }
    status.epoch = min(epoch, plan.epochs - 1)
    status.epochs = plan.epochs
    status.step = step
    status.totalSteps = plan.totalSteps
    status.stepInEpoch = epoch < plan.epochs ? position : plan.steps(in: plan.epochs - 1)
    status.stepsPerEpoch = plan.steps(in: status.epoch)
    status.phase = plan.phase(at: position)
    status.temperature = temperature
    status.temperatureHeld = steering.heldTemperature != nil
    let course = steering.course
    status.pinned = course.pins.isEmpty ? nil : course.pins.map(\.choice)
    status.bannedOptions = course.bans.isEmpty ? nil : course.bans.count
    status.imagesPerSecond = pace.imagesPerSecond
    let left = plan.remaining(epoch: epoch, position: position)
    status.etaSeconds = pace.remaining(
      weights: left.weights,
      theta: left.theta,
      validations: max(0, plan.epochs - epoch)
    )
    status.memoryBytes = residentMemory()
    status.operations = profile.operations
    status.processIdentifier = ProcessInfo.processInfo.processIdentifier
    status.heartbeat = Date().timeIntervalSince1970
  }
}
