import Runs

/// What a key does in the list of runs.
enum RunListCommand: Hashable, Sendable {
  case up, down, pageUp, pageDown, top, bottom, open, mark, curve, filter, back
  case theme, help, repaint, quit
}

/// One row of the list's key table, which drives dispatch, the help and the key line alike.
struct RunListBinding: Sendable {
  var keys: [Key]
  var command: RunListCommand
  /// Keys as written in the help.
  var label: String
  /// Word of the key line, empty when it is not shown there.
  var hint: String
  var help: String
}

/// Every key of the list.
enum RunListKeys {
  static let bindings: [RunListBinding] = [
    binding([.enter, .right], .open, "Enter", "open", "the run's dashboard; Esc or q comes back"),
    binding([c(" ")], .mark, "space", "mark", "into the chart, or out of it"),
    binding([.tab, .backTab], .curve, "Tab", "curve", "accuracy or loss in the chart"),
    binding([c("/")], .filter, "/", "filter", "such as state:running kind:search NOT luck"),
    binding([.escape, .left, .backspace], .back, "Esc", "", "lift the filter"),
    binding([.up, c("k")], .up, "up k", "", "choose a run (click)"),
    binding([.down, c("j")], .down, "down j", "", "choose a run (click)"),
    binding([.pageUp], .pageUp, "PgUp", "", "a page of runs"),
    binding([.pageDown], .pageDown, "PgDn", "", "a page of runs"),
    binding([.home, c("g")], .top, "Home g", "", "first, last run"),
    binding([.end, c("G")], .bottom, "End G", "", "first, last run"),
    binding([c("T")], .theme, "T", "theme", "next colour theme"),
    binding([c("?"), .help], .help, "? F1", "help", "this list"),
    binding([c("\u{0c}")], .repaint, "Ctrl-L", "", "redraw the screen"),
    binding([c("q"), c("Q")], .quit, "q", "quit", "leave; the runs stay as they are"),
  ]

  /// The command of `key`, or nil.
  static func command(for key: Key) -> RunListCommand? {
    bindings.first { $0.keys.contains(key) }?.command
  }

  private static func c(_ scalar: Unicode.Scalar) -> Key { .character(scalar) }

  private static func binding(
    _ keys: [Key],
    _ command: RunListCommand,
    _ label: String,
    _ hint: String,
    _ help: String
  ) -> RunListBinding {
    RunListBinding(keys: keys, command: command, label: label, hint: hint, help: help)
  }
}
