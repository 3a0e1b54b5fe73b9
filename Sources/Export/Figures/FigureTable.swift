import Foundation
import Runs

/// A value of a cell as text: numbers as they read back to the bit, whatever the language of the
/// machine; nil for none.
protocol CellValue {
  var cell: Cell { get }
}

/// What a cell holds.
enum Cell: Equatable {
  case none
  /// A number or `true` and `false`, which both formats write alike.
  case plain(String)
  case text(String)
}

extension Int: CellValue { var cell: Cell { .plain("\(self)") } }
extension Int32: CellValue { var cell: Cell { .plain("\(self)") } }
extension Int64: CellValue { var cell: Cell { .plain("\(self)") } }
extension Bool: CellValue { var cell: Cell { .plain("\(self)") } }
extension Double: CellValue { var cell: Cell { isFinite ? .plain("\(self)") : .none } }
extension Float: CellValue { var cell: Cell { isFinite ? .plain("\(self)") : .none } }
extension String: CellValue { var cell: Cell { .text(self) } }
extension Optional: CellValue where Wrapped: CellValue {
  var cell: Cell { self?.cell ?? .none }
}

/// A table of a run's store in long form: a row never holds a list.
struct FigureTable {
  /// Name of its file.
  let name: String
  /// Names of the columns, in order.
  let columns: [String]
  /// Hands out the rows in order, a page of a large table at a time.
  let rows: (_ take: ([Cell]) throws -> Void) throws -> Void

  /// Columns and what they show of a record.
  typealias Columns<Row> = KeyValuePairs<String, (Row) throws -> any CellValue>

  /// A table of records that `records` hands out.
  init<Row>(
    _ name: String,
    of type: Row.Type,
    _ columns: Columns<Row>,
    _ records: @escaping ((Row) throws -> Void) throws -> Void
  ) {
    self.name = name
    self.columns = columns.map(\.key)
    rows = { take in
      try records { row in try take(columns.map { try $0.value(row).cell }) }
    }
  }

  /// A table of records that fit into memory at once.
  init<Row>(
    _ name: String,
    of type: Row.Type,
    _ columns: Columns<Row>,
    from records: @autoclosure @escaping () throws -> [Row]
  ) {
    self.init(name, of: type, columns) { take in try records().forEach(take) }
  }

  /// The forms of a table.
  enum Format: String, CaseIterable {
    /// RFC 4180 with line feeds, the columns' names first; an empty cell for none.
    case csv
    /// An object a line with all columns, `null` for none.
    case jsonl
  }

  /// Writes the table as a file of a folder; whole or not at all.
  func write(to folder: String, as format: Format) throws {
    try writeWhole(to: "\(folder)/\(name).\(format.rawValue)") { write in
      var text = format == .csv ? columns.joined(separator: ",") + "\n" : ""
      func flush() throws {
        try text.withUTF8 { try write(UnsafeRawBufferPointer($0)) }
        text = ""
      }
      let keys = try columns.map { try JSONText.encode($0) + ":" }
      try rows { cells in
        switch format {
        case .csv: text += cells.map(Self.csv).joined(separator: ",")
        case .jsonl:
          let pairs = try zip(keys, cells).map { try $0 + Self.json($1) }
          text += "{" + pairs.joined(separator: ",") + "}"
        }
        text += "\n"
        if text.utf8.count > 1 << 16 { try flush() }
      }
      try flush()
    }
  }

  static func csv(_ cell: Cell) -> String {
    switch cell {
    case .none: return ""
    case .plain(let text): return text
    case .text(let text):
      // An empty text is quoted: an empty cell is none.
      return text.isEmpty ? "\"\"" : CSVText.cell(text)
    }
  }

  static func json(_ cell: Cell) throws -> String {
    switch cell {
    case .none: "null"
    case .plain(let text): text
    case .text(let text): try JSONText.encode(text)
    }
  }
}
