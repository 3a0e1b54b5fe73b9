import Foundation
import Runs

extension MacroArchitecture {
  /// What every candidate costs in the metric of `configuration`; `latency` is in milliseconds.
  ///
  /// Errors: `.configuration` where latency is the cost and not at hand, and for a budget that no network
  /// of the space can meet, with the range of those that one could.
  func prices(_ configuration: Configuration, latency: CostTable?) throws -> CostTable {
    let metric = configuration.search.cost
    let prices: CostTable
    if metric == .latency {
      guard let latency else {
        throw UserError(
          .configuration,
          "search.cost",
          "no latency table is at hand here",
          remedy: "use flops or params"
        )
      }
      prices = latency
    } else {
      prices = self.prices(metric)
    }
    guard let limit = configuration.limit, !prices.range.contains(limit) else { return prices }
    let isLow = limit < prices.range.lowerBound
    throw UserError(
      .configuration,
      "budget.\(metric.rawValue)",
      "\(metric.text(limit)) is \(isLow ? "less than the cheapest" : "more than the dearest") "
        + "network of this space costs",
      remedy: "give \(metric.text(prices.range.lowerBound, rounded: .up)) to "
        + metric.text(prices.range.upperBound, rounded: .down)
    )
  }
}

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
