import Foundation
import Testing

@testable import Dashboard

/// Bytes of the terminal: what is a key and what is swallowed.
struct TerminalInputTests {
  private static let e = "\u{1B}"

  /// What bytes come to that arrive in pieces, `delay` seconds apart, and are followed by silence.
  private func events(
    _ pieces: [String],
    delay: Double = 0.01,
    keys: [[UInt8]: Key] = [:]
  ) -> [String] {
    events(pieces.map { Array($0.utf8) }, delay: delay, keys: keys)
  }

  private func events(
    _ pieces: [[UInt8]],
    delay: Double = 0.01,
    keys: [[UInt8]: Key] = [:]
  ) -> [String] {
    var input = TerminalInput(keys: keys)
    var now = 100.0
    var events: [Event] = []
    for piece in pieces {
      events += input.events(piece, at: now)
      events += input.settle(at: now + 0.9 * delay)
      now += delay
    }
    return (events + input.settle(at: now + 1)).map { "\($0)" }
  }

  private func key(_ key: Key) -> String { "\(Event.key(key))" }
  private func key(_ scalar: Unicode.Scalar) -> String { "\(Event.key(.character(scalar)))" }

  /// Sequences that nobody here asked for.
  static let strangers = [
    "\(e)[>41;390;0c", "\(e)]12;rgb:1e1e/1e1e/2e2e\(e)\\", "\(e)]11;red\(e)\\", "\(e)[?997;3n",
    "\(e)]11;rgb:1/2\u{07}", "\(e)]11;rgb:12345/1/1\u{07}", "\(e)]11;#12345\u{07}", "\(e)[997;1n",
    "\(e)P11;#ffffff\(e)\\", "\(e)]11;rgb:+f/0/0\(e)\\", "\(e)]11;rgb:１/1/1\(e)\\",
    "\(e)]10;rgb:c/c/c\u{07}",
    "\(e)P>|kitty(0.35.2)\(e)\\", "\(e)P1+r544e=7874\(e)\\", "\(e)[24;80R", "\(e)[?2026;2$y",
    "\(e)[113;5u", "\(e)[99;1:3u", "\(e)[27;6;67~", "\(e)]lsupertop - search\(e)\\", "\(e)[I",
    "\(e)[O", "\(e)_Gi=31;OK\(e)\\", "\(e)^private\(e)\\", "\(e)Xsos q\(e)\\", "\(e)OQ", "\(e)O2P",
    "\(e)[1;5A", "\(e)[3;2~", "\(e)]52;c;cXVpdA==\u{07}", "\(e)[<M",
    "\(e)[<1;2;99999999999999999999M", "\(e)[201~", "\(e)[[B", "\(e)[M qc", "\(e)]0;✓ q\(e)\\",
    "\u{9D}11;q\u{9C}", "\u{90}1$r0m\u{9C}", "\u{8F}R",
    "\(e)[\(String(repeating: "1;", count: 500))m",
    "\(e)]52;c;\(String(repeating: "cc", count: 50_000))\(e)\\",
  ]

  @Test(arguments: strangers)
  func `unknown sequences are swallowed whole, and the next key is a key`(text: String) {
    #expect(events([text, "q"]) == [key("q")])
    let bytes = Array(text.utf8)
    guard bytes.count < 200 else { return }
    for cut in 1..<bytes.count {
      let pieces = [Array(bytes[..<cut]), Array(bytes[cut...]), Array("q".utf8)]
      #expect(events(pieces) == [key("q")], "cut at \(cut)")
    }
    #expect(events(bytes.map { [$0] } + [Array("q".utf8)]) == [key("q")])
    // However late; what comes after an ESC that was long taken for the key is still no letters.
    for cut in 2..<bytes.count where bytes.count - cut > 1 {
      let pieces = [Array(bytes[..<cut]), Array(bytes[cut...]), Array("q".utf8)]
      let late = events(pieces, delay: 1.5)
      #expect(late == [key("q")], "cut at \(cut)")
    }
  }

  @Test func `controls of eight bits that are no UTF-8 introduce sequences too`() {
    #expect(events([[0x9B] + Array("?62;22cq".utf8)]) == [reply(.attributes), key("q")])
    #expect(events([[0x9D] + Array("11;q".utf8) + [0x9C], [0x71]]) == [key("q")])
  }

  @Test func `an ESC by itself is the key, after a short wait`() {
    #expect(events([Self.e]) == [key(.escape)])
    #expect(events([Self.e, Self.e], delay: 0.2) == [key(.escape), key(.escape)])
    #expect(events([Self.e + Self.e]) == [key(.escape), key(.escape)])
    #expect(events([Self.e + "q"]) == [key(.escape), key("q")])
    #expect(events([Self.e, "c"], delay: 0.2) == [key(.escape), key("c")])
    var input = TerminalInput()
    #expect(input.wait == nil)
    #expect(input.events([0x1B], at: 5).isEmpty && input.wait == 0.05)
    #expect(input.settle(at: 5.02).isEmpty)
    #expect(input.settle(at: 5.06).count == 1 && input.wait == nil)
    // The rest of a reply that the network parted there.
    #expect(
      events([Self.e, "[?62;22c", "q"], delay: 0.3) == [
        key(.escape), reply(.attributes), key("q"),
      ]
    )
    #expect(events([Self.e, "]11;cc\u{07}", "q"], delay: 0.3) == [key(.escape), key("q")])
  }

  @Test func `CAN and SUB break a sequence off, ESC begins another`() {
    for cancel in ["\u{18}", "\u{1A}"] {
      #expect(events([Self.e + "]11;rgb" + cancel + "q"]) == [key("q")])
      #expect(events([Self.e + "[12" + cancel + "q"]) == [key("q")])
      #expect(events([Self.e + "P1" + cancel + "q"]) == [key("q")])
    }
    #expect(events([Self.e + "[12" + Self.e + "[A"]) == [key(.up)])
    #expect(events([Self.e + "]11;rgb" + Self.e + "[A"]) == [key(.up)])
  }

  @Test func `keys of all kinds of terminals`() {
    let expected: [(String, Key)] = [
      ("[A", .up), ("OB", .down), ("[C", .right), ("OD", .left), ("[H", .home), ("OF", .end),
      ("[1~", .home), ("[4~", .end), ("[7~", .home), ("[8~", .end), ("[5~", .pageUp),
      ("[6~", .pageDown), ("[3~", .delete), ("[Z", .backTab), ("OP", .help), ("[11~", .help),
      ("[[A", .help), ("OM", .enter), ("[1;1A", .up),
    ]
    for (text, what) in expected { #expect(events([Self.e + text]) == [key(what)], "\(text)") }
    #expect(
      events(["\t\r\n\u{7F}\u{08}\u{0C}é"])
        == [
          key(.tab), key(.enter), key(.enter), key(.backspace), key(.backspace), key("\u{0C}"),
          key("é"),
        ]
    )
    // What terminfo says goes before.
    let keys: [[UInt8]: Key] = [Array("\u{1B}[25~".utf8): .end, [0x1B, 0x41]: .up, [0x0B]: .up]
    #expect(events(["\u{1B}[25~\u{1B}A\u{0B}"], keys: keys) == [key(.end), key(.up), key(.up)])
    // A character in pieces, and one that never comes whole.
    #expect(events([[0xC3], [0xA9], [0xE9], [0x71]]) == [key("é"), key("q")])
  }

  @Test func `mouse reports are presses at cells`() {
    #expect(events(["\(Self.e)[<0;12;3M"]) == ["\(Event.mouse(x: 11, y: 2, button: 0))"])
    #expect(events(["\(Self.e)[<6", "5;1;1M"]) == ["\(Event.mouse(x: 0, y: 0, button: 65))"])
    #expect(events(["\(Self.e)[<32;12;3M"]) == ["\(Event.drag(x: 11, y: 2))"])
    #expect(events(["\(Self.e)[<0;12;3m"]) == ["\(Event.release)"])
    // Other buttons on the move, and their release.
    for other in ["35;1;1M", "34;1;1M", "2;1;1m", "65;1;1m", "48;1;1M"] {
      #expect(events(["\(Self.e)[<\(other)", "q"]) == [key("q")], "\(other)")
    }
  }

  private func reply(_ reply: TerminalReply) -> String { "\(Event.reply(reply))" }

  private static let violet = TerminalReply.background(RGB(0x1e, 0x1e, 0x2e))

  /// What terminals answer, and what it says.
  static let replies: [(String, TerminalReply)] = [
    ("\(e)[?62;22c", .attributes), ("\u{9B}?62c", .attributes), ("\(e)[?1;2c", .attributes),
    ("\(e)[?997;1n", .scheme(isDark: true)), ("\(e)[?997;2n", .scheme(isDark: false)),
    ("\(e)]11;rgb:1e1e/1e1e/2e2e\(e)\\", violet), ("\(e)]11;rgb:1e/1e/2e\u{07}", violet),
    ("\(e)]11;rgba:1e1e/1e1e/2e2e/ffff\u{07}", violet), ("\(e)]11;#1e1e2e\(e)\\", violet),
    ("\(e)]11;#1e1e1e1e2e2e\u{07}", violet), ("\u{9D}11;rgb:1E1E/1E1E/2E2E\u{9C}", violet),
    ("\(e)]11;rgb:f/f/f\u{07}", .background(RGB(255, 255, 255))),
    ("\(e)]11;#000\u{07}", .background(RGB(0, 0, 0))),
    ("\(e)]11;rgb:800/800/800\(e)\\", .background(RGB(128, 128, 128))),
  ]

  @Test(arguments: replies)
  func `a reply is read wherever it is cut, and is no key`(text: String, meaning: TerminalReply) {
    let expected = [reply(meaning), key("q")]
    #expect(events([text, "q"]) == expected)
    #expect(events([text + "q"]) == expected)
    let bytes = Array(text.utf8)
    for cut in 1..<bytes.count {
      for end in cut...bytes.count {
        let pieces = [bytes[..<cut], bytes[cut..<end], bytes[end...], [0x71]].map { Array($0) }
        #expect(events(pieces) == expected, "cut at \(cut) and \(end)")
      }
    }
    #expect(events(bytes.map { [$0] } + [[0x71]]) == expected)
    // Among what a person types; and after a long silence within.
    #expect(events(["j" + text + "k"]) == [key("j"), reply(meaning), key("k")])
    for cut in 2..<bytes.count where bytes.count - cut > 1 {
      let pieces = [Array(bytes[..<cut]), Array(bytes[cut...]), [0x71]]
      #expect(events(pieces, delay: 1.5) == expected, "late at \(cut)")
    }
    // One that a CAN breaks off says nothing.
    let broken = Array(bytes.dropLast()) + [0x18, 0x71]
    #expect(events([broken]) == [key("q")])
  }

  private func paste(_ text: String) -> String { "\(Event.paste(text))" }

  @Test func `a paste is one event, on one line, in however many pieces`() {
    let text = "\(Self.e)[200~q\ns\tc \u{07}é✓\u{9B}31m\(Self.e)[20x\(Self.e)[201~"
    let pasted = paste("qsc é✓[31m[20x")
    #expect(events([text, "q"]) == [pasted, key("q")])
    let bytes = Array(text.utf8)
    for cut in 1..<bytes.count {
      #expect(
        events([Array(bytes[..<cut]), Array(bytes[cut...]), [0x71]]) == [pasted, key("q")],
        "cut at \(cut)"
      )
    }
    for cut in 6..<bytes.count - 1 {
      #expect(
        events([Array(bytes[..<cut]), Array(bytes[cut...])], delay: 5) == [pasted],
        "cut at \(cut)"
      )
    }
    let long = events([
      "\(Self.e)[200~" + String(repeating: "x", count: 1 << 20), "\(Self.e)[201~", "q",
    ])
    #expect(long.count == 2 && long[0].count < 5000 && long[1] == key("q"))
  }

  @Test func `what never ends gives the keyboard back`() {
    for text in ["[200~12", "]11;rgb", "P1", "_x"] {
      let start = Self.e + text
      let first = text == "[200~12" ? [paste("12")] : []
      // At once it still belongs to it; after silence a key is a key.
      #expect(events([start, "q"], delay: 0.5) == [])
      #expect(events([start, "q"], delay: 2.5) == first + [key("q")])
      #expect(events([start, Self.e + "[A"], delay: 40) == first + [key(.up)])
    }
    for text in ["[", "O", "[12;"] {
      #expect(events([Self.e + text, "q", "c"], delay: 2.5) == [key("c")])
    }
  }
}

struct TerminalNameTests {
  private func entry(_ term: String?, known: Set<String>) -> String? {
    TerminalName.entry(term.map { ["TERM": $0] } ?? [:]) { known.contains($0) }
  }

  @Test(arguments: [
    "xterm-kitty", "kitty", "xterm-ghostty", "ghostty", "foot", "foot-extra", "alacritty",
    "alacritty-direct", "wezterm", "rio", "contour", "xterm-nosuch", "st-256color", "Konsole",
  ])
  func `a terminal of xterm's family is drawn as one where it is unknown`(term: String) {
    #expect(entry(term, known: ["xterm-256color", "xterm"]) == "xterm-256color")
    #expect(entry(term, known: ["xterm"]) == "xterm")
    #expect(entry(term, known: ["xterm-256color", term]) == term)
    #expect(entry(term, known: []) == term)
  }

  @Test func `of others nothing is guessed`() {
    for term in ["nonsense", "dumb", "vt52", "footprint", "stone", "x", ""] {
      #expect(entry(term, known: ["xterm-256color"]) == term)
    }
    #expect(entry(nil, known: ["xterm-256color"]) == nil)
    #expect(
      entry("tmux-256color", known: ["xterm-256color", "screen-256color"]) == "screen-256color"
    )
  }

  @Test func `more colours are used where they are promised`() {
    let knows: (String) -> Bool = { ["xterm-256color", "xterm-direct"].contains($0) }
    let kitty = ["TERM": "xterm-kitty", "COLORTERM": "truecolor"]
    #expect(TerminalName.richer(kitty, knows: knows) == "xterm-direct")
    #expect(TerminalName.richer(["TERM": "xterm-kitty"], knows: knows) == nil)
  }
}
