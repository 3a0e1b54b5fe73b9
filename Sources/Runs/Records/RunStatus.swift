/// What an operation takes of a training step.
package struct OperationTime: Codable, Sendable, Equatable {
  /// Such as `depthwise 3x3`, forward and backward together; `other` for what is none.
  package var operation: String
  /// Share of the time, 0…1.
  package var share: Double

  package init(operation: String, share: Double) {
    self.operation = operation
    self.share = share
  }
}

/// What the trainer is doing, rewritten at every step; the one mutable row of a run.
package struct RunStatus: Codable, Sendable, Equatable {
  /// What a trainer can be at.
  package enum State: String, Codable, Sendable {
    /// Loading or decoding data, or building the supernet; `message` says which, `progress` how
    /// far.
    case preparing
    case running, paused
    /// Evaluating at the end of an epoch.
    case validating
    /// Stopped on request or by a signal, with a checkpoint: `supertop resume` continues.
    case stopped
    case finished
    /// Ended by an error; `message` says it in one line.
    case failed
  }

  /// What the trainer is at.
  package var state: State
  /// More on the state, one line; may be empty.
  package var message: String
  /// 0…1 while `preparing` or `validating`.
  package var progress: Double
  /// Epoch under way, counted from 0, of `epochs`.
  package var epoch: Int
  /// Epochs of the whole run.
  package var epochs: Int
  /// Global steps done, of `totalSteps`.
  package var step: Int
  /// Steps of the whole run, both phases.
  package var totalSteps: Int
  /// Steps done in this epoch (both phases), of `stepsPerEpoch`.
  package var stepInEpoch: Int
  /// Steps of this epoch, both phases.
  package var stepsPerEpoch: Int
  /// Which parameters the present step trains.
  package var phase: Phase
  /// τ now.
  package var temperature: Double
  /// Whether a person holds the temperature by hand (spec S10).
  package var temperatureHeld: Bool
  /// Choices that people pinned to one option, by their indices; nil for none.
  package var pinned: [Int]?
  /// Options out of the search beside those of pinned choices; nil for none.
  package var bannedOptions: Int?
  /// Smoothed throughput, 0 until known.
  package var imagesPerSecond: Double
  /// Seconds to the end of the run, nil until known.
  package var etaSeconds: Double?
  /// Resident memory of the training process.
  package var memoryBytes: Int
  /// What the time of a training step goes into, the longest first; nil until looked at.
  package var operations: [OperationTime]?
  /// Process of the trainer.
  package var processIdentifier: Int32
  /// Seconds since 1970 at which this row was written; old while `running` means a dead trainer.
  package var heartbeat: Double

  package init(state: State = .preparing, message: String = "") {
    self.state = state
    self.message = message
    progress = 0
    epoch = 0
    epochs = 0
    step = 0
    totalSteps = 0
    stepInEpoch = 0
    stepsPerEpoch = 0
    phase = .weights
    temperature = 0
    temperatureHeld = false
    imagesPerSecond = 0
    etaSeconds = nil
    memoryBytes = 0
    processIdentifier = 0
    heartbeat = 0
  }
}
