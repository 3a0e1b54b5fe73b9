import Foundation
import Runs

/// What may be sent to the terminal besides pictures, as its environment tells (spec S80).
///
/// A terminal that does not know a sequence may print it, or take progress for a notice; so each is
/// for those that are known to take it, and a variable switches it on or off.
struct TerminalFeatures: Hashable, Sendable {
  /// How somebody who looks elsewhere is told of the end.
  enum Notice: String, Sendable, CaseIterable { case bell, osc9, osc777, osc99 }

  /// A program between this one and the terminal.
  enum Multiplexer: Sendable { case tmux, screen }

  var multiplexer: Multiplexer?
  /// Whether the tab shows how far the run is.
  var progress = false
  var notice: Notice?
  /// Whether paths are links.
  var links = false
  var clipboard = true
  var mouse = true
  /// Whether the ground is light, as a person says; nil asks the terminal.
  var isLight: Bool?
  /// Whether the terminal takes questions.
  var answers = true

  /// Refuses a variable of ours that has none of its values.
  init(_ environment: [String: String]) throws(UserError) {
    let terminal = Identity(environment)
    multiplexer = terminal.multiplexer
    progress = try Self.flag("SUPERTOP_PROGRESS", environment) ?? terminal.showsProgress
    links = try Self.flag("SUPERTOP_LINKS", environment) ?? terminal.showsLinks
    clipboard = try Self.flag("SUPERTOP_CLIPBOARD", environment) ?? true
    mouse = try Self.flag("SUPERTOP_MOUSE", environment) ?? true
    notice = (environment["CI"] ?? "").isEmpty ? terminal.notice : nil
    let ways = Notice.allCases.map(\.rawValue) + ["off"]
    if let way = try Self.value("SUPERTOP_NOTIFY", of: ways, environment) {
      notice = Notice(rawValue: way)
    }
    isLight = try Self.value("SUPERTOP_BACKGROUND", of: ["dark", "light"], environment)
      .map { $0 == "light" }
    answers = !["linux", "cons25", "vt52", "vt100"].contains(environment["TERM"] ?? "")
  }

  private static func flag(_ name: String, _ environment: [String: String]) throws(UserError)
    -> Bool?
  {
    try value(name, of: ["on", "off"], environment).map { $0 == "on" }
  }

  /// The variable's value, nil where it is not set; one that is not among `values` is refused.
  private static func value(
    _ name: String,
    of values: [String],
    _ environment: [String: String]
  ) throws(UserError) -> String? {
    guard let value = environment[name], !value.isEmpty else { return nil }
    guard values.contains(value) else {
      throw UserError(
        .usage,
        "\(name)=\(value)",
        "not one of its values",
        remedy: "set it to \(values.joined(separator: ", ")), or unset it"
      )
    }
    return value
  }
}

/// Which terminal this is, by the variables that terminals set.
private struct Identity {
  let multiplexer: TerminalFeatures.Multiplexer?
  private let program: String
  private let version: String
  private let term: String
  private let environment: [String: String]

  init(_ environment: [String: String]) {
    self.environment = environment
    program = environment["TERM_PROGRAM"] ?? ""
    version = environment["TERM_PROGRAM_VERSION"] ?? ""
    term = environment["TERM"] ?? ""
    func isSet(_ name: String) -> Bool { environment[name]?.isEmpty == false }
    multiplexer = isSet("TMUX") ? .tmux : isSet("STY") ? .screen : nil
  }

  private func isSet(_ name: String) -> Bool { environment[name]?.isEmpty == false }

  private func number(_ name: String) -> Int { environment[name].flatMap { Int($0) } ?? 0 }

  /// Whether the program's version, `3.6.1` or `20250209-1823`, is this one or a later one.
  private func isVersion(_ least: Int...) -> Bool {
    let parts = version.split { !$0.isNumber }.map { Int($0) ?? 0 }
    return !parts.lexicographicallyPrecedes(least)
  }

  /// Before these versions iTerm2 and WezTerm showed each progress as a notice.
  var showsProgress: Bool {
    switch program {
    case "ghostty": return isVersion(1, 2)
    case "WezTerm": return isVersion(20_250_209)
    case "iTerm.app": return isVersion(3, 6)
    case "rio": return true
    default:
      return isSet("WT_SESSION") || environment["ConEmuANSI"] == "ON"
        || number("VTE_VERSION") >= 8000 || isSet("KONSOLE_VERSION")
    }
  }

  var showsLinks: Bool {
    switch program {
    case "ghostty", "WezTerm", "rio", "vscode": return true
    case "iTerm.app": return isVersion(3, 1)
    // It keeps links with the text since this version, and dropped them before.
    case "tmux": return isVersion(3, 4)
    default:
      guard multiplexer == nil else { return false }
      let name = term.lowercased()
      return isSet("WT_SESSION") || number("VTE_VERSION") >= 5002
        || number("KONSOLE_VERSION") >= 201_200
        || ["kitty", "alacritty", "foot", "contour", "ghostty"].contains { name.contains($0) }
    }
  }

  /// The bell where nothing better is known: it marks the tab.
  var notice: TerminalFeatures.Notice? {
    if term == "dumb" || term.isEmpty { return nil }
    if isSet("KITTY_WINDOW_ID") || term == "xterm-kitty" { return .osc99 }
    switch program {
    case "iTerm.app": return .osc9
    case "ghostty", "WezTerm": return .osc777
    default: return term.hasPrefix("foot") || term.hasPrefix("rxvt") ? .osc777 : .bell
    }
  }
}

/// `text` with a link to `path` where it names it, for a terminal of that environment.
///
/// As it is where links are not known to be safe. The text has no controls.
package func linked(
  _ text: String,
  to path: String,
  environment: [String: String] = ProcessInfo.processInfo.environment
) -> String {
  let shown = path.printable()
  guard !shown.isEmpty, let features = try? TerminalFeatures(environment), features.links,
    let place = text.range(of: shown, options: .backwards)
  else { return text }
  var name = [CChar](repeating: 0, count: 256)
  gethostname(&name, name.count - 1)
  let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  let link = EscapeSequence.link(shown, to: EscapeSequence.address(path, host: host))
  return text.replacingCharacters(in: place, with: link)
}
