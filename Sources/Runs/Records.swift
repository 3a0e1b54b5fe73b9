import Foundation

/// One searched decision: a layer's block in FBNetV1, later a width or a resolution.
///
/// The dashboard draws choices and knows nothing of the search that made them.
package struct Choice: Codable, Sendable, Equatable {
  /// Short name, unique in the run: `"layer 3"`.
  package var name: String
  /// Where it sits: `"16x16 24→32 s2"`.
  package var detail: String
  /// The candidates, in the order of the logits.
  package var options: [Option]

  /// One candidate of a choice, with its price.
  package struct Option: Codable, Sendable, Equatable {
    /// Candidate name, `"k3_e6"`.
    package var name: String
    /// Multiply-accumulates of one image.
    package var flops: Double
    /// Weights of convolutions and linear layers (no biases, no batch-norm).
    package var params: Double
    /// Milliseconds for one image; nil where no table was at hand.
    package var latency: Double?

    package init(name: String, flops: Double, params: Double, latency: Double? = nil) {
      self.name = name
      self.flops = flops
      self.params = params
      self.latency = latency
    }
  }

  package init(name: String, detail: String, options: [Option]) {
    self.name = name
    self.detail = detail
    self.options = options
  }
}

/// Which parameters a step trains (spec S9).
package enum Phase: String, Codable, Sendable, CaseIterable {
  case weights, theta
}

/// The figures of one training step.
package struct StepRecord: Codable, Sendable, Equatable {
  /// Steps done before this one, counted over the whole run and both phases.
  package var step: Int
  /// Epoch of the step, counted from 0.
  package var epoch: Int
  /// Which parameters moved.
  package var phase: Phase
  /// The loss that was minimised (spec S8).
  package var loss: Double
  /// The images' part of the loss, mean over the batch.
  package var crossEntropy: Double
  /// Share of the batch classified right, 0…1.
  package var accuracy: Double
  /// Expected cost of the supernet under this step's draw, in the metric of the config; FLOPs of the
  /// network in a training.
  package var cost: Double
  /// τ of the draw.
  package var temperature: Double
  /// Rate of the optimiser that stepped.
  package var learningRate: Double
  /// Wall time of the step, pauses excluded.
  package var seconds: Double
  /// Images of the batch.
  package var images: Int
  /// The learned weight of the cost after the step, in units of the budget; nil where it is fixed.
  package var multiplier: Double?

  package init(
    step: Int,
    epoch: Int,
    phase: Phase,
    loss: Double,
    crossEntropy: Double,
    accuracy: Double,
    cost: Double,
    temperature: Double,
    learningRate: Double,
    seconds: Double,
    images: Int,
    multiplier: Double? = nil
  ) {
    self.step = step
    self.epoch = epoch
    self.phase = phase
    self.loss = loss
    self.crossEntropy = crossEntropy
    self.accuracy = accuracy
    self.cost = cost
    self.temperature = temperature
    self.learningRate = learningRate
    self.seconds = seconds
    self.images = images
    self.multiplier = multiplier
  }
}

/// Architecture parameters after a θ step, with the two parts of their gradient kept apart (spec
/// S83).
package struct ThetaRecord: Sendable, Equatable {
  /// The θ step that left these, as in `StepRecord`.
  package var step: Int
  /// Fractional epoch at which the step ended.
  package var epoch: Double
  /// Logits, `[choice][option]`.
  package var logits: [[Float]]
  /// Part of ∂L/∂θ that comes through the images' loss, same shape.
  package var accuracyPull: [[Float]]
  /// Part of ∂L/∂θ that comes through the cost, same shape.
  package var costPull: [[Float]]
  /// The learned weight of the cost after the step (spec S8); nil where it is fixed.
  package var multiplier: Double?

  package init(
    step: Int,
    epoch: Double,
    logits: [[Float]],
    accuracyPull: [[Float]],
    costPull: [[Float]],
    multiplier: Double? = nil
  ) {
    self.step = step
    self.epoch = epoch
    self.logits = logits
    self.accuracyPull = accuracyPull
    self.costPull = costPull
    self.multiplier = multiplier
  }
}

/// What an epoch came to.
package struct EpochRecord: Codable, Sendable, Equatable {
  /// Counted from 0.
  package var epoch: Int
  /// Global steps done when the epoch ended.
  package var step: Int
  /// Mean loss of the weight steps.
  package var trainLoss: Double
  /// Share classified right in the weight steps, 0…1.
  package var trainAccuracy: Double
  /// Cross-entropy on the validation images of the supernet without noise, batch-norm recalibrated.
  package var validationLoss: Double
  /// Share of the validation images classified right, 0…1.
  package var validationAccuracy: Double
  /// Accuracy of the argmax architecture alone with inherited weights, batch-norm recalibrated; in a
  /// training that of the network.
  package var argmaxAccuracy: Double
  /// Σ P·cost, in the metric of the config; FLOPs in a training.
  package var expectedCost: Double
  /// Multiply-accumulates of the argmax architecture, or of the network.
  package var argmaxFlops: Double
  /// Weights of the argmax architecture, or of the network.
  package var argmaxParams: Double
  /// τ during the epoch.
  package var temperature: Double
  /// Wall time of the epoch, validation included and pauses excluded.
  package var seconds: Double
  /// Share of the validation images whose class is among the five most probable, 0…1; nil in a search.
  package var topFive: Double?
  /// Milliseconds of the argmax architecture by the latency table; nil without one.
  package var argmaxLatency: Double?
  /// Choices that are settled (`Verdict`); nil in a training.
  package var settled: Int?
  /// Mean entropy of the choices' probabilities, bits; nil in a training.
  package var meanEntropyBits: Double?

  package init(
    epoch: Int,
    step: Int,
    trainLoss: Double,
    trainAccuracy: Double,
    validationLoss: Double,
    validationAccuracy: Double,
    argmaxAccuracy: Double,
    expectedCost: Double,
    argmaxFlops: Double,
    argmaxParams: Double,
    temperature: Double,
    seconds: Double,
    topFive: Double? = nil,
    argmaxLatency: Double? = nil,
    settled: Int? = nil,
    meanEntropyBits: Double? = nil
  ) {
    self.epoch = epoch
    self.step = step
    self.trainLoss = trainLoss
    self.trainAccuracy = trainAccuracy
    self.validationLoss = validationLoss
    self.validationAccuracy = validationAccuracy
    self.argmaxAccuracy = argmaxAccuracy
    self.expectedCost = expectedCost
    self.argmaxFlops = argmaxFlops
    self.argmaxParams = argmaxParams
    self.temperature = temperature
    self.seconds = seconds
    self.topFive = topFive
    self.argmaxLatency = argmaxLatency
    self.settled = settled
    self.meanEntropyBits = meanEntropyBits
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
    /// Stopped on request or by a signal, with a checkpoint: `supertop resume` goes on.
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
  /// Smoothed throughput, 0 until known.
  package var imagesPerSecond: Double
  /// Seconds to the end of the run, nil until known.
  package var etaSeconds: Double?
  /// Resident memory of the training process.
  package var memoryBytes: Int
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

/// A person's wish, taken up by the trainer at the next step boundary (spec S82).
package struct Intervention: Sendable, Equatable {
  /// What is wished for.
  package enum Action: Codable, Sendable, Equatable {
    case pause
    case resume
    /// Do one step, then pause again.
    case singleStep
    /// Set τ by hand; the schedule is held until released.
    case setTemperature(Double)
    /// Multiply the present τ; the schedule is held until released.
    case scaleTemperature(Double)
    /// Keep the present τ.
    case holdTemperature
    /// Give τ back to the schedule.
    case releaseTemperature
    case checkpoint
    /// Checkpoint and end; the run can be resumed.
    case stop
  }

  /// Asked, taken up, carried out, or turned down with a note.
  package enum State: String, Codable, Sendable {
    case requested, accepted, done, refused
  }

  /// Ascending in the order of the requests.
  package var id: Int64
  /// What is wished for.
  package var action: Action
  /// How far it has come.
  package var state: State
  /// Global step before which it acted; nil until accepted.
  ///
  /// A resumed run replays by this (spec S82).
  package var step: Int?
  /// Seconds since 1970.
  package var requestedAt: Double
  /// Why it was turned down, or what it did; may be empty.
  package var note: String

  package init(
    id: Int64,
    action: Action,
    state: State,
    step: Int?,
    requestedAt: Double,
    note: String
  ) {
    self.id = id
    self.action = action
    self.state = state
    self.step = step
    self.requestedAt = requestedAt
    self.note = note
  }
}

/// One line of the run's log.
package struct LogRecord: Codable, Sendable, Equatable {
  /// How grave a line is.
  package enum Level: String, Codable, Sendable {
    case info
    /// Worth a person's attention, though nothing is wrong: also a progress line.
    case notice
    case warning, error
  }

  /// Ascending.
  package var id: Int64
  /// Seconds since 1970.
  package var time: Double
  /// How grave it is.
  package var level: Level
  /// One line.
  package var text: String

  package init(id: Int64, time: Double, level: Level, text: String) {
    self.id = id
    self.time = time
    self.level = level
    self.text = text
  }
}

/// A mistake in something from outside, told in one line: what, where and the remedy.
package struct UserError: Error, CustomStringConvertible, Sendable, Equatable {
  /// Exit codes of sysexits.h.
  package enum Code: Int32, Sendable {
    /// Wrong command line (EX_USAGE).
    case usage = 64
    /// Wrong content of an input file (EX_DATAERR).
    case data = 65
    /// An input that does not exist or cannot be read (EX_NOINPUT).
    case noInput = 66
    /// An internal limit, such as no terminal (EX_UNAVAILABLE).
    case unavailable = 69
    /// Our own mistake (EX_SOFTWARE).
    case software = 70
    /// An output that cannot be created (EX_CANTCREAT).
    case cannotCreate = 73
    /// Reading or writing failed midway (EX_IOERR).
    case io = 74
    /// A run that another process holds (EX_TEMPFAIL).
    case busy = 75
    /// Wrong configuration (EX_CONFIG).
    case configuration = 78
  }

  /// The process's exit code.
  package var code: Code
  /// File, key or argument concerned.
  package var place: String
  /// What is wrong.
  package var problem: String
  /// What to do about it; may be empty.
  package var remedy: String

  package init(_ code: Code, _ place: String, _ problem: String, remedy: String = "") {
    self.code = code
    self.place = place
    self.problem = problem
    self.remedy = remedy
  }

  /// One line: `place: problem; remedy`.
  package var description: String {
    let line = (place.isEmpty ? "" : place + ": ") + problem + (remedy.isEmpty ? "" : "; " + remedy)
    return line.printable()
  }
}
