import Runs

/// Something that happened.
enum Event: Sendable {
  case key(Key)
  /// A button press at a cell: 0 left, 64 wheel up, 65 wheel down.
  case mouse(x: Int, y: Int, button: Int)
  /// The mouse has moved with its left button held, and its release.
  case drag(x: Int, y: Int)
  case release
  /// What the terminal says of itself.
  case reply(TerminalReply)
  /// The user's themes have changed.
  case themes(ThemeLibrary)
  /// What was to be copied has gone its way.
  case copied(Copied)
  case resize(Size)
  /// Text that was pasted, on one line and without control characters.
  case paste(String)
  case data(RunDelta)
  /// What the store has of the moment at the cursor.
  case moment(RunMoment)
  /// What became of a wish outside the run: a line to show.
  case told(String)
  /// Seconds since 1970.
  case tick(Double)
  case interrupt, terminate, hangUp, stop
  /// Something printed while the screen was ours.
  case capturedOutput(String)
  /// The store could not be read or written.
  case sourceFailed(String)
}

/// What the world is to do.
enum Effect: Sendable, Equatable {
  case request(Intervention.Action)
  /// Read what the run had come to after so many steps.
  case look(Int)
  /// Branch a new run off at a step, nil for the newest checkpoint, with changes of its settings.
  case branch(Int?, [String])
  case exit(DashboardExit)
  case suspend
  case repaint
  /// Take the mouse, or leave it to the terminal.
  case mouse(Bool)
  case copy(String)
  /// Tell somebody who looks elsewhere.
  case notify(String)
}

/// Why the dashboard was left; what the caller does next.
package enum DashboardExit: Sendable, Equatable {
  /// The run is over, or it belongs to another process: nothing to do.
  case quit
  /// A stop was asked for and the trainer has saved.
  case stopRequested
  /// Keep training without a screen.
  case detached
  /// Ctrl-C three times: end at once.
  case interrupted
  /// SIGTERM or SIGQUIT.
  case terminated
  /// SIGHUP: the terminal is gone.
  case hungUp
}
