import Foundation
import Runs

/// Everything that a frame is drawn from (the Elm shape: model, update, view).
package struct Model: Sendable {
  // What the run has told.
  package var summary: RunSummary?
  package var choices: [Choice] = []
  package var status: RunStatus?
  package var trainerAlive: Bool?
  package var curves = Curves()
  package var epochs: [EpochRecord] = []
  package var probabilities = ProbabilityHistory()
  package var theta: ThetaRecord?
  package var lastStep: StepRecord?
  package var log: [LogRecord] = []

  // What the person does.
  package var size: Size
  package var look: Look
  package var screen = Screen.main
  package var overlay: Overlay?
  package var selection = 0
  package var tab = 0
  package var message: Message?
  package var interrupts: [Double] = []
  /// Stop was asked for; the dashboard leaves when the trainer has saved.
  package var isStopping = false
  /// Whether leaving also ends the trainer unless told otherwise.
  package var ownsTrainer: Bool
  /// Seconds since 1970, as of the last event that carries time.
  package var now = 0.0
  var resultWasShown = false
  /// Cost of the layers that are not searched.
  var fixedCost: Double?

  package init(size: Size, look: Look = Look(), ownsTrainer: Bool = true) {
    self.size = size
    self.look = look
    self.ownsTrainer = ownsTrainer
  }

  /// Curves over fractional epochs.
  package struct Curves: Sendable, Equatable {
    package var trainLoss = Series()
    package var validationLoss = Series()
    package var trainAccuracy = Series()
    package var epochTrainAccuracy = Series()
    package var validationAccuracy = Series()
    package var argmaxAccuracy = Series()
    package var cost = Series()
    package var expectedCost = Series()
    package var temperature = Series()
  }

  /// How to draw, as far as a pure view has to know.
  package struct Look: Sendable {
    package var glyphs: GlyphSet
    package var depth: ColourDepth
    package var library: ThemeLibrary
    package var themeIndex: Int

    package init(
      glyphs: GlyphSet = .braille,
      depth: ColourDepth = .palette,
      library: ThemeLibrary = .builtIn,
      themeIndex: Int = 0
    ) {
      self.glyphs = glyphs
      self.depth = depth
      self.library = library
      self.themeIndex = themeIndex
    }

    package var theme: Theme { library.themes[themeIndex] }
    /// Whether the paper of a cell can carry meaning.
    package var hasColour: Bool { depth != .none && !theme.isMonochrome }
  }

  package enum Screen: Sendable, Equatable { case main, inspector }

  /// What lies over the screen and takes the keys.
  package enum Overlay: Sendable, Equatable {
    case help(scroll: Int)
    case log
    case quit(selected: Int)
    case temperature(text: String, error: String)
    case result
  }

  /// The message line.
  package enum Message: Sendable, Equatable {
    case intervention(Intervention)
    case notice(String)
    case problem(String)
  }
}

extension Model {
  var state: RunStatus.State { status?.state ?? .preparing }

  /// Whether the trainer has ended for good.
  package var isOver: Bool {
    switch state {
    case .stopped, .finished, .failed: true
    default: isTrainerGone
    }
  }

  /// The trainer has vanished without saying so.
  package var isTrainerGone: Bool {
    guard status != nil, trainerAlive == false else { return false }
    switch state {
    case .stopped, .finished, .failed: return false
    default: return true
    }
  }

  /// Seconds of silence when there should be news, else nil; a long step is no silence.
  package var silence: Double? {
    guard let status, status.heartbeat > 0, state == .running || state == .validating else {
      return nil
    }
    let quiet = now - status.heartbeat
    return quiet > max(10, 6 * (lastStep?.seconds ?? 0)) ? quiet : nil
  }

  /// Epochs done, with the part of the one under way; x of all curves.
  package var position: Double {
    guard let status else { return 0 }
    guard status.stepsPerEpoch > 0 else { return Double(status.epoch) }
    return Double(status.epoch)
      + min(1, Double(status.stepInEpoch) / Double(status.stepsPerEpoch))
  }

  /// Share of the run that is done, 0…1.
  package var progress: Double {
    guard let status, status.totalSteps > 0 else { return state == .finished ? 1 : 0 }
    return min(1, max(0, Double(status.step) / Double(status.totalSteps)))
  }

  /// Probabilities of choice `index` now: the last θ step's, else uniform.
  package func probabilities(of index: Int) -> [Float] {
    guard choices.indices.contains(index) else { return [] }
    let count = choices[index].options.count
    if let last = probabilities.samples.last?.values, last.indices.contains(index),
      last[index].count == count
    {
      return last[index]
    }
    return Array(repeating: 1 / Float(max(1, count)), count: count)
  }

  /// The option that leads choice `index`.
  package func leader(of index: Int) -> Int {
    let values = probabilities(of: index)
    return values.indices.max { values[$0] < values[$1] } ?? 0
  }

  /// Entropy of choice `index` in bits.
  package func entropy(of index: Int) -> Double { entropyBits(probabilities(of: index)) }

  /// Σ P·cost over the choices, in the run's metric; the fixed layers are not in it.
  package var costRange: ClosedRange<Double>? {
    guard !choices.isEmpty else { return nil }
    let prices = choices.map { $0.options.map(price) }
    let low = prices.reduce(0) { $0 + ($1.min() ?? 0) }
    let high = prices.reduce(0) { $0 + ($1.max() ?? 0) }
    return low...max(low, high)
  }

  func price(_ option: Choice.Option) -> Double {
    summary?.costMetric == "params" ? option.params : option.flops
  }

  /// Σ P·price over the choices now.
  var choiceCost: Double {
    choices.indices.reduce(0) { sum, index in
      zip(probabilities(of: index), choices[index].options)
        .reduce(sum) { $0 + Double($1.0) * price($1.1) }
    }
  }

  /// The expected cost now: that of the choices and of what is fixed, which the last epoch told;
  /// before that the mean of the last steps.
  package var cost: Double? {
    if let fixedCost { return fixedCost + choiceCost }
    guard let tail = curves.cost.buckets.suffix(8).map(\.mean) as [Double]?, !tail.isEmpty else {
      return epochs.last?.expectedCost
    }
    return tail.reduce(0, +) / Double(tail.count)
  }

  /// Whether the picture moves by itself.
  var isAnimated: Bool {
    switch state {
    case .preparing, .running, .validating: !isTrainerGone && silence == nil
    case .paused, .stopped, .finished, .failed: false
    }
  }

  var spinner: UInt32 {
    let frames = look.glyphs.spinner
    return frames[Int((now * 6).truncatingRemainder(dividingBy: 1e6)) % frames.count]
  }
}

/// Softmax of one choice's logits; what is not a number gets probability 0.
package func softmax(_ logits: [Float]) -> [Float] {
  let finite = logits.map { $0.isNaN ? -Float.infinity : $0 }
  guard let top = finite.max(), top > -.infinity else {
    return logits.map { _ in 1 / Float(max(1, logits.count)) }
  }
  let powers = finite.map { $0 == top ? 1 : exp($0 - top) }
  let sum = powers.reduce(0, +)
  return powers.map { $0 / sum }
}

/// Entropy in bits.
package func entropyBits(_ probabilities: [Float]) -> Double {
  -probabilities.reduce(0) { $0 + ($1 > 0 ? Double($1) * log2(Double($1)) : 0) }
}
