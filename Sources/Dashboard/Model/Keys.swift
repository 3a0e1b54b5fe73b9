import Runs

/// A key press, free of any terminal library.
enum Key: Hashable, Sendable {
  case character(Unicode.Scalar)
  case up, down, left, right, home, end, pageUp, pageDown
  case enter, escape, tab, backTab, backspace, delete, help
}

/// What a key does outside text fields and dialogs.
enum Command: Hashable, Sendable {
  case togglePause, singleStep, hotter, cooler, typeTemperature, toggleHold, checkpoint
  case up, down, pageUp, pageDown, top, bottom, open, back, fold, foldAll
  case nextTab, previousTab, tab(Int)
  case typeControl, togglePin, undo
  case typeLimit, startFineStage, stopCandidate, addCandidate, nextOption, previousOption, order
  case earlier, later, previousStop, nextStop, alarm, branch
  case zoom, film, smoothing, logScale, axis, closer, wider
  case theme, copy, mouse, log, repaint, help, quit

  /// Whether it asks the trainer for something, or begins to.
  var steers: Bool {
    switch self {
    // They only change what may be asked for later.
    case .nextOption, .previousOption: false
    default: KeyTable.bindings.contains { $0.command == self && $0.group == .steering }
    }
  }

  /// What it acts on, for the answer where there is none.
  var subject: String {
    switch self {
    case .hotter, .cooler, .typeTemperature, .toggleHold: "temperature"
    case .tab: "such tab"
    case .typeLimit, .startFineStage, .stopCandidate, .addCandidate, .nextOption, .previousOption,
      .order:
      "candidates"
    case .branch: "steps to branch from"
    case .film: "film"
    default: "choices"
    }
  }
}

/// One row of the key table, which drives dispatch, the help screen and the key line alike.
struct KeyBinding: Sendable {
  /// Heading of the help screen.
  enum Group: Sendable, CaseIterable {
    case steering, looking, program

    /// The heading in a run of that kind.
    func title(_ kind: RunKind) -> String {
      switch self {
      case .steering: "Steer the \(kind.noun)"
      case .looking: "Look around"
      case .program: "Program"
      }
    }
  }

  var keys: [Key]
  var command: Command
  /// Keys as written in the help: `"space"`.
  var label: String
  /// Word of the key line, empty when it is not shown there.
  var hint: String
  var help: String
  var group: Group
}

/// Every key of the program.
enum KeyTable {
  static let bindings: [KeyBinding] = [
    steer([c(" ")], .togglePause, "space", "pause", "pause, resume the training"),
    steer([c("s")], .singleStep, "s", "step", "one step, then pause"),
    steer([c("+"), c("=")], .hotter, "+", "hotter", "temperature × 1.1"),
    steer([c("-"), c("_")], .cooler, "-", "cooler", "temperature ÷ 1.1"),
    steer([c("t")], .typeTemperature, "t", "set τ", "type a temperature"),
    steer(
      [c("h")],
      .toggleHold,
      "h",
      "hold",
      "hold, release the schedule"
    ),
    steer([c("c")], .checkpoint, "c", "checkpoint", "checkpoint now"),
    steer([c("p")], .togglePin, "p", "pin", "pin to its leader, unpin"),
    steer([c("u")], .undo, "u", "undo", "undo the last change"),
    steer([c(":")], .typeControl, ":", "control", "type any control: ban, budget, …"),
    steer([c("x")], .stopCandidate, "x", "stop it", "stop the chosen candidate"),
    steer([c("b")], .typeLimit, "b", "limit", "type a limit: flops 150k"),
    steer([c("n")], .startFineStage, "n", "fine stage", "fine stage after this round"),
    steer([c("b")], .branch, "b", "branch", "branch off at this moment"),
    steer([c(">")], .nextOption, ">", "change", "change the chosen choice"),
    steer([c("<")], .previousOption, "<", "", "change the chosen choice"),
    steer([c("a")], .addCandidate, "a", "train it", "train the changed candidate"),
    look([c("o")], .order, "o", "order", "order by accuracy, by number"),
    look([.up, c("k")], .up, "up k", "", "choose a layer (click)"),
    look([.down, c("j")], .down, "down j", "", "choose a layer (click)"),
    look([.pageUp], .pageUp, "PgUp", "", "a page of layers"),
    look([.pageDown], .pageDown, "PgDn", "", "a page of layers"),
    look([.home, c("g")], .top, "Home g", "", "first, last layer"),
    look([.end, c("G")], .bottom, "End G", "", "first, last layer"),
    look(
      [.enter, .right],
      .open,
      "Enter",
      "inspect",
      "inspect the layer"
    ),
    look([c("f")], .fold, "f", "", "fold block or stage, all"),
    look([c("F")], .foldAll, "F", "", "fold block or stage, all"),
    look([.escape, .left, .backspace], .back, "Esc", "", "back, close"),
    look([.tab], .nextTab, "Tab", "screens", "next, previous screen"),
    look([.backTab], .previousTab, "S-Tab", "", "next, previous screen"),
    look([c("1")], .tab(0), "1", "", "a screen"),
    look([c("2")], .tab(1), "2", "", "a screen"),
    look([c("3")], .tab(2), "3", "", "a screen"),
    look([c("4")], .tab(3), "4", "", "a screen"),
    look([c("5")], .tab(4), "5", "", "a screen"),
    look([c("6")], .tab(5), "6", "", "a screen"),
    look([c("7")], .tab(6), "7", "", "a screen"),
    look([c("z")], .zoom, "z", "zoom", "one panel after another alone"),
    look([c(",")], .earlier, ",", "", "earlier, later moment"),
    look([c(".")], .later, ".", "", "earlier, later moment"),
    look([c("[")], .previousStop, "[", "", "previous, next event"),
    look([c("]")], .nextStop, "]", "", "previous, next event"),
    look([c("!")], .alarm, "!", "", "the moment of an alarm"),
    look([c("e")], .film, "e", "shade", "what the film shows"),
    look([c("S")], .smoothing, "S", "", "smoothing, log axis, unit"),
    look([c("L")], .logScale, "L", "", "smoothing, log axis, unit"),
    look([c("X")], .axis, "X", "", "smoothing, log axis, unit"),
    look([c("(")], .closer, "(", "", "closer, wider in time"),
    look([c(")")], .wider, ")", "", "closer, wider in time"),
    look([c("l")], .log, "l", "", "the run's log"),
    program([c("T")], .theme, "T", "theme", "choose a colour theme"),
    program([c("y")], .copy, "y", "copy", "copy the answer"),
    program([c("m")], .mouse, "m", "mouse", "mouse to the terminal, back"),
    program([c("?"), .help], .help, "? F1", "help", "this list"),
    program([c("\u{0c}")], .repaint, "Ctrl-L", "", "redraw the screen"),
    program(
      [c("q"), c("Q")],
      .quit,
      "q",
      "quit",
      "stop, or leave it running"
    ),
  ]

  /// Keys that the terminal turns into signals; only listed.
  static let signals: [(label: String, help: String)] = [
    ("Ctrl-C", "as q; 2x stop; 3x leave now"),
    ("Ctrl-Z", "suspend; fg comes back"),
  ]

  /// The keys that do something in a run of that kind.
  static func bindings(_ kind: RunKind) -> [KeyBinding] {
    bindings.filter { kind.allows($0.command) }
  }

  /// The command of `key` in a run of that kind; where it has none there, that of any other.
  static func command(for key: Key, in kind: RunKind) -> Command? {
    let all = bindings.filter { $0.keys.contains(key) }
    return (all.first { kind.allows($0.command) } ?? all.first)?.command
  }

  private static func c(_ scalar: Unicode.Scalar) -> Key { .character(scalar) }

  private static func steer(
    _ keys: [Key],
    _ command: Command,
    _ label: String,
    _ hint: String,
    _ help: String
  ) -> KeyBinding {
    KeyBinding(
      keys: keys,
      command: command,
      label: label,
      hint: hint,
      help: help,
      group: .steering
    )
  }

  private static func look(
    _ keys: [Key],
    _ command: Command,
    _ label: String,
    _ hint: String,
    _ help: String
  ) -> KeyBinding {
    KeyBinding(keys: keys, command: command, label: label, hint: hint, help: help, group: .looking)
  }

  private static func program(
    _ keys: [Key],
    _ command: Command,
    _ label: String,
    _ hint: String,
    _ help: String
  ) -> KeyBinding {
    KeyBinding(keys: keys, command: command, label: label, hint: hint, help: help, group: .program)
  }
}
