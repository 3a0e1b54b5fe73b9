import Foundation
import Runs

/// Parts of plots as SVG; lengths are in pixels.
package enum SVG {
  /// A straight line.
  package static func line(
    _ x1: Double,
    _ y1: Double,
    _ x2: Double,
    _ y2: Double,
    _ colour: String
  ) -> String {
    "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" "
      + "y2=\"\(number(y2))\" stroke=\"\(colour)\"/>"
  }

  /// A text from, around or up to (x, y), as `anchor` says.
  package static func text(
    _ x: Double,
    _ y: Double,
    _ text: String,
    size: Int = 11,
    weight: String = "normal",
    anchor: String = "start"
  ) -> String {
    let escaped = text.printable().replacing("&", with: "&amp;").replacing("<", with: "&lt;")
      .replacing(">", with: "&gt;")
    return "<text x=\"\(number(x))\" y=\"\(number(y))\" font-size=\"\(size)\" "
      + "font-weight=\"\(weight)\" text-anchor=\"\(anchor)\">\(escaped)</text>"
  }

  /// A length with a tenth of a pixel.
  package static func number(_ value: Double) -> String { Format.fixed(value, 1) }

  /// Round values of an axis, four to eight of them.
  package static func ticks(_ range: ClosedRange<Double>) -> [Double] {
    let span = range.upperBound - range.lowerBound
    guard span > 0, span.isFinite else { return [] }
    let power = pow(10, log10(span / 5).rounded(.down))
    let step = [1, 2, 5, 10].map { $0 * power }.first { span / $0 <= 7 } ?? span
    let first = (range.lowerBound / step).rounded(.up)
    let last = (range.upperBound / step).rounded(.down)
    return stride(from: first, through: last, by: 1).map { $0 * step }
  }
}
