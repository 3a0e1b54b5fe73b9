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
  private let depth: ColourDepth
  private let colours: Int
  private let maximumPairs: Int
  private var isOpen = true
  private var buffer = [CChar](repeating: 0, count: 4096)

  private struct PairKey: Hashable {
    var fore: Int32
    var back: Int32
  }

  /// Why there can be no dashboard here, or nil.
  static func obstacle() -> UserError? { error(cn_check()) }

  /// Takes the characters from the environment's locale; whether they are UTF-8.
  static func useLocale() -> Bool { cn_use_locale() }

  private static func error(_ status: Int32) -> UserError? {
    let term = ProcessInfo.processInfo.environment["TERM"] ?? ""
    let remedy = "run it with --headless, or in another terminal"
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
        "TERM=\(term)",
        "this terminal cannot place its cursor",
        remedy: remedy
      )
    default:
      return UserError(
        .unavailable,
        "TERM=\(term)",
        "no such terminal is known (terminfo)",
        remedy: remedy
      )
    }
  }

  /// Colours that the terminal shows; NO_COLOR takes them all away.
  init(environment: [String: String], mouse: Bool) throws {
    if let error = Self.error(cn_open(Self.richerName(environment), mouse)) { throw error }
    colours = Int(cn_colours())
    maximumPairs = min(Int(cn_pairs()), 32_000)
    let noColour = !(environment["NO_COLOR"] ?? "").isEmpty
    depth =
      if noColour || colours < 8 { .none } else if cn_is_direct_colour() {
        .direct
      } else if colours
        >= 256
      { .palette } else if colours >= 16 { .sixteen } else { .eight }
  }

  /// A terminfo name with more colours for a terminal that surely has them but does not say so.
  ///
  /// COLORTERM promises true colour, for which ncurses has entries of their own; tmux may call
  /// itself `screen` and always draws 256 colours. Where the entry is missing TERM stands.
  private static func richerName(_ environment: [String: String]) -> String? {
    guard let term = environment["TERM"] else { return nil }
    let base = term.hasSuffix("-256color") ? String(term.dropLast(9)) : term
    guard ["screen", "tmux", "xterm"].contains(base) else { return nil }
    let promise = environment["COLORTERM"] ?? ""
    if promise == "truecolor" || promise == "24bit" {
      let direct = (base == "screen" ? "tmux" : base) + "-direct"
      if cn_knows(direct) { return direct }
    }
    let isRicher = !promise.isEmpty || environment["TMUX"]?.isEmpty == false
    return isRicher && base == term ? term + "-256color" : nil
  }

  deinit { close() }

  var colourDepth: ColourDepth { depth }

  var size: Size {
    var width: Int32 = 0
    var height: Int32 = 0
    cn_size(&width, &height)
    return Size(Int(width), Int(height))
  }

  /// Gives the terminal back as it was; prints of the meantime follow on standard error.
  func close() {
    guard isOpen else { return }
    isOpen = false
    _ = readStray()
    cn_close()
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
    let ink = theme[cell.style.ink]
    let paper = theme[cell.style.paper]
    var attributes = cell.style.attributes.union(ink.attributes(at: depth))
    attributes.formUnion(paper.attributes(at: depth).intersection(.reverse))
    var fore = number(ink)
    var back = number(paper)
    // Eight colours: the bright ones are the plain ones in bold.
    if depth == .eight {
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
    switch depth {
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

  /// Waits for something to happen, at most this long, and tells all of it.
  func events(within milliseconds: Int) -> [Event] {
    let seen = cn_wait(Int32(milliseconds))
    var events: [Event] = []
    while true {
      let signal = cn_next_signal()
      if signal == Int32(CN_NO_SIGNAL.rawValue) { break }
      switch UInt32(signal) {
      case CN_INTERRUPT.rawValue: events.append(.interrupt)
      case CN_TERMINATE.rawValue: events.append(.terminate)
      case CN_HANGUP.rawValue: events.append(.hangUp)
      case CN_STOP.rawValue: events.append(.stop)
      case CN_RESIZE.rawValue, CN_CONTINUE.rawValue:
        // A resize to the same size means a new viewer (a reattached multiplexer): draw it all.
        cn_resize()
        shown = nil
        events.append(.resize(size))
      default: break
      }
    }
    if seen & Int32(CN_INPUT_READY) != 0 {
      for _ in 0..<256 {
        let event = cn_next_event()
        if event.kind == Int32(CN_NONE.rawValue) { break }
        if let event = decode(event) { events.append(event) }
      }
    }
    if seen & Int32(CN_STRAY_READY) != 0, let text = readStray() {
      events.append(.stray(text))
    }
    if seen & Int32(CN_HUNG_UP) != 0 { events.append(.hangUp) }
    return events
  }

  /// Gives the terminal to the shell until `fg`.
  func suspend() {
    cn_suspend()
    shown = nil
  }

  private func readStray() -> String? {
    let count = Int(cn_read_stray(&buffer, Int32(buffer.count)))
    guard count > 0 else { return nil }
    return String(decoding: buffer[0..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private func decode(_ event: cn_event) -> Event? {
    switch UInt32(event.kind) {
    case CN_MOUSE.rawValue:
      return .mouse(x: Int(event.x), y: Int(event.y), button: Int(event.code))
    case CN_CHARACTER.rawValue:
      switch event.code {
      case 27: return .key(.escape)
      case 9: return .key(.tab)
      case 10, 13: return .key(.enter)
      case 8, 127: return .key(.backspace)
      default: return Unicode.Scalar(UInt32(event.code)).map { .key(.character($0)) }
      }
    case CN_KEY.rawValue: return .key(Self.keys[UInt32(event.code)] ?? .other)
    default: return nil
    }
  }

  private static let keys: [UInt32: Key] = [
    CN_UP.rawValue: .up, CN_DOWN.rawValue: .down, CN_LEFT.rawValue: .left,
    CN_RIGHT.rawValue: .right, CN_HOME.rawValue: .home, CN_END.rawValue: .end,
    CN_PAGE_UP.rawValue: .pageUp, CN_PAGE_DOWN.rawValue: .pageDown,
    CN_BACKSPACE.rawValue: .backspace, CN_DELETE.rawValue: .delete, CN_BACK_TAB.rawValue: .backTab,
    CN_ENTER.rawValue: .enter, CN_F1.rawValue: .help,
  ]
}
