import Foundation
import Runs

extension Configuration.SearchSettings.Cost {
  /// A cost with its unit: `2.345 ms`, `1,234,567 FLOPs`, `54,321 params`.
  ///
  /// The rule matters for the ends of a range, which are to be typed again.
  package func text(
    _ value: Double,
    rounded rule: FloatingPointRoundingRule = .toNearestOrEven
  ) -> String {
    switch self {
    case .latency:
      // Four significant digits.
      let digits = min(9, max(0, 3 - Int(log10(max(value, 1e-9)).rounded(.down))))
      let scale = pow(10, Double(digits))
      return String(format: "%.\(digits)f ms", (value * scale).rounded(rule) / scale)
    case .flops: return Self.grouped(value.rounded(rule)) + " FLOPs"
    case .params: return Self.grouped(value.rounded(rule)) + " params"
    }
  }

  private static func grouped(_ value: Double) -> String {
    var text = String(format: "%.0f", value)
    var end = text.count - 3
    while end > 0 {
      text.insert(",", at: text.index(text.startIndex, offsetBy: end))
      end -= 3
    }
    return text
  }
}
