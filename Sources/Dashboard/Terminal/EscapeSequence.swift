import Foundation
import Runs

/// What is sent to a terminal besides pictures, as texts.
enum EscapeSequence {
  /// ESC, and the string terminator.
  private static let (escape, end) = ("\u{1B}", "\u{1B}\\")

  /// Asks for the colour of the ground, and behind it for what every terminal answers: once that is
  /// there nothing else will come.
  ///
  /// Never wrapped: a multiplexer answers for itself.
  static let question = "\u{1B}]11;?\u{1B}\\\u{1B}[c"

  /// The operating system command of that text.
  static func command(_ text: String) -> String { escape + "]" + text + end }

  /// Progress of the tab or of the task bar; nil clears it.
  static func progress(_ progress: TabProgress?) -> String {
    command("9;4;\(progress?.state.rawValue ?? 0);\(progress?.percent ?? 0)")
  }

  /// Most bytes of text that terminals take into their clipboard: xterm's limit of a sequence is
  /// 100,000 bytes, and four stand for three.
  static let mostCopied = 74_994

  /// Sends a text to the clipboard.
  static func copy(_ text: String) -> String {
    command("52;c;" + Data(text.utf8).base64EncodedString())
  }

  /// Tells somebody who looks elsewhere.
  static func notice(_ text: String, by way: TerminalFeatures.Notice) -> String {
    // No control may end the sequence early; a semicolon would end the title.
    let plain = text.printable()
    return switch way {
    case .bell: "\u{07}"
    case .osc9: command("9;" + plain)
    case .osc777: command("777;notify;supertop;" + plain)
    case .osc99: command("99;;" + plain)
    }
  }

  /// A text that opens a file or a folder when it is clicked.
  static func link(_ text: String, to address: String) -> String {
    command("8;;" + address) + text + command("8;;")
  }

  /// The sequence as the terminal around a multiplexer gets it.
  static func passed(_ sequence: String, through multiplexer: TerminalFeatures.Multiplexer?)
    -> String
  {
    switch multiplexer {
    case nil: return sequence
    case .tmux:
      return "\(escape)Ptmux;" + sequence.replacing(escape, with: escape + escape) + end
    case .screen:
      // Its strings are short, and an ESC \ within would end them: a BEL ends commands too.
      let whole = Array(sequence.replacing(end, with: "\u{07}").utf8)
      return stride(from: 0, to: whole.count, by: longestOfScreen).map { start in
        let piece = whole[start..<min(whole.count, start + longestOfScreen)]
        return "\(escape)P" + String(decoding: piece, as: UTF8.self) + end
      }.joined()
    }
  }

  private static let longestOfScreen = 252

  /// The address of a file of this machine.
  static func address(_ path: String, host: String) -> String {
    let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-._~".utf8)
    return Path.absolute(path).utf8.reduce(into: "file://\(host)") { text, byte in
      text +=
        plain.contains(byte)
        ? String(Unicode.Scalar(byte)) : "%" + (byte < 16 ? "0" : "") + hex(byte)
    }
  }

  private static func hex(_ byte: UInt8) -> String {
    String(byte, radix: 16, uppercase: true)
  }
}

/// What the tab or the task bar says of a run.
struct TabProgress: Hashable, Sendable {
  /// The numbers of OSC 9;4.
  enum State: Int, Sendable {
    case running = 1, failed, unknown, paused
  }

  var state: State
  /// 0…100.
  var percent: Int
}

extension Model {
  /// What the tab says; nil when there is nothing to say any more.
  var tabProgress: TabProgress? {
    let percent = Int(progress * 100)
    if state == .failed || isTrainerGone { return TabProgress(state: .failed, percent: percent) }
    switch state {
    case .preparing: return TabProgress(state: .unknown, percent: 0)
    case .running, .validating: return TabProgress(state: .running, percent: percent)
    case .paused: return TabProgress(state: .paused, percent: percent)
    case .stopped, .finished, .failed: return nil
    }
  }
}
