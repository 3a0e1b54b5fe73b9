/// The characters that a terminal can show (spec S85).
package enum GlyphSet: String, Sendable, CaseIterable {
  /// Braille charts, rounded borders.
  case braille
  /// For fonts without braille: half blocks.
  case block
  case ascii

  var isASCII: Bool { self == .ascii }

  /// Corners and lines of a box: top left, top right, bottom left, bottom right, across, down,
  /// and the two tees of a divider.
  var box: [UInt32] {
    switch self {
    case .braille: scalars("╭╮╰╯─│├┤")
    case .block: scalars("┌┐└┘─│├┤")
    case .ascii: scalars("++++-|++")
    }
  }

  /// Cell filled from the left by 1/8 … 8/8.
  var eighths: [UInt32] { isASCII ? [] : scalars("▏▎▍▌▋▊▉█") }

  /// Heights of a sparkline, low to high.
  var spark: [UInt32] { isASCII ? scalars("_.-~=*#") : scalars("▁▂▃▄▅▆▇█") }

  var spinner: [UInt32] {
    switch self {
    case .braille: scalars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
    case .block: scalars("▖▘▝▗")
    case .ascii: scalars("|/-\\")
    }
  }

  /// Done part and rest of a progress line.
  var progress: (done: UInt32, head: UInt32, rest: UInt32) {
    isASCII ? (61, 62, 45) : (0x2501, 0x2578, 0x2500)
  }

  var selected: String { isASCII ? ">" : "▌" }
  var up: String { isASCII ? "^" : "▲" }
  var down: String { isASCII ? "v" : "▼" }
  var folded: String { isASCII ? "+" : "▸" }
  var unfolded: String { isASCII ? "-" : "▾" }
  var rising: String { isASCII ? "/" : "↗" }
  var falling: String { isASCII ? "\\" : "↘" }
  var level: String { isASCII ? "-" : "→" }
  var arrow: String { isASCII ? "->" : "→" }
  var times: String { isASCII ? "x" : "×" }
  var theta: String { isASCII ? "theta" : "θ" }
  var lambda: String { isASCII ? "lambda" : "λ" }
  var tau: String { isASCII ? "tau" : "τ" }
  var dot: String { isASCII ? "|" : "·" }
  var pointMark: UInt32 { isASCII ? 64 : 0x25cf }
  /// A person's request, on the ground line of a chart.
  var mark: UInt32 { isASCII ? 94 : 0x25b4 }
  /// Shares 0…1 as density, for screens without colour.
  var shades: [UInt32] { isASCII ? scalars(" .:-=+*#") : scalars(" ░▒▓█") }
  var dash: UInt32 { isASCII ? 45 : 0x254c }
  var running: String { isASCII ? ">" : "▶" }
  var paused: String { isASCII ? "=" : "‖" }
  var check: String { isASCII ? "ok" : "✓" }
  var cross: String { isASCII ? "x" : "✗" }
  var waiting: String { isASCII ? "." : "○" }
  var taken: String { isASCII ? "o" : "◐" }
  var done: String { isASCII ? "*" : "●" }
  var swatch: String { isASCII ? "#" : "■" }
  var line: String { isASCII ? "-" : "━" }

  /// `text` with what ASCII cannot show replaced.
  func plain(_ text: String) -> String {
    guard isASCII, !text.unicodeScalars.allSatisfy(\.isASCII) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "→": result += "->"
      case "×": result += "x"
      case "·": result += "."
      case "…": result += "~"
      case "τ": result += "tau"
      case "θ": result += "theta"
      case "λ": result += "lambda"
      case "–", "−": result += "-"
      case "≤": result += "<="
      default: result.unicodeScalars.append(scalar.isASCII ? scalar : "?")
      }
    }
    return result
  }
}

private func scalars(_ text: String) -> [UInt32] { text.unicodeScalars.map(\.value) }
