import Foundation
import Runs

/// Looks a table of prices over before a search believes it.
package enum LatencyDiagnostics {
  /// Something that a person should know of a table.
  package struct Finding: Sendable, Equatable {
    /// Its severity.
    package enum Grade: String, Sendable, Comparable {
      /// Worth knowing.
      case note
      /// The search will do something else than it seems.
      case warning
      /// No search may use it.
      case error

      /// Whether `a` is the lesser.
      package static func < (a: Grade, b: Grade) -> Bool { a.rank < b.rank }

      private var rank: Int { self == .note ? 0 : self == .warning ? 1 : 2 }
    }

    /// Its severity.
    package var grade: Grade
    /// One line: where and what.
    package var text: String

    /// A finding of one line.
    package init(_ grade: Grade, _ text: String) {
      self.grade = grade
      self.text = text
    }
  }

  /// A candidate's spread from which its price is called noisy.
  private static let noisy = 0.05
  /// Difference that counts as none where no spread is known.
  private static let unknownSpread = 0.03
  /// Share of a convolution's extra time over skip that the cheapest convolution must save, for a
  /// table on which not only skip saves time.
  private static let leastSaving = 0.15
  /// Findings of one kind that are reported in full.
  private static let shown = 3

  /// Looks for what is wrong with a table.
  ///
  /// - Parameters:
  ///   - prices: the table.
  ///   - choices: names of layers and candidates; kernel, expansion and groups are read from names
  ///     such as `k3_e6`.
  ///   - spread: relative spread of each price, [layer][candidate]; nil where not known.
  /// - Returns: the findings, the worst first.
  package static func findings(
    prices: AdditiveCost,
    choices: [Choice],
    spread: [[Double]]? = nil
  ) -> [Finding] {
    let rows = prices.layers.indices.map {
      Row(choice: choices[$0], prices: prices.layers[$0], spread: spread?[$0])
    }
    let found =
      impossible(prices, rows) + [onlySkip(rows)].compactMap { $0 }
      + condensed(rows.compactMap(flat)) + condensed(rows.compactMap(unordered))
      + condensed(rows.compactMap(uncertain))
    // Stable, so that findings of one grade stay in this order.
    return Finding.Grade.descending.flatMap { grade in found.filter { $0.grade == grade } }
  }

  /// A layer of the table.
  private struct Row {
    let name: String
    let detail: String
    let cells: [Cell]

    struct Cell {
      var name: String
      var price: Double
      var spread: Double
      var shape: Configuration.Space.Candidate?

      var isSkip: Bool { shape?.isSkip ?? false }
    }

    init(choice: Choice, prices: [Double], spread: [Double]?) {
      name = choice.name
      detail = choice.detail
      cells = choice.options.indices.map {
        Cell(
          name: choice.options[$0].name,
          price: prices[$0],
          spread: spread?[$0] ?? unknownSpread,
          shape: Configuration.Space.Candidate(named: choice.options[$0].name)
        )
      }
    }

    var place: String { detail.isEmpty ? name : "\(name) (\(detail))" }
    var skip: Double? { cells.first(where: \.isSkip)?.price }
    var convolutions: [Cell] { cells.filter { !$0.isSkip } }
  }

  private static func impossible(_ prices: AdditiveCost, _ rows: [Row]) -> [Finding] {
    var found = rows.flatMap { row in
      row.cells.filter { !($0.price >= 0 && $0.price.isFinite) }
        .map { Finding(.error, "\(row.place), \($0.name): the price is \($0.price)") }
    }
    if !(prices.fixed >= 0 && prices.fixed.isFinite) {
      found.append(Finding(.error, "fixed parts: the price is \(prices.fixed)"))
    }
    return found
  }

  /// Where the choice of a convolution saves little against leaving it out, a cost term can only
  /// delete layers.
  private static func onlySkip(_ rows: [Row]) -> Finding? {
    // Means over the layers: what a single fitted cell is off by evens out.
    var extra: [String: [Double]] = [:]
    for row in rows {
      guard let skip = row.skip else { continue }
      for cell in row.convolutions { extra[cell.name, default: []].append(cell.price - skip) }
    }
    let means = extra.values.map { $0.reduce(0, +) / Double($0.count) }
    guard means.count > 1, let least = means.min() else { return nil }
    let mean = means.reduce(0, +) / Double(means.count)
    guard mean > 0, (mean - least) / mean < leastSaving else { return nil }
    return Finding(
      .warning,
      "only skip saves time: a convolution costs \(number(mean)) more than skip on average, "
        + "the cheapest \(number(least)) more; "
        + "a search on this table can only delete layers, not choose between blocks"
    )
  }

  /// A layer whose convolutions all cost the same, those with one number of groups.
  private static func flat(_ row: Row) -> Finding? {
    let prices = row.convolutions.map(\.price)
    guard prices.count > 1, let least = prices.min(), let most = prices.max() else { return nil }
    let spread = row.convolutions.map(\.spread).max() ?? 0
    let isFlat = Dictionary(grouping: row.convolutions) { $0.shape?.groups ?? 1 }.values.allSatisfy
    {
      let prices = $0.map(\.price)
      return (prices.max() ?? 0) <= (1 + 2 * spread) * (prices.min() ?? 0)
    }
    guard isFlat else { return nil }
    return Finding(
      .warning,
      "\(row.place): flat, all convolutions cost \(number(least)) to \(number(most)), "
        + "the same within the spread"
    )
  }

  /// A candidate that is cheaper than one which does strictly less.
  private static func unordered(_ row: Row) -> Finding? {
    var worst: (share: Double, text: String)?
    var count = 0
    for small in row.convolutions {
      for large in row.convolutions {
        guard let a = small.shape, let b = large.shape, a.groups == b.groups,
          a.kernel <= b.kernel, a.expansion <= b.expansion, a != b
        else { continue }
        let share = 1 - large.price / small.price
        guard share > 2 * (small.spread + large.spread) else { continue }
        count += 1
        if share > worst?.share ?? 0 {
          worst = (
            share,
            "\(large.name) (\(number(large.price))) is cheaper than "
              + "\(small.name) (\(number(small.price)))"
          )
        }
      }
    }
    guard let worst else { return nil }
    let more = count > 1 ? ", and \(count - 1) more such pairs" : ""
    return Finding(.warning, "\(row.place): not monotone, \(worst.text)\(more)")
  }

  /// A layer with noisy cells.
  private static func uncertain(_ row: Row) -> Finding? {
    let cells = row.cells.filter { $0.spread > noisy }
    guard !cells.isEmpty else { return nil }
    return Finding(
      .warning,
      "\(row.place): noisy, "
        + cells.map { "\($0.name) ±\(Int((100 * $0.spread).rounded())) %" }.joined(separator: ", ")
    )
  }

  /// The first few of a kind, and how many layers more there are.
  private static func condensed(_ all: [Finding]) -> [Finding] {
    guard all.count > shown + 1, let kind = all.first else { return all }
    let kindName = kind.text.split(separator: ":").dropFirst().first?.split(separator: ",").first
    return all.prefix(shown)
      + [
        Finding(
          kind.grade,
          Format.counted(all.count - shown, "more layer") + " are"
            + (kindName.map { String($0) } ?? " such")
        )
      ]
  }

  /// Three significant digits.
  private static func number(_ value: Double) -> String { Format.significant(value) }
}

extension LatencyDiagnostics.Finding.Grade {
  fileprivate static let descending: [LatencyDiagnostics.Finding.Grade] = [.error, .warning, .note]
}
