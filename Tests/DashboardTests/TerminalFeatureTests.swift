@testable import Dashboard
import Foundation
import Runs
import Testing

/// What is sent to the terminal besides frames, and to which.
struct TerminalFeatureTests {
  private func features(_ environment: [String: String]) throws -> TerminalFeatures {
    try TerminalFeatures(["TERM": "xterm-256color"].merging(environment) { $1 })
  }

  /// Environments of terminals, and whether they take progress and links, and which notice.
  private static let terminals: [([String: String], Bool, Bool, TerminalFeatures.Notice?)] = [
    ([:], false, false, .bell),
    (["WT_SESSION": "1-2"], true, true, .bell),
    (["ConEmuANSI": "ON"], true, false, .bell), (["ConEmuANSI": "OFF"], false, false, .bell),
    (["TERM_PROGRAM": "ghostty", "TERM_PROGRAM_VERSION": "1.2.0"], true, true, .osc777),
    (["TERM_PROGRAM": "ghostty", "TERM_PROGRAM_VERSION": "1.1.9"], false, true, .osc777),
    // Older ones show each progress as a notice.
    (["TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "3.6.0"], true, true, .osc9),
    (["TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "3.5.14"], false, true, .osc9),
    (["TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "3.10"], true, true, .osc9),
    (["TERM_PROGRAM": "WezTerm", "TERM_PROGRAM_VERSION": "20240203-110809"], false, true, .osc777),
    (["TERM_PROGRAM": "WezTerm", "TERM_PROGRAM_VERSION": "20250301-1"], true, true, .osc777),
    (["VTE_VERSION": "8000"], true, true, .bell), (["VTE_VERSION": "7600"], false, true, .bell),
    (["VTE_VERSION": "5001"], false, false, .bell),
    (["KONSOLE_VERSION": "250400"], true, true, .bell),
    (["TERM": "xterm-kitty", "KITTY_WINDOW_ID": "1"], false, true, .osc99),
    (["TERM": "foot"], false, true, .osc777), (["TERM": "linux"], false, false, .bell),
    (["TERM": "dumb"], false, false, nil),
    (["TERM_PROGRAM": "Apple_Terminal"], false, false, .bell),
    (["TMUX": "t", "TERM_PROGRAM": "tmux", "TERM_PROGRAM_VERSION": "3.3a"], false, false, .bell),
    (["TMUX": "t", "TERM_PROGRAM": "tmux", "TERM_PROGRAM_VERSION": "3.4"], false, true, .bell),
    (["TMUX": "t", "WT_SESSION": "1"], true, false, .bell),
    (["WT_SESSION": "1", "CI": "true"], true, true, nil),
  ]

  @Test func `each terminal gets what it is known to take`() throws {
    for (environment, progress, links, notice) in Self.terminals {
      let found = try features(environment)
      #expect(found.progress == progress, "progress of \(environment)")
      #expect(found.links == links, "links of \(environment)")
      #expect(found.notice == notice, "notice of \(environment)")
      #expect(found.clipboard && found.mouse && found.isLight == nil)
    }
    #expect(try features(["TERM": "linux"]).answers == false)
    #expect(try features(["TERM": "xterm"]).answers)
  }

  @Test func `variables switch each on and off, and refuse other words`() throws {
    let on = try features([
      "SUPERTOP_PROGRESS": "on", "SUPERTOP_LINKS": "on", "SUPERTOP_NOTIFY": "osc9", "CI": "1",
      "SUPERTOP_BACKGROUND": "light",
    ])
    #expect(on.progress && on.links && on.notice == .osc9 && on.isLight == true)
    let off = try features([
      "WT_SESSION": "1", "SUPERTOP_PROGRESS": "off", "SUPERTOP_LINKS": "off",
      "SUPERTOP_NOTIFY": "off", "SUPERTOP_CLIPBOARD": "off", "SUPERTOP_MOUSE": "off",
      "SUPERTOP_BACKGROUND": "dark",
    ])
    #expect(!off.progress && !off.links && off.notice == nil && !off.clipboard && !off.mouse)
    #expect(off.isLight == false)
    for name in ["PROGRESS", "LINKS", "CLIPBOARD", "MOUSE", "NOTIFY", "BACKGROUND"] {
      let error = #expect(throws: UserError.self) { try features(["SUPERTOP_\(name)": "maybe"]) }
      #expect(error?.place == "SUPERTOP_\(name)=maybe" && error?.remedy.isEmpty == false)
      #expect(throws: Never.self) { try features(["SUPERTOP_\(name)": ""]) }
    }
  }

  @Test func `sequences are as their terminals define them`() {
    let e = "\u{1B}"
    #expect(EscapeSequence.question == "\(e)]11;?\(e)\\\(e)[c")
    #expect(EscapeSequence.progress(nil) == "\(e)]9;4;0;0\(e)\\")
    #expect(
      EscapeSequence.progress(TabProgress(state: .paused, percent: 41)) == "\(e)]9;4;4;41\(e)\\"
    )
    #expect(EscapeSequence.copy("añb\n") == "\(e)]52;c;YcOxYgo=\(e)\\")
    #expect(EscapeSequence.notice("a\u{1B}b\u{07}", by: .osc9) == "\(e)]9;a\\u001bb\\u0007\(e)\\")
    #expect(EscapeSequence.notice("x", by: .osc777) == "\(e)]777;notify;supertop;x\(e)\\")
    #expect(EscapeSequence.notice("x", by: .osc99) == "\(e)]99;;x\(e)\\")
    #expect(EscapeSequence.notice("x", by: .bell) == "\u{07}")
    #expect(
      EscapeSequence.link("a", to: "file://h/a") == "\(e)]8;;file://h/a\(e)\\a\(e)]8;;\(e)\\"
    )
    #expect(EscapeSequence.address("/a b/é;%", host: "h") == "file://h/a%20b/%C3%A9%3B%25")
  }

  @Test func `multiplexers let sequences through`() {
    let e = "\u{1B}"
    let sequence = EscapeSequence.copy("x")
    #expect(EscapeSequence.passed(sequence, through: nil) == sequence)
    #expect(
      EscapeSequence.passed(sequence, through: .tmux)
        == "\(e)Ptmux;\(e)\(e)]52;c;eA==\(e)\(e)\\\(e)\\"
    )
    #expect(EscapeSequence.passed(sequence, through: .screen) == "\(e)P\(e)]52;c;eA==\u{07}\(e)\\")
    // What is long goes to screen in pieces, which together are the whole.
    let long = EscapeSequence.copy(String(repeating: "supertop ", count: 200))
    let pieces = EscapeSequence.passed(long, through: .screen).components(separatedBy: "\(e)\\")
    #expect(pieces.count > 8 && pieces.last == "" && pieces.allSatisfy { $0.utf8.count < 256 })
    #expect(
      pieces.dropLast().map { String($0.dropFirst(2)) }.joined()
        == long.replacing("\(e)\\", with: "\u{07}")
    )
  }

  @Test func `links are for terminals that take them, and only around the path`() {
    let text = "run runs/a b: preset digits, runs/a b"
    let plain = ["TERM": "xterm"]
    let links = ["TERM": "xterm", "SUPERTOP_LINKS": "on"]
    #expect(linked(text, to: "runs/a b", environment: plain) == text)
    #expect(linked(text, to: "elsewhere", environment: links) == text)
    #expect(linked(text, to: "", environment: links) == text)
    let shown = linked("see runs/a b.", to: "runs/a b", environment: links)
    #expect(shown.hasPrefix("see \u{1B}]8;;file://") && shown.hasSuffix("\u{1B}]8;;\u{1B}\\."))
    #expect(shown.contains("/runs/a%20b\u{1B}\\runs/a b\u{1B}"))
    let odd = linked("a\\u001bb".printable(), to: "a\u{1B}b", environment: links)
    #expect(odd.contains("a%1Bb\u{1B}\\a\\u001bb\u{1B}"))
  }
}
