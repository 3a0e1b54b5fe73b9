import Foundation
import Networks
import Runs

/// A picture of a network in the style of the FBNet papers (spec S63): one bar a block, its height
/// the expansion, its colour the kernel.
///
/// Each colour has a brightness and a hatching of its own, and kernel and expansion are next to
/// the bar as numbers, so nothing is lost in black and white.
package enum NetworkPicture {
  /// The picture as SVG.
  package static func svg(_ network: NetworkDescription) -> String {
    NetworkDrawing(network).svg
  }
}

/// Lays a picture out and writes it; all lengths are in pixels.
private struct NetworkDrawing {
  private let network: NetworkDescription
  private let bars: [NetworkBars.Bar]
  private let step: Double
  private let bar: Double
  private let left = 92.0
  private let right = 16.0
  /// The line on which the bars are.
  private let base = 248.0
  /// The highest bar's height.
  private let height = 150.0
  private let top: Double

  init(_ network: NetworkDescription) {
    self.network = network
    bars = NetworkBars(network).bars
    // Few blocks are further apart, so that the heading is not wider than they are.
    step = min(44, max(27, 650 / Double(bars.count))).rounded()
    bar = (0.74 * step).rounded()
    top = max(1, bars.map(\.expansion).max() ?? 1)
  }

  /// Whether blocks differ in their activation; if not, the heading names it.
  private var showsHswish: Bool {
    let used = Set(bars.filter { $0.kernel != nil }.map(\.isHswish))
    return used.count > 1
  }

  private var width: Double { max(left + step * Double(bars.count) + right, 620) }

  var svg: String {
    let (legend, rows) = legend
    let height = Int(base) + 80 + 20 * rows
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(f(width))" height="\(height)" \
      viewBox="0 0 \(f(width)) \(height)" font-family="Helvetica, Arial, 'DejaVu Sans', \
      sans-serif" font-size="11" fill="#111">
      <title>\(escaped(title))</title>
      \(KernelStyle.patterns)
      <rect width="100%" height="100%" fill="#fff"/>
      \(heading)
      \(axis)
      \(stages)
      \(bars.indices.map(drawn).joined(separator: "\n"))
      \(legend)
      </svg>

      """
  }

  private var title: String {
    "\(network.name): \(Format.counted(bars.count, "block")), one bar each; "
      + "height is expansion, colour is kernel"
  }

  private var heading: String {
    let cost = network.cost
    let facts = [
      network.family, "\(network.height)×\(network.width)×\(network.channels) images",
      Format.counted(network.classes, "class"),
      count(cost.flops(.madds)) + " multiply–adds", count(cost.params(.madds)) + " weights",
      showsHswish ? "" : bars.contains(where: \.isHswish) ? "hswish" : "ReLU",
    ].filter { !$0.isEmpty }.joined(separator: " · ")
    return text(16, 26, network.name, size: 16, weight: "bold") + "\n" + text(16, 43, facts)
  }

  /// `5.53 M`, `39.5 k`.
  private func count(_ value: Int) -> String {
    let (scaled, unit) =
      value >= 1_000_000 ? (Double(value) / 1e6, "M") : (Double(value) / 1e3, "k")
    return "\(Format.fixed(scaled, scaled < 10 ? 2 : 1)) \(unit)"
  }

  // MARK: Axis and stages

  /// The scale at the left, and what the rows under the bars are.
  private var axis: String {
    let unit = top <= 8 ? 1 : Int((top / 6).rounded(.up))
    var lines = stride(from: 0, through: Int(top), by: unit).map { value in
      let y = place(Double(value))
      let grey = value == 0 ? "#111" : "#ccc"
      let end = left + step * Double(bars.count)
      return """
        <line x1="\(f(left - 4))" y1="\(f(y))" x2="\(f(end))" y2="\(f(y))" stroke="\(grey)"/>
        \(text(left - 8, y + 4, "\(value)", anchor: "end"))
        """
    }
    lines.append(
      "<text transform=\"translate(62 \(f(base - height / 2))) rotate(-90)\" "
        + "text-anchor=\"middle\">expansion</text>"
    )
    for (row, name) in ["kernel", "channels", "map"].enumerated() {
      lines.append(text(left - 8, base + Row.allCases[row].rawValue, name, anchor: "end"))
    }
    return lines.joined(separator: "\n")
  }

  /// Rows under the base line.
  private enum Row: Double, CaseIterable { case kernel = 15, channels = 31, map = 50 }

  /// A line between maps of different size, and the size under each.
  private var stages: String {
    var parts: [String] = []
    var start = 0
    for end in 1...bars.count where end == bars.count || bars[end].side != bars[start].side {
      let (from, to) = (left + step * Double(start), left + step * Double(end))
      let side = bars[start].side
      let y = base + Row.map.rawValue
      parts.append(
        "<path d=\"M\(f(from + 2)) \(f(y - 14)) v3 H\(f(to - 2)) v-3\" "
          + "fill=\"none\" stroke=\"#555\"/>"
      )
      let name = end - start > 1 ? "\(side)×\(side)" : "\(side)²"
      parts.append(text((from + to) / 2, y, name, anchor: "middle"))
      if end < bars.count {
        parts.append(
          "<line x1=\"\(f(to))\" y1=\"\(f(base - height - 14))\" x2=\"\(f(to))\" y2=\"\(f(base))\" "
            + "stroke=\"#999\" stroke-dasharray=\"2 3\"/>"
        )
      }
      start = end
    }
    return parts.joined(separator: "\n")
  }

  // MARK: Bars

  private func drawn(_ index: Int) -> String {
    let block = bars[index]
    let x = left + step * Double(index) + (step - bar) / 2
    let middle = x + bar / 2
    var parts: [String] = []
    var y = place(block.expansion)
    if let kernel = block.kernel {
      let style = KernelStyle(kernel: kernel)
      let box = "x=\"\(f(x))\" y=\"\(f(y))\" width=\"\(f(bar))\" height=\"\(f(base - y))\""
      let dash = block.isPlain ? " stroke-dasharray=\"3 2\"" : ""
      parts.append("<rect \(box) fill=\"\(style.colour)\"/>")
      if let hatching = style.hatching {
        parts.append("<rect \(box) fill=\"url(#\(hatching))\"/>")
      }
      parts.append("<rect \(box) fill=\"none\" stroke=\"#111\"\(dash)/>")
      parts.append(
        text(middle, base + Row.kernel.rawValue, block.label, anchor: "middle", weight: "bold")
      )
      y -= 4
      parts.append(text(middle, y, ratio(block.expansion), size: 10, anchor: "middle"))
    } else {
      // A skip: an arrow along the base line.
      parts.append(
        "<path d=\"M\(f(x)) \(f(base - 5)) h\(f(bar)) m-4 -3 l4 3 l-4 3\" "
          + "fill=\"none\" stroke=\"#111\"/>"
      )
      parts.append(text(middle, base + Row.kernel.rawValue, "–", anchor: "middle"))
    }
    parts.append(
      text(middle, base + Row.channels.rawValue, "\(block.width)", size: 10, anchor: "middle")
    )
    y -= 9
    for mark in marks(of: block) {
      parts.append(mark(middle, y))
      y -= 11
    }
    return parts.joined(separator: "\n")
  }

  /// What is above a bar, from below.
  private func marks(of block: NetworkBars.Bar) -> [(Double, Double) -> String] {
    var marks: [(Double, Double) -> String] = []
    if !block.note.isEmpty {
      marks.append { text($0, $1, block.note, size: 10, anchor: "middle", style: "italic") }
    }
    if block.hasSqueeze { marks.append(squeezeMark) }
    if block.isHswish && showsHswish { marks.append(hswishMark) }
    return marks
  }

  private func squeezeMark(_ x: Double, _ y: Double) -> String {
    "<circle cx=\"\(f(x))\" cy=\"\(f(y - 4))\" r=\"3.5\" fill=\"#111\"/>"
  }

  private func hswishMark(_ x: Double, _ y: Double) -> String {
    "<path d=\"M\(f(x - 4)) \(f(y - 1)) h8 l-4 -7 z\" fill=\"#fff\" stroke=\"#111\"/>"
  }

  private func place(_ expansion: Double) -> Double { base - height * expansion / top }

  /// `6`, `2.5`.
  private func ratio(_ value: Double) -> String {
    let tenths = (value * 10).rounded() / 10
    return tenths == tenths.rounded() ? "\(Int(tenths))" : "\(tenths)"
  }

  // MARK: Legend

  /// Only what occurs in the picture; in as many rows as it takes.
  private var legend: (svg: String, rows: Int) {
    var entries: [(width: Double, draw: (Double, Double) -> String)] = []
    func add(_ label: String, _ draw: @escaping (Double, Double) -> String) {
      let width = 30 + 6 * Double(label.count)
      entries.append((width, { draw($0, $1) + text($0 + 20, $1, label) }))
    }
    let styles = Set(bars.compactMap(\.kernel).map(KernelStyle.init)).sorted { $0.rank < $1.rank }
    for style in styles {
      add(style.name) { x, y in
        let box = "x=\"\(f(x))\" y=\"\(f(y - 10))\" width=\"14\" height=\"12\""
        return "<rect \(box) fill=\"\(style.colour)\"/>"
          + (style.hatching.map { "<rect \(box) fill=\"url(#\($0))\"/>" } ?? "")
          + "<rect \(box) fill=\"none\" stroke=\"#111\"/>"
      }
    }
    if bars.contains(where: \.isPlain) {
      add("plain convolution") { x, y in
        "<rect x=\"\(f(x))\" y=\"\(f(y - 10))\" width=\"14\" height=\"12\" fill=\"none\" "
          + "stroke=\"#111\" stroke-dasharray=\"3 2\"/>"
      }
    }
    if bars.contains(where: { $0.kernel == nil }) {
      add("skip") { x, y in
        "<path d=\"M\(f(x)) \(f(y - 4)) h14 m-4 -3 l4 3 l-4 3\" fill=\"none\" stroke=\"#111\"/>"
      }
    }
    if bars.contains(where: \.hasSqueeze) {
      add("squeeze-and-excite") { squeezeMark($0 + 7, $1) }
    }
    if showsHswish { add("hswish, else ReLU") { hswishMark($0 + 7, $1) } }
    for (note, meaning) in [("g2", "groups"), ("F", "fused block")] {
      let first = bars.map(\.note).first { $0.first == note.first }
      if let first {
        add(meaning) { text($0 + 7, $1, first, size: 10, anchor: "middle", style: "italic") }
      }
    }
    var (x, y) = (left, base + 84)
    var rows = 1
    let drawn = entries.map { entry in
      if x + entry.width > width - right, x > left {
        (x, y) = (left, y + 20)
        rows += 1
      }
      defer { x += entry.width }
      return entry.draw(x, y)
    }.joined(separator: "\n")
    return (drawn, rows)
  }

  // MARK: Writing

  private func text(
    _ x: Double,
    _ y: Double,
    _ text: String,
    size: Int = 11,
    anchor: String = "start",
    weight: String = "normal",
    style: String = "normal"
  ) -> String {
    let more =
      (size == 11 ? "" : " font-size=\"\(size)\"")
      + (anchor == "start" ? "" : " text-anchor=\"\(anchor)\"")
      + (weight == "normal" ? "" : " font-weight=\"\(weight)\"")
      + (style == "normal" ? "" : " font-style=\"\(style)\"")
    return "<text x=\"\(f(x))\" y=\"\(f(y))\"\(more)>\(escaped(text))</text>"
  }
}

/// How the bars of a kernel look.
private struct KernelStyle: Hashable {
  /// Place in the order of the legend.
  let rank: Int

  init(kernel: Int) {
    rank = min(kernel / 2, 4)
  }

  var name: String { rank == 4 ? "9×9 or more" : "\(2 * rank + 1)×\(2 * rank + 1) kernel" }

  /// From light to dark, and different to colour-blind eyes.
  var colour: String { ["#f2f2f2", "#9fd0ee", "#e8893c", "#6a3d9a", "#222222"][rank] }

  var hatching: String? { [nil, nil, "rising", "dots", "crossed"][rank] }

  static let patterns = """
    <defs>
    <pattern id="rising" width="6" height="6" patternUnits="userSpaceOnUse" \
    patternTransform="rotate(45)"><rect width="1.6" height="6" fill="#fff"/></pattern>
    <pattern id="dots" width="6" height="6" patternUnits="userSpaceOnUse">\
    <circle cx="3" cy="3" r="1.3" fill="#fff"/></pattern>
    <pattern id="crossed" width="6" height="6" patternUnits="userSpaceOnUse" \
    patternTransform="rotate(45)"><path d="M0 0H6M0 0V6" stroke="#fff"/></pattern>
    </defs>
    """
}

/// A length with at most one decimal.
private func f(_ value: Double) -> String {
  let tenths = (value * 10).rounded() / 10
  return tenths == tenths.rounded() ? "\(Int(tenths))" : "\(tenths)"
}

private func escaped(_ text: String) -> String {
  text.printable().replacingOccurrences(of: "&", with: "&amp;")
    .replacingOccurrences(of: "<", with: "&lt;").replacingOccurrences(of: ">", with: "&gt;")
}
