/// What comes from the terminal, byte by byte, as events: keys, mouse reports, pastes, and replies
/// that somebody here waits for (spec S80).
///
/// Every other control sequence (ECMA-48: CSI, SS3, and the strings OSC, DCS, APC, PM and SOS) is
/// swallowed whole, in however many pieces and however late it comes; of its content a few bytes
/// are kept at most.
struct TerminalInput {
  private enum State {
    case ground
    /// After ESC, which by itself is a key.
    case escape
    case csi, ss3
    /// The letter after `ESC [ [`, as the Linux console sends F1 to F5.
    case consoleKey
    /// The three bytes after `CSI M`, a mouse report of the old form.
    case oldMouse(left: Int)
    case string
    /// After an ESC in a string, which ends it together with `\`.
    case stringEscape
    case paste
  }

  /// Keys by what the terminal sends for them, as far as terminfo knows.
  private let keys: [[UInt8]: Key]
  /// Seconds after which an ESC with nothing behind it was the key.
  private let escapeDelay: Double
  private var state = State.ground
  /// The control sequence so far, from its ESC on; as much as a key, a mouse report or a reply can
  /// have.
  private var sequence: [UInt8] = []
  /// The first bytes of a character that has not come whole.
  private var unfinished: [UInt8] = []
  private var pasted = String.UnicodeScalarView()
  /// How many scalars of the mark that ends a paste were the last to come.
  private var markLength = 0
  /// When bytes came last, and when an ESC was last taken for the key; seconds.
  private var lastBytes = 0.0
  private var lastEscape = -Double.infinity

  private static let escape: Unicode.Scalar = "\u{1B}"
  private static let longestSequence = 64
  private static let longestPaste = 4096
  /// Silence after which a lone byte is a key again, even in a string or a paste; seconds.
  private static let patience = 2.0
  /// Silence after which anything is; seconds.
  private static let longPatience = 30.0

  init(keys: [[UInt8]: Key] = [:], escapeDelay: Double = 0.05) {
    self.keys = keys
    self.escapeDelay = escapeDelay
  }

  /// Seconds from the last bytes on until `settle` should be called; nil if nothing waits for it.
  var wait: Double? {
    if case .escape = state { escapeDelay } else { nil }
  }

  /// What follows from silence until `now`: an ESC with nothing behind it is the key.
  mutating func settle(at now: Double) -> [Event] {
    guard case .escape = state, now - lastBytes >= escapeDelay else { return [] }
    state = .ground
    lastEscape = now
    return [.key(.escape)]
  }

  /// The events of bytes that came at `now`, in seconds of any clock.
  mutating func events(_ bytes: [UInt8], at now: Double) -> [Event] {
    var events: [Event] = []
    let silence = now - lastBytes
    lastBytes = now
    if isStuck(silence, bytes) { giveUp(&events) }
    // The network parted a sequence after its ESC: nobody types an introducer and more at once.
    if case .ground = state, now - lastEscape < Self.patience, bytes.count > 1,
      Self.state(after: Unicode.Scalar(bytes[0])) != nil
    {
      state = .escape
    }
    lastEscape = -.infinity
    for byte in bytes { take(byte, &events) }
    return events
  }

  /// Whether what has begun will hardly end any more, so that the keyboard is to work again.
  ///
  /// A person presses one key at a time; what is left of a sequence or a paste comes in one piece.
  private func isStuck(_ silence: Double, _ bytes: [UInt8]) -> Bool {
    switch state {
    case .ground, .escape: false
    case .string, .stringEscape, .paste:
      silence > (bytes.count == 1 ? Self.patience : Self.longPatience)
    default: silence > Self.longPatience
    }
  }

  private mutating func giveUp(_ events: inout [Event]) {
    if case .paste = state { endPaste(&events) }
    state = .ground
    unfinished = []
  }

  // MARK: Characters

  private mutating func take(_ byte: UInt8, _ events: inout [Event]) {
    if case .oldMouse(let left) = state {
      state = left > 1 ? .oldMouse(left: left - 1) : .ground
      return
    }
    if let first = unfinished.first {
      if byte & 0xC0 == 0x80 {
        unfinished.append(byte)
        guard unfinished.count == (first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4) else { return }
        let scalars = String(decoding: unfinished, as: UTF8.self).unicodeScalars
        unfinished = []
        if scalars.count == 1, let scalar = scalars.first { take(scalar, &events) }
        return
      }
      unfinished = []
    }
    switch byte {
    case 0xC2...0xF4: unfinished = [byte]
    // The controls of eight bits count by themselves as well; other bytes are not UTF-8.
    case ..<0xA0: take(Unicode.Scalar(byte), &events)
    default: break
    }
  }

  private mutating func take(_ scalar: Unicode.Scalar, _ events: inout [Event]) {
    if case .paste = state { return takePasted(scalar, &events) }
    let isString =
      switch state {
      case .string, .stringEscape: true
      default: false
      }
    switch scalar.value {
    case 0x18, 0x1A:
      // CAN and SUB break any sequence off.
      if case .ground = state { break }
      state = .ground
      return
    case 0x1B:
      if case .escape = state { events.append(.key(.escape)) }
      state = isString ? .stringEscape : .escape
      return
    case 0x80..<0xA0 where !isString:
      // The controls of eight bits are those of ESC and a letter: 0x9B is ESC [.
      begin(Unicode.Scalar(UInt8(scalar.value - 0x40)))
      return
    default: break
    }
    switch state {
    case .escape:
      if Self.state(after: scalar) != nil { return begin(scalar) }
      state = .ground
      if scalar.isASCII, let key = keys[[0x1B, UInt8(scalar.value)]] {
        events.append(.key(key))
      } else {
        events.append(.key(.escape))
        take(scalar, &events)
      }
    case .csi, .ss3: takeInSequence(scalar, &events)
    case .consoleKey:
      state = .ground
      if scalar == "A" { events.append(.key(.help)) }
    case .string:
      if scalar.value == 0x07 || scalar.value == 0x9C {
        endString(&events)
      } else if sequence.count < Self.longestSequence {
        // What is not ASCII is in no reply; a question mark spoils it.
        sequence.append(scalar.isASCII ? UInt8(scalar.value) : UInt8(ascii: "?"))
      }
    case .stringEscape:
      // Any ESC ends a string; with `\` behind it that is all.
      let isEnd = scalar == "\\" || scalar.value == 0x07 || scalar.value == 0x9C
      if isEnd { return endString(&events) }
      state = .escape
      take(scalar, &events)
    case .ground, .oldMouse, .paste: events.append(.key(key(scalar)))
    }
  }

  private func key(_ scalar: Unicode.Scalar) -> Key {
    switch scalar.value {
    case 0x09: .tab
    case 0x0A, 0x0D: .enter
    case ..<0x20, 0x7F:
      keys[[UInt8(scalar.value)]]
        ?? (scalar.value == 0x08 || scalar.value == 0x7F ? .backspace : .character(scalar))
    default: .character(scalar)
    }
  }

  // MARK: Sequences

  /// What an introducer begins; nil for what is none.
  private static func state(after introducer: Unicode.Scalar) -> State? {
    switch introducer {
    case "[": .csi
    case "O": .ss3
    case "]", "P", "_", "^", "X": .string
    default: nil
    }
  }

  private mutating func begin(_ introducer: Unicode.Scalar) {
    state = Self.state(after: introducer) ?? .ground
    sequence = [0x1B, UInt8(introducer.value)]
  }

  private mutating func endString(_ events: inout [Event]) {
    state = .ground
    guard sequence.count < Self.longestSequence, sequence[1] == UInt8(ascii: "]"),
      let reply = TerminalReply(command: sequence[2...])
    else { return }
    events.append(.reply(reply))
  }

  private mutating func takeInSequence(_ scalar: Unicode.Scalar, _ events: inout [Event]) {
    guard (0x20..<0x7F).contains(scalar.value) else {
      // Controls within a sequence are not part of it; other characters are the end of it.
      if scalar.value > 0x7F { state = .ground }
      return
    }
    if sequence.count < Self.longestSequence { sequence.append(UInt8(scalar.value)) }
    guard scalar.value >= 0x40 else { return }
    let isWhole = sequence.count < Self.longestSequence
    let isCSI = sequence[1] == UInt8(ascii: "[")
    state = .ground
    if isWhole, let key = keys[sequence] { return events.append(.key(key)) }
    let inner = sequence[2..<sequence.count - 1]
    let parameters = isWhole ? String(decoding: inner, as: UTF8.self) : "?"
    if isCSI, parameters.isEmpty, scalar == "[" { return state = .consoleKey }
    if isCSI, parameters.isEmpty, scalar == "M" { return state = .oldMouse(left: 3) }
    if isCSI, parameters == "200", scalar == "~" { return state = .paste }
    if isCSI, parameters.hasPrefix("<") {
      if let event = Self.mouse(parameters.dropFirst(), scalar) { events.append(event) }
    } else if isCSI, let reply = TerminalReply(parameters: parameters, final: scalar) {
      events.append(.reply(reply))
    } else if let key = Self.key(parameters, scalar) {
      events.append(.key(key))
    }
  }

  /// A press, a move with the left button held, or its release, as SGR mouse reports have it:
  /// button, column and row, counted from 1.
  private static func mouse(_ parameters: Substring, _ final: Unicode.Scalar) -> Event? {
    let numbers = parameters.split(separator: ";").compactMap { Int($0) }
    guard numbers.count == 3, numbers.allSatisfy({ (0...65_535).contains($0) }) else { return nil }
    let (button, x, y) = (numbers[0], numbers[1] - 1, numbers[2] - 1)
    switch (final, button) {
    case ("M", 32): return .drag(x: x, y: y)
    // Other buttons, or keys held, on the move.
    case ("M", 33..<64): return nil
    case ("M", _): return .mouse(x: x, y: y, button: button)
    case ("m", 0): return .release
    default: return nil
    }
  }

  /// The keys that terminals agree on, without modifiers.
  private static func key(_ parameters: String, _ final: Unicode.Scalar) -> Key? {
    if final == "~" {
      switch parameters {
      case "1", "7": return .home
      case "4", "8": return .end
      case "3": return .delete
      case "5": return .pageUp
      case "6": return .pageDown
      case "11": return .help
      default: return nil
      }
    }
    guard ["", "1", "1;1"].contains(parameters) else { return nil }
    switch final {
    case "A": return .up
    case "B": return .down
    case "C": return .right
    case "D": return .left
    case "H": return .home
    case "F": return .end
    case "P": return .help
    case "M": return .enter
    case "Z": return .backTab
    default: return nil
    }
  }

  // MARK: Pastes

  /// What ends a paste: CSI 201 ~.
  private static let mark: [Unicode.Scalar] = ["\u{1B}", "[", "2", "0", "1", "~"]

  private mutating func takePasted(_ scalar: Unicode.Scalar, _ events: inout [Event]) {
    if scalar.value == 0x9B {
      markLength = 2
    } else if scalar == Self.mark[markLength] {
      markLength += 1
      if markLength == Self.mark.count { endPaste(&events) }
    } else if scalar == Self.escape {
      markLength = 1
    } else {
      // What looked like the mark was text; its ESC is dropped as all controls are.
      if markLength > 1 { pasted += Self.mark[1..<markLength] }
      markLength = 0
      let isText = scalar.value >= 0x20 && !(0x7F..<0xA0).contains(scalar.value)
      if isText, pasted.count < Self.longestPaste { pasted.append(scalar) }
    }
  }

  private mutating func endPaste(_ events: inout [Event]) {
    state = .ground
    events.append(.paste(String(pasted)))
    pasted = String.UnicodeScalarView()
    markLength = 0
  }
}
