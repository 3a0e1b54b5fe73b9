import Data
import Foundation
import Runs

/// The choices and results of a table of one of the three forms (see `ResultTable`).
struct ResultForm {
  /// The different networks, in the order of their first rows.
  var architectures: [Architecture]
  /// The first row of each network.
  var rows: [Int]
  /// Their results: more is better.
  var values: [Double]
  /// See `ResultTable.hasLosses`.
  var hasLosses = false
  /// Columns of choices and results.
  var columns: Set<Int>

  /// Reads choices and results of the form that the header shows.
  ///
  /// Errors: `.data` for a table without a column of results, or naming row and column of a cell
  /// that is no choice or no result.
  init(_ table: CSVTable) throws {
    if table.header.contains("cfg") {
      try self.init(table, named: "cfg", results: "loss")
    } else if !table.header.contains("arch"), table.header.contains("val_top1") {
      try self.init(blocks: table)
    } else {
      try self.init(table, named: "arch", results: "acc")
    }
  }

  /// A column of digits, and results of several seeds.
  private init(_ table: CSVTable, named name: String, results: String) throws {
    architectures = try table.architectures(name)
    rows = Array(table.rows.indices)
    hasLosses = results == "loss"
    let found = table.header.indices.filter {
      let header = table.header[$0]
      return header.hasPrefix(results) && header.dropFirst(results.count).allSatisfy(\.isNumber)
    }
    guard !found.isEmpty else {
      throw UserError(
        .data,
        table.path,
        hasLosses ? "no column of losses" : "no column of accuracies",
        remedy: "name them \(results)0, \(results)1, …, one for each seed"
      )
    }
    let isLoss = hasLosses
    values = try table.rows.indices.map { row in
      let values = try found.map { column in
        isLoss ? try table.loss(row, column) : try table.accuracy(row, column)
      }
      let mean = values.reduce(0, +) / Double(values.count)
      return isLoss ? -log(mean) : mean
    }
    columns = Set(found + [try table.column(name)])
  }

  /// Columns of their own for the choices of each block, `block0_e`.
  ///
  /// The options are the numbers that occur. A network that was trained more than once counts once,
  /// with the mean.
  private init(blocks table: CSVTable) throws {
    let choices = table.header.indices.filter { table.header[$0].hasPrefix("block") }
    let result = try table.column("val_top1")
    guard !choices.isEmpty else {
      throw UserError(
        .data,
        table.path,
        "no column of choices",
        remedy: "name them block0_e, block0_k, …, or give one column 'arch'"
      )
    }
    let numbers = try table.rows.indices.map { row in
      try choices.map { try table.number(row: row, column: $0) }
    }
    let options = choices.indices.map { choice in Set(numbers.map { $0[choice] }).sorted() }
    var places: [Architecture: Int] = [:]
    var sums: [(total: Double, count: Double)] = []
    architectures = []
    rows = []
    for (row, numbers) in numbers.enumerated() {
      let network = Architecture(
        zip(options, numbers).map { options, number in options.firstIndex(of: number) ?? 0 }
      )
      let accuracy = try table.accuracy(row, result)
      if let place = places[network] {
        sums[place].total += accuracy
        sums[place].count += 1
      } else {
        places[network] = architectures.count
        architectures.append(network)
        rows.append(row)
        sums.append((accuracy, 1))
      }
    }
    values = sums.map { $0.total / $0.count }
    columns = Set(choices + [result])
  }
}

extension CSVTable {
  /// An accuracy, a share or percent.
  fileprivate func accuracy(_ row: Int, _ column: Int) throws -> Double {
    let value = try number(row: row, column: column)
    guard value > 0, value <= 100 else {
      throw fault(row: row, column: column, "an accuracy above 0 and up to 100 expected")
    }
    return value
  }

  /// A loss.
  fileprivate func loss(_ row: Int, _ column: Int) throws -> Double {
    let value = try number(row: row, column: column)
    guard value > 0 else { throw fault(row: row, column: column, "a loss above 0 expected") }
    return value
  }
}
