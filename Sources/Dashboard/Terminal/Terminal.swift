import CNcurses
import Foundation
import Runs

/// The screen and the keyboard: the only user of the curses layer (spec S80).
///
/// One thread owns it. Frames go out as the rows that differ from what is shown; when nothing
/// differs nothing is written.
final class Terminal {
  private var shown: Frame?
  private var shownTheme: Theme?
  private var pairs: [PairKey: Int32] = [:]
  private let environment: [String: String]
  let features: TerminalFeatures
  /// Whether the terminal is asked for its ground, and followed.
  let asks: Bool
  /// When it was asked what it has not answered; seconds since the machine started.
  var askedAt: Double?
  /// What the tab shows; nil where the terminal has shown its own since.
  var said: Said?
  private var input = TerminalInput()
  private var maximumPairs = 0
  private var isOpen = false
  private var buffer = [CChar](repeating: 0, count: 4096)

  /// Whether screen and keyboard are ours now; else they are the shell's.
  private(set) var isTaken = false
  /// Colours that the terminal shows; none before it is taken.
  private(set) var colourDepth = ColourDepth.none

  private struct PairKey: Hashable {
    var fore: Int32
    var back: Int32
  }

  /// Why there can be no dashboard here, or nil.
  static func obstacle(_ environment: [String: String]) -> UserError? {
    error(cn_check(TerminalName.entry(environment, knows: knows)), environment)
  }

  /// Takes the characters from the environment's locale; whether they are UTF-8.
  static func useLocale() -> Bool { cn_use_locale() }

  private static func knows(_ name: String) -> Bool { cn_knows(name) }

  private static func error(_ status: Int32, _ environment: [String: String]) -> UserError? {
    let place = "TERM=\(environment["TERM"] ?? "")"
    switch status {
    case Int32(CN_OPEN.rawValue): return nil
    case Int32(CN_NOT_A_TERMINAL.rawValue):
      return UserError(
        .unavailable,
        "dashboard",
        "standard input or output is not a terminal",
        remedy: "run it with --headless"
      )
    case Int32(CN_DUMB.rawValue):
      return UserError(
        .unavailable,
        place,
        "this terminal cannot place its cursor",
        remedy: "run it with --headless, or in another terminal"
      )
    default:
      return UserError(
        .unavailable,
        place,
        "no such terminal is known here, set TERM=xterm-256color if it is alike",
        remedy: "or run it with --headless"
      )
    }
  }

  /// Watches the signals of the terminal, which is not touched before `take`.
  init(environment: [String: String], features: TerminalFeatures, asks: Bool) throws {
    self.environment = environment
    self.features = features
    self.asks = asks && features.answers
    if let error = Self.obstacle(environment) { throw error }
    guard cn_watch() else {
      throw UserError(.unavailable, "dashboard", "no file descriptor is left")
    }
  }

  /// Takes screen and keyboard where they may be ours again; whether they were taken just now.
  ///
  /// That is at the start, after a stop, and when `fg` brings the program back; then all has to be
  /// drawn. In the background nothing of the terminal is touched: the system would stop the whole
  /// program.
  func take() throws -> Bool {
    guard cn_is_foreground() else {
      if isTaken { lose() }
      return false
    }
    guard !isTaken else { return false }
    if isOpen {
      cn_take()
      shown = nil
    } else {
      try open()
    }
    isTaken = true
    said = nil
    ask()
    return true
  }

  private func lose() {
    cn_lose()
    isTaken = false
  }

  /// Colours that the terminal shows; NO_COLOR takes them all away.
  private func open() throws {
    let names = [
      TerminalName.richer(environment, knows: Self.knows),
      TerminalName.entry(environment, knows: Self.knows),
    ]
    var status = Int32(CN_UNKNOWN.rawValue)
    for name in names.compactMap(\.self) {
      status = cn_open(name, features.mouse, asks, farewell)
      if status == Int32(CN_OPEN.rawValue) { break }
    }
    if let error = Self.error(status, environment) { throw error }
    isOpen = true
    // Milliseconds, as curses has it.
    let delay = min(max(environment["ESCDELAY"].flatMap { Int($0) } ?? 50, 1), 2000)
    input = TerminalInput(keys: Self.keys(), escapeDelay: Double(delay) / 1000)
    let colours = Int(cn_colours())
    maximumPairs = min(Int(cn_pairs()), 32_000)
    let noColour = !(environment["NO_COLOR"] ?? "").isEmpty
    colourDepth =
      if noColour || colours < 8 { .none } else if cn_is_direct_colour() {
        .direct
      } else if colours
        >= 256
      { .palette } else if colours >= 16 { .sixteen } else { .eight }
  }

  deinit { close() }

  var size: Size {
    var width: Int32 = 0
    var height: Int32 = 0
    cn_size(&width, &height)
    return Size(Int(width), Int(height))
  }

  /// Gives the terminal back as it was; prints of the meantime follow on standard error.
  func close() {
    awaitAnswers()
    _ = readStray()
    cn_close()
    isOpen = false
    isTaken = false
  }

  // MARK: Drawing

  /// Shows `frame`; returns whether anything was written.
  @discardableResult
  func show(_ frame: Frame, theme: Theme) -> Bool {
    guard frame != shown || theme != shownTheme else { return false }
    let isFresh =
      shown?.width != frame.width || shown?.height != frame.height || theme != shownTheme
    var row: [cn_cell] = []
    row.reserveCapacity(frame.width)
    for y in 0..<frame.height {
      if !isFresh, let shown, shown.row(y) == frame.row(y) { continue }
      row.removeAll(keepingCapacity: true)
      for cell in frame.row(y) { row.append(translate(cell, theme)) }
      cn_put_row(Int32(y), row, Int32(row.count))
    }
    if let cursor = frame.cursor {
      cn_show_cursor(true, Int32(cursor.y), Int32(cursor.x))
    } else {
      cn_show_cursor(false, 0, 0)
    }
    cn_flush()
    shown = frame
    shownTheme = theme
    return true
  }

  /// Forgets what is shown, so that the next frame is drawn whole.
  func repaint() {
    cn_repaint()
    shown = nil
  }

  private func translate(_ cell: Cell, _ theme: Theme) -> cn_cell {
    let role = theme[cell.style.foreground]
    let background = theme[cell.style.background]
    var attributes = cell.style.attributes.union(role.attributes(at: colourDepth))
    attributes.formUnion(background.attributes(at: colourDepth).intersection(.reverse))
    var fore = number(role)
    var back = number(background)
    // Eight colours: the bright ones are the plain ones in bold.
    if colourDepth == .eight {
      if fore == 8 {
        // Bold black is black on many terminals.
        fore = -1
        attributes.insert(.dim)
      } else if fore >= 8 {
        fore -= 8
        attributes.insert(.bold)
      }
      if back >= 8 { back -= 8 }
    }
    return cn_cell(
      scalar: cell.scalar,
      pair: pair(PairKey(fore: fore, back: back)),
      attributes: UInt32(attributes.rawValue)
    )
  }

  private func number(_ swatch: Swatch) -> Int32 {
    switch colourDepth {
    case .none: return -1
    case .eight, .sixteen: return Int32(swatch.index16 ?? -1)
    case .palette: return Int32(swatch.index256 ?? -1)
    case .direct:
      guard let rgb = swatch.rgb else { return -1 }
      // Values below 8 would mean the first colours of the palette.
      return Int32(max(8, rgb.red << 16 | rgb.green << 8 | rgb.blue))
    }
  }

  /// Pairs are made when first needed: a screen uses some two hundred.
  private func pair(_ key: PairKey) -> Int32 {
    if key.fore == -1, key.back == -1 { return 0 }
    if let known = pairs[key] { return known }
    guard pairs.count + 1 < maximumPairs else { return 0 }
    let id = Int32(pairs.count + 1)
    cn_define_pair(id, key.fore, key.back)
    pairs[key] = id
    return id
  }

  // MARK: Input

  /// Waits for something to happen, at most this long, and returns all of it.
  func events(within milliseconds: Int) -> [Event] {
    let patience = input.wait.map { Int(($0 * 1000).rounded(.up)) } ?? milliseconds
    let seen = cn_wait(Int32(min(milliseconds, patience)))
    var events: [Event] = []
    while true {
      let signal = cn_next_signal()
      if signal == Int32(CN_NO_SIGNAL.rawValue) { break }
      switch UInt32(signal) {
      case CN_INTERRUPT.rawValue: events.append(.interrupt)
      case CN_TERMINATE.rawValue: events.append(.terminate)
      case CN_HANGUP.rawValue: events.append(.hangUp)
      case CN_STOP.rawValue: events.append(.stop)
      // Whoever had the terminal while we stood still has changed its modes and its screen.
      case CN_CONTINUE.rawValue: lose()
      case CN_RESIZE.rawValue where isTaken:
        // A resize to the same size means a new viewer (a reattached multiplexer): draw it all.
        cn_resize()
        shown = nil
        events.append(.resize(size))
      default: break
      }
    }
    if isTaken { events += keyboard() }
    note(events)
    if seen & Int32(CN_STRAY_READY) != 0, let text = readStray() {
      events.append(.capturedOutput(text))
    }
    if seen & Int32(CN_HUNG_UP) != 0 { events.append(.hangUp) }
    return events
  }

  /// Stops until `fg` or `bg`.
  func suspend() {
    awaitAnswers()
    isTaken = false
    cn_suspend()
  }

  /// What was typed, clicked and pasted.
  func keyboard() -> [Event] {
    var events: [Event] = []
    var bytes = [UInt8](repeating: 0, count: 4096)
    let now = ProcessInfo.processInfo.systemUptime
    // A flood must not hold up the picture for ever.
    for _ in 0..<16 {
      let count = Int(cn_read(&bytes, Int32(bytes.count)))
      if count > 0 { events += input.events(Array(bytes[..<count]), at: now) }
      if count < bytes.count { break }
    }
    return events + input.settle(at: now)
  }

  private func readStray() -> String? {
    let count = Int(cn_read_stray(&buffer, Int32(buffer.count)))
    guard count > 0 else { return nil }
    return String(decoding: buffer[0..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// What the keys send, as terminfo has it.
  private static func keys() -> [[UInt8]: Key] {
    let names: [(String, Key)] = [
      ("kcuu1", .up), ("kcud1", .down), ("kcub1", .left), ("kcuf1", .right), ("khome", .home),
      ("kend", .end), ("kpp", .pageUp), ("knp", .pageDown), ("kdch1", .delete), ("kcbt", .backTab),
      ("kent", .enter), ("kf1", .help), ("kbs", .backspace),
    ]
    var keys: [[UInt8]: Key] = [:]
    for (name, key) in names {
      if let text = cn_key_text(name) { keys[Array(String(cString: text).utf8)] = key }
    }
    return keys
  }
}

extension Terminal {
  /// Sends a control sequence past curses.
  func sendRaw(_ sequence: String) { cn_send(sequence) }

  /// Asks for clicks and the wheel, or no longer.
  func takeMouse(_ isOurs: Bool) { cn_set_mouse(isOurs) }

  /// Waits a little for bytes of the terminal; false where it has hung up or a signal has come.
  func waitForAnswers() -> Bool { cn_wait(50) & Int32(CN_HUNG_UP | CN_SIGNAL_READY) == 0 }
}
