import Data
import Runs

/// Results of a whole space, or of a part of it: what replaces training when a search is
/// tested.
///
/// A CSV file, plain or gzipped, in one of three forms, told apart by its header: a column `arch`
/// (one digit a layer, the index of its candidate) and one or more columns `acc…` (test accuracy of
/// a seed, a share or percent); a column `cfg` (one digit a choice) and columns `loss…`; or columns
/// of choices, `block0_k`, …, and `val_top1`. The other columns are costs under any name.
package struct ResultTable: Sendable {
  /// The file.
  package let path: String
  /// The network of each row.
  package let architectures: [Architecture]
  /// What a network is taken to reach: the mean of its accuracy columns, in their unit; of losses
  /// the logarithm of their mean, with its sign changed, so that more is better.
  package let accuracies: [Double]
  /// Whether the table has losses, so that `accuracies` are logarithms.
  package let hasLosses: Bool
  /// The choices that belong to the recipe of a training.
  package let recipe: Set<Int>
  /// The first row of the file for each network.
  private let tableRows: [Int]
  /// Candidates of each layer: one more than its highest digit.
  package let sizes: [Int]
  /// The columns that are neither architecture nor accuracy.
  package let costNames: [String]
  private let rows: [Architecture: Int]
  private let table: CSVTable

  /// What the networks of a table cost, in one metric.
  package struct Costs: Sendable {
    /// The column.
    package let name: String
    /// One for each row.
    package let values: [Double]
  }

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - path: of the file.
  ///   - recipe: the digits that belong to the recipe, counted from 1; nil takes the third to the
  ///     seventh of a `cfg` of nine (FCNet's), and none of any other.
  /// - Throws: `UserError` naming the row and column of a cell that is no architecture or no
  ///   accuracy.
  package init(path: String, recipe: ClosedRange<Int>? = nil) throws {
    try self.init(CSVTable(path: path), recipe: recipe)
  }

  /// Understands a table.
  package init(_ table: CSVTable, recipe digits: ClosedRange<Int>? = nil) throws {
    let form = try ResultForm(table)
    self.table = table
    path = table.path
    architectures = form.architectures
    accuracies = form.values
    hasLosses = form.hasLosses
    tableRows = form.rows
    costNames = table.header.indices.filter { !form.columns.contains($0) }.map { table.header[$0] }
    let first = architectures[0].options
    let sizes = architectures.reduce(first) { zip($0, $1).map(max) }.map { $0 + 1 }
    rows = Dictionary(uniqueKeysWithValues: zip(architectures, architectures.indices))
    self.sizes = sizes
    let isFCNet = hasLosses && sizes.count == ResultTable.fcnetDigits
    let known = digits ?? (isFCNet ? ResultTable.fcnetRecipe : nil)
    guard known.map({ $0.lowerBound >= 1 && $0.upperBound <= sizes.count }) ?? true else {
      throw UserError(
        .usage,
        "--recipe-digits",
        "the table has \(Format.counted(sizes.count, "digit"))",
        remedy: "give a range like 3-7 of digits from 1 to \(sizes.count)"
      )
    }
    recipe = Set(known.map { $0.map { $0 - 1 } } ?? [])
  }

  /// Digits of a configuration of FCNet: activations, batch, dropouts, rate, schedule, units.
  private static let fcnetDigits = 9
  private static let fcnetRecipe = 3...7

  /// The row of an architecture; nil when the table lacks it.
  package func row(of architecture: Architecture) -> Int? { rows[architecture] }

  /// A column of costs.
  ///
  /// Errors: `.data` naming the columns there are, or the cell that is not a number of 0 or more.
  package func costs(_ name: String) throws -> Costs {
    let column = try table.column(name)
    let values = try tableRows.map { row in
      let value = try table.number(row: row, column: column)
      guard value >= 0 else {
        throw table.fault(row: row, column: column, "a cost of 0 or more expected, \(value) found")
      }
      return value
    }
    return Costs(name: name, values: values)
  }

  /// Costs of a complete table as a sum of prices: what each candidate of each layer adds, or where
  /// that will not do, what it adds behind each candidate of the layer before.
  ///
  /// Prices are differences between networks that differ in one layer or two, so whole numbers stay
  /// whole and a sum of them meets a limit exactly.
  ///
  /// Errors: `.data` naming the column and the worst row when the sum misses a cost by more than
  /// 10⁻⁶ of the most expensive network's, or the architectures that are lacking.
  package func costModel(_ costs: Costs) throws -> any CostModel {
    try checkComplete()
    let allowed = 1e-6 * (costs.values.max() ?? 0)
    func worst(_ model: any CostModel) -> (row: Int, error: Double) {
      let errors = zip(architectures, costs.values).map { abs(model.cost($0) - $1) }
      let row = errors.indices.max { errors[$0] < errors[$1] } ?? 0
      return (row, errors[row])
    }
    let (alone, pairs) = prices(costs)
    if worst(alone).error <= allowed { return alone }
    let (row, error) = worst(pairs)
    guard error > allowed else { return pairs }
    throw UserError(
      .data,
      "\(path): row \(tableRows[row] + 1), column '\(costs.name)'",
      "not a sum of what the layers cost, alone or with the one before: "
        + "\(costs.values[row]) found, \(pairs.cost(architectures[row])) fitted",
      remedy: "name another column, or use --algorithm joint, random or evolution"
    )
  }

  /// Prices of layers alone and of pairs of neighbours, from the first architecture and those that
  /// differ from it there.
  private func prices(_ costs: Costs) -> (alone: AdditiveCost, pairs: NeighbourCost) {
    /// The cost of the first candidates but for those of some layers.
    func cost(_ changes: [(layer: Int, candidate: Int)] = []) -> Double {
      var changed = Architecture(sizes.map { _ in 0 })
      for change in changes { changed[change.layer] = change.candidate }
      return row(of: changed).map { costs.values[$0] } ?? 0
    }
    let first = cost()
    let layers = sizes.indices.map { layer in
      (0..<sizes[layer]).map { cost([(layer, $0)]) - first }
    }
    // The cheapest candidate of every layer at 0, so that no price is below it.
    let least = layers.map { $0.min() ?? 0 }
    let alone = AdditiveCost(
      layers: zip(layers, least).map { layer, least in layer.map { $0 - least } },
      fixed: first + least.reduce(0, +)
    )
    let pairs = sizes.indices.map { layer in
      guard layer > 0 else { return [layers[0]] }
      return layers[layer - 1].indices.map { before in
        layers[layer].indices.map {
          cost([(layer - 1, before), (layer, $0)]) - first - layers[layer - 1][before]
        }
      }
    }
    return (alone, NeighbourCost(layers: pairs, fixed: first))
  }

  /// Refuses a table that lacks architectures, saying how many and which one first.
  package func checkComplete() throws {
    let whole = sizes.reduce(1.0) { $0 * Double($1) }
    guard Double(architectures.count) < whole else { return }
    var missing = Architecture(sizes.map { _ in 0 })
    while row(of: missing) != nil {
      var layer = missing.count - 1
      while missing[layer] == sizes[layer] - 1 {
        missing[layer] = 0
        layer -= 1
      }
      missing[layer] += 1
    }
    let lacking = whole - Double(architectures.count)
    let count = lacking < 1e15 ? "\(Int(lacking))" : "\(lacking)"
    throw UserError(
      .data,
      path,
      "lacks \(count) of the space's architectures, the first is "
        + missing.map(String.init).joined(),
      remedy: "a gradient search needs them all; use --algorithm joint, random or evolution"
    )
  }
}
