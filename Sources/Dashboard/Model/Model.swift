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
  var curves = Curves()
  var epochs: [EpochRecord] = []
  var probabilities = ProbabilityHistory()
  var theta: ThetaRecord?
  var lastStep: StepRecord?
  var log: [LogRecord] = []
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
  var message: Message?
  var interrupts: [Double] = []
  /// Stop was asked for; the dashboard leaves when the trainer has saved.
  var isStopping = false
  /// Whether there is a screen; in the background of a terminal there is none.
  var isShown = true
  /// Whether leaving also ends the trainer unless asked otherwise.
  var ownsTrainer: Bool
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
  enum Prompt: Sendable, Equatable { case temperature, limit, control }

  /// The message line.
  enum Message: Sendable, Equatable {
    case intervention(Intervention)
    case notice(String)
    case problem(String)
  }
}

extension Model {
  /// The controls of the run whose names begin as `text` does, those that only hold it behind them.
  func controls(matching text: String) -> [Control] {
    let end = text.firstIndex { $0 == "=" || $0 == " " } ?? text.endIndex
    let word = text[..<end].lowercased()
    let all = Control.all(of: kind)
    // Once a value is being typed there is one control to speak of.
    if end < text.endIndex { return all.filter { $0.name == word } }
    return all.filter { $0.name.hasPrefix(word) }
      + all.filter { !$0.name.hasPrefix(word) && $0.name.contains(word) }
  }

  /// What a control's text may be completed to: its name; then a choice, and an option of it.
  func completions(of text: String) -> [String] {
    guard let separator = text.firstIndex(where: { $0 == "=" || $0 == " " }) else {
      return controls(matching: text).map { $0.name + ($0.argument.form.isEmpty ? "" : "=") }
    }
    guard let control = controls(matching: text).first,
      control.argument == .choice || control.argument == .option
    else { return [] }
    func plain(_ name: String) -> String { name.replacing(" ", with: "") }
    let value = text[text.index(after: separator)...]
    guard let colon = value.lastIndex(of: ":") else {
      let ending = control.argument == .option ? ":" : ""
      return choices.map { plain($0.name) }.filter { $0.lowercased().hasPrefix(value.lowercased()) }
        .map { "\(control.name)=\($0)\(ending)" }
    }
    let name = value[..<colon]
    let start = value[value.index(after: colon)...].lowercased()
    return choices.filter { plain($0.name).lowercased() == plain(String(name)).lowercased() }
      .flatMap(\.options).map(\.name).filter { $0.lowercased().hasPrefix(start) }
      .map { "\(control.name)=\(name):\($0)" }
  }

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
    let values = probabilities(of: index)
    return values.indices.max { values[$0] < values[$1] } ?? 0
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
    return frames[Int((now * 6).truncatingRemainder(dividingBy: 1e6)) % frames.count]
  }
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
