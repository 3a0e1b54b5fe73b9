import Runs

/// What the screen of a run shows and which keys act on it; a new kind of run is added here.
extension RunKind {
  /// A page of the small arrangement.
  enum Tab: Sendable, Equatable {
    /// The list of choices.
    case choices(String)
    /// One panel, or two side by side.
    case panels(String, Panel, Panel?)
    /// The log and what people asked for.
    case log(String)

    var title: String {
      switch self {
      case .choices(let title), .panels(let title, _, _), .log(let title): title
      }
    }
  }

  /// Whether there are choices to list and to inspect.
  var hasChoices: Bool {
    switch self {
    case .search, .random: true
    case .joint, .training: false
    }
  }

  /// Whether there is a temperature to steer.
  var hasTemperature: Bool {
    switch self {
    case .search, .random: true
    case .joint, .training: false
    }
  }

  /// The chart panels of the large arrangements, in the order in which they are laid out.
  var panels: [Panel] {
    switch self {
    case .search, .random: [.loss, .accuracy, .cost, .temperature]
    case .joint: [.best, .scatter, .front, .stage]
    case .training: [.loss, .rate, .accuracy, .facts]
    }
  }

  /// The screens of such a run; the first has all that a large terminal has room for.
  var tabs: [Tab] {
    switch self {
    case .search, .random:
      [
        .choices("Layers"), .panels("Learning", .loss, .accuracy),
        .panels("Cost & τ", .cost, .temperature), .panels("Film", .film, .ranks),
        .panels("Networks", .networks, .blocks), .log("Log"),
        .panels("System", .throughput, .system),
      ]
    case .joint:
      [
        .choices("Candidates"), .panels("Progress", .best, .scatter),
        .panels("Trade-offs", .front, .stage), .panels("Recipes", .axes, nil), .log("Log"),
        .panels("System", .system, nil),
      ]
    case .training:
      [
        .panels("Learning", .loss, .accuracy), .panels("Recipe", .rate, .facts), .log("Log"),
        .panels("System", .throughput, .system),
      ]
    }
  }

  /// The panels that `z` goes through on a screen.
  func panels(ofTab tab: Int) -> [Panel] {
    guard tab > 0, tabs.indices.contains(tab) else { return panels }
    guard case .panels(_, let first, let second) = tabs[tab] else { return [] }
    return [first] + (second.map { [$0] } ?? [])
  }

  /// Whether a command can do anything in such a run.
  func allows(_ command: Command) -> Bool {
    switch command {
    case .hotter, .cooler, .typeTemperature, .toggleHold: hasTemperature
    case .up, .down, .pageUp, .pageDown, .top, .bottom, .open: hasChoices || self == .joint
    case .fold, .foldAll, .togglePin: hasChoices
    case .undo: self != .joint
    case .singleStep: self != .joint
    case .typeLimit, .startFineStage, .stopCandidate, .addCandidate, .nextOption, .previousOption,
      .order:
      self == .joint
    case .tab(let index): index < tabs.count
    case .branch: self != .joint
    case .film: hasChoices
    case .smoothing, .logScale, .axis, .closer, .wider: self != .joint
    default: true
    }
  }

  /// Commands of the key line, the most needed first.
  func keyLine(isOver: Bool, inInspector: Bool) -> [Command] {
    // What is over cannot be steered.
    if isOver {
      return inInspector
        ? [.back, .quit, .help, .theme, .log]
        : [.quit, .help, .open, .nextTab, .theme, .log].filter(allows)
    }
    if inInspector {
      return self == .joint
        ? [.back, .quit, .help, .nextOption, .addCandidate, .stopCandidate, .theme]
        : [.back, .quit, .help, .togglePause, .togglePin, .singleStep, .typeControl, .theme]
    }
    switch self {
    case .search, .random:
      return [
        .togglePause, .quit, .help, .open, .hotter, .cooler, .typeTemperature, .toggleHold,
        .nextTab, .togglePin, .typeControl, .singleStep, .checkpoint, .theme,
      ]
    case .joint:
      return [
        .togglePause, .quit, .help, .open, .typeLimit, .startFineStage, .stopCandidate, .order,
        .typeControl, .nextTab, .checkpoint, .theme,
      ]
    case .training:
      return [
        .togglePause, .quit, .help, .nextTab, .singleStep, .typeControl, .checkpoint, .theme,
      ]
    }
  }

  /// What an epoch and a step of the run's status stand for, in words.
  var units: (epoch: String, step: String) {
    self == .joint ? ("round", "candidate") : ("epoch", "step")
  }

  /// What a run's settings start from, in a word.
  var origin: String {
    switch self {
    case .search, .random, .joint: "preset"
    case .training: "network"
    }
  }
}
