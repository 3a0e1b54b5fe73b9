import Foundation
import Runs

/// The most that a network may cost: `madds<=60M`.
package struct CostLimit: Sendable, Equatable {
  /// The metric, a column of a table.
  package let name: String
  /// In the metric's unit.
  package let most: Double
  /// The text that the user gave.
  package let text: String

  private static let suffixes: [Character: Double] = ["K": 1e3, "M": 1e6, "G": 1e9]

  /// Understands `NAME<=NUMBER`, the number with K, M or G behind it if it is in thousands,
  /// millions or thousand millions.
  ///
  /// Errors: `.usage` for any other text, naming the `option` that it came from.
  package init(_ text: String, option: String = "--limit") throws {
    let parts = text.split(separator: "<=", omittingEmptySubsequences: false)
      .map { $0.trimmingCharacters(in: .whitespaces) }
    var number = parts.last ?? ""
    let factor = number.last.flatMap { CostLimit.suffixes[Character($0.uppercased())] }
    if factor != nil { number.removeLast() }
    guard parts.count == 2, !parts[0].isEmpty, let value = Double(number), value.isFinite, value > 0
    else {
      throw UserError(
        .usage,
        "\(option) \(text)",
        "no limit",
        remedy: "give a column and a number, like madds<=60M or params<=1.5M"
      )
    }
    name = parts[0]
    most = value * (factor ?? 1)
    self.text = text
  }

  /// Costs up to `limit`; all of them where that is nil.
  ///
  /// A network that costs exactly the limit is within it (spec S8), so a rounding above still is:
  /// the same prices, added up in another order, may differ by that.
  package static func within(_ limit: Double?) -> ClosedRange<Double> {
    guard let limit else { return -.infinity ... .infinity }
    return -.infinity...limit + 1e-9 * abs(limit)
  }

  /// How far below its limit a network may stay and still make use of it, as a share.
  private static let slack = 0.05

  /// Costs within `limit` that make use of it.
  static func using(_ limit: Double) -> ClosedRange<Double> {
    limit * (1 - slack)...within(limit).upperBound
  }
}
