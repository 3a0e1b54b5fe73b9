/// What a network is charged for.
package enum CostMetric: String, Codable, Sendable, CaseIterable {
  /// Multiply-accumulates of one image.
  case flops
  /// Weights.
  case params
  /// Milliseconds for one image.
  case latency

  /// Its name for people, as a heading or beside a number.
  package var title: String {
    switch self {
    case .flops: "FLOPs"
    case .params, .latency: rawValue
    }
  }

  /// A cost in a few characters: `1.23M`, or `2.34 ms`.
  package func short(_ value: Double) -> String {
    self == .latency ? Format.milliseconds(value) : Format.count(value)
  }

  /// The same with its unit: `1.23M FLOPs`.
  package func shortText(_ value: Double) -> String {
    self == .latency ? short(value) : short(value) + " " + title
  }

  /// A cost with its unit: `2.345 ms`, `1,234,567 FLOPs`, `54,321 params`.
  ///
  /// The rule matters for the ends of a range, which are to be typed again.
  package func text(
    _ value: Double,
    rounded rule: FloatingPointRoundingRule = .toNearestOrEven
  ) -> String {
    switch self {
    case .latency: Format.decimal(value, digits: 4, rounded: rule) + " ms"
    case .flops, .params: Format.grouped(value.rounded(rule)) + " " + title
    }
  }
}
