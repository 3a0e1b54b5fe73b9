import Foundation
import Runs

/// Everything that a frame is drawn from (the Elm shape: model, update, view).
struct Model: Sendable {
  // What the run has reported.
  var summary: RunSummary?
  var choices: [Choice] = []
  /// What the options cost, by the identity of their choice.
  var prices: [String: ChoicePrices] = [:]
  var status: RunStatus?
  var trainerAlive: Bool?
  /// Seconds since 1970 of the trainer's last sign of life; nil where none is known.
  var lastSign: Double?
  /// Whether commands of this viewer are taken.
  var steering = Steering.granted
  var curves = Curves()
  var spans = EpochSpans()
  var epochs: [EpochRecord] = []
  var probabilities = ProbabilityHistory()
  var theta: ThetaRecord?
  var lastStep: StepRecord?
  var log: [LogRecord] = []
  /// People's commands that are known, oldest first.
  var interventions: [Intervention] = []
  /// Networks derived from a search.
  var derived: [DerivedRecord] = []
  /// What is noticed in all of that.
  var findings: [Finding] = []
  /// Free space on the disk of the run; nil where it is not known.
  var freeBytes: Int?
  var result: RunResult?
  /// Candidates of a joint search, by number.
  var trials: [TrialRecord] = []
  /// How far a joint search has come beside them.
  var joint: JointProgress?

  // What the person does.
  var size: Size
  var look: Look
  var screen = Screen.main
  var overlay: Overlay?
  /// The chosen choice, or the head that hides it; the chosen candidate in a joint search.
  var selection = 0
  /// Whether the person has chosen a candidate; until then the first of the list is chosen.
  var hasChosen = false
  /// Whether candidates are listed by their accuracy, and not by number.
  var ranksCandidates = true
  /// Options that a person makes a candidate of; nil where they are those of the chosen one.
  var draft: [Int]?
  /// The chosen choice in the inspector of a candidate.
  var draftRow = 0
  /// Keys of the groups and blocks that are folded away.
  var folded: Set<String> = []
  var tab = 0
  /// The chosen one of `networks`.
  var network = 0
  /// The panel that fills the screen; nil where all are shown.
  var zoom: Panel?
  var charts = ChartView()
  var film = FilmShade.entropy
  /// Steps, in a joint search candidates, that were done at the moment that is shown; nil for now.
  var cursor: Int?
  /// What the store has of that moment.
  var moment: RunMoment?
  /// What came after the moment that is shown; nil where that is now.
  var future: Future?
  var message: Message?
  var interrupts: [Double] = []
  /// Stop was asked for; the dashboard leaves when the trainer has saved.
  var isStopping = false
  /// Whether there is a screen; in the background of a terminal there is none.
  var isShown = true
  /// Whether leaving also ends the trainer unless asked otherwise.
  var ownsTrainer: Bool
  /// Whether leaving goes back to a list of runs.
  var hasList = false
  /// Seconds since 1970, as of the last event that carries time.
  var now = 0.0
  var resultWasShown = false
  var pointer = Pointer()
  /// Lines of the log below what is shown of it.
  var logScroll = 0

  init(size: Size, look: Look = Look(), ownsTrainer: Bool = true) {
    self.size = size
    self.look = look
    self.ownsTrainer = ownsTrainer
  }

  /// Curves over fractional epochs.
  struct Curves: Sendable, Equatable {
    var trainLoss = Series()
    var validationLoss = Series()
    var trainAccuracy = Series()
    var epochTrainAccuracy = Series()
    var validationAccuracy = Series()
    var argmaxAccuracy = Series()
    var cost = Series()
    var expectedCost = Series()
    var temperature = Series()
    var learningRate = Series()
    var topFive = Series()
    /// Images a second, of each step.
    var throughput = Series()
  }

  /// How to draw, as far as a pure view has to know.
  struct Look: Sendable {
    var glyphs: GlyphSet
    var depth: ColourDepth
    var library: ThemeLibrary
    var themeIndex: Int
    /// Whether a person has chosen the theme, so that the terminal's ground no longer does.
    var isThemeChosen = false

    init(
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

    var theme: Theme { library.themes[themeIndex] }
    /// Whether the background of a cell can carry meaning.
    var hasColour: Bool { depth != .none && !theme.isMonochrome }
  }

  enum Screen: Sendable, Equatable { case main, inspector }

  /// What lies over the screen and takes the keys.
  enum Overlay: Sendable, Equatable {
    case help(scroll: Int)
    case log
    case quit(selected: Int)
    case prompt(Prompt, text: String, error: String)
    case result
    /// The list of themes; `before` is the one to go back to.
    case themes(before: String)
  }

  /// What a person is asked to type.
  enum Prompt: Sendable, Equatable { case temperature, limit, control, branch }

  /// The message line.
  enum Message: Sendable, Equatable {
    case intervention(Intervention)
    case notice(String)
    case problem(String)
  }
}

extension Model {
  var state: RunStatus.State { status?.state ?? .preparing }

  /// What the run does; a search as long as nothing is known of it.
  var kind: RunKind { summary?.kind ?? .search }

  /// What a finished search came to.
  var found: SearchResult? {
    guard case .search(let result) = result else { return nil }
    return result
  }

  /// Accuracy on the test images of the network that a finished run leaves, 0…1.
  var testAccuracy: Double? {
    switch result {
    case .search(let result): result.testAccuracy
    case .joint(let result): result.testAccuracy
    case .training(let result): result.testAccuracy
    case nil: nil
    }
  }

  /// Whether there is nothing to draw yet.
  var isBlank: Bool {
    kind == .joint
      ? trials.isEmpty
      : kind.hasChoices
        ? choices.isEmpty : lastStep == nil && state != .running && state != .paused
  }

  /// Whether the trainer has ended for good.
  var isOver: Bool {
    switch state {
    case .stopped, .finished, .failed: true
    default: isTrainerGone
    }
  }

  /// The trainer has vanished without saying so.
  var isTrainerGone: Bool {
    guard status != nil, trainerAlive == false else { return false }
    switch state {
    case .stopped, .finished, .failed: return false
    default: return true
    }
  }

  /// Seconds of silence when there should be news, else nil; a long step is no silence.
  var silence: Double? {
    // The process has stopped, or the machine has: of our own we would not be here to tell.
    if let lastSign, !ownsTrainer, !isOver {
      let quiet = now - max(lastSign, status?.heartbeat ?? 0)
      if quiet > RunOverview.patience { return quiet }
    }
    // The process is there, but its training hangs.
    guard let status, status.heartbeat > 0, state == .running || state == .validating else {
      return nil
    }
    let quiet = now - status.heartbeat
    return quiet > max(10, 6 * (lastStep?.seconds ?? 0)) ? quiet : nil
  }

  /// Epochs done, with the part of the one under way; x of all curves.
  var position: Double {
    guard let status else { return 0 }
    guard status.stepsPerEpoch > 0 else { return Double(status.epoch) }
    return Double(status.epoch)
      + min(1, Double(status.stepInEpoch) / Double(status.stepsPerEpoch))
  }

  /// Share of the run that is done, 0…1.
  var progress: Double {
    guard let status, status.totalSteps > 0 else { return state == .finished ? 1 : 0 }
    return min(1, max(0, Double(status.step) / Double(status.totalSteps)))
  }

  /// Probabilities of choice `index` now: the last θ step's, else uniform.
  func probabilities(of index: Int) -> [Float] {
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
  func leader(of index: Int) -> Int {
    mostProbable(probabilities(of: index))
  }

  /// Probability of an option of a choice over the epochs.
  func history(of index: Int, option: Int) -> [(epoch: Double, share: Double)] {
    probabilities.samples.compactMap { sample in
      guard sample.values.indices.contains(index), sample.values[index].indices.contains(option)
      else { return nil }
      return (sample.epoch, Double(sample.values[index][option]))
    }
  }

  /// Epoch since which choice `index` has been settled on its leader; nil while it is not.
  func settledSince(_ index: Int) -> Double? {
    let leader = leader(of: index)
    var since: Double?
    for sample in probabilities.samples.reversed() where sample.values.indices.contains(index) {
      let values = sample.values[index]
      guard values.count > 1, values.indices.contains(leader), values.max() == values[leader],
        Verdict.isSettled(values.map(Double.init))
      else { break }
      since = sample.epoch
    }
    return since
  }

  /// How decided the choices are now; nil before there are any and in a random search, where θ
  /// is frozen.
  var verdict: Verdict? {
    guard !choices.isEmpty, kind == .search else { return nil }
    return Verdict(
      probabilities: choices.indices.map { probabilities(of: $0).map(Double.init) }
    )
  }

  /// Whether the network that a finished search ends with is more than a coin toss.
  var isSettled: Bool { verdict?.isSettled ?? true }

  /// Whether choice `index` is held at one option by a person.
  func isPinned(_ index: Int) -> Bool { status?.pinned?.contains(index) ?? false }

  /// Entropy of choice `index` in bits.
  func entropy(of index: Int) -> Double { entropyBits(probabilities(of: index)) }

  /// Metric of the cost.
  var costMetric: CostMetric { summary?.costMetric ?? .flops }

  /// The expected cost now, as the trainer reports it: that of the last θ, else of the last epoch,
  /// else the mean of the last steps.
  var cost: Double? {
    if let known = theta?.expectedCost ?? epochs.last?.expectedCost { return known }
    let tail = curves.cost.buckets.suffix(8).map(\.mean)
    return tail.isEmpty ? nil : tail.reduce(0, +) / Double(tail.count)
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
    let beats = (abs(now) * 6).truncatingRemainder(dividingBy: 1e6).rounded(.down)
    return frames[Int(near: beats) % frames.count]
  }
}

/// The place of the greatest probability; 0 for none.
func mostProbable(_ values: [Float]) -> Int {
  values.indices.max { values[$0] < values[$1] } ?? 0
}

/// Entropy as a share of that of even odds, 0…1; 0 where there is but one option.
func entropyShare(_ values: [Float]) -> Double {
  values.count > 1 ? entropyBits(values) / log2(Double(values.count)) : 0
}

/// Softmax of one choice's logits; what is not a number gets probability 0.
func softmax(_ logits: [Float]) -> [Float] {
  let finite = logits.map { $0.isNaN ? -Float.infinity : $0 }
  guard let top = finite.max(), top > -.infinity else {
    return logits.map { _ in 1 / Float(max(1, logits.count)) }
  }
  let powers = finite.map { $0 == top ? 1 : exp($0 - top) }
  let sum = powers.reduce(0, +)
  return powers.map { $0 / sum }
}
