import CZlib
import Foundation
import Runs

/// A file of comma-separated values with a header line, plain or gzipped.
///
/// Cells hold numbers and plain words, so quotes have no meaning.
package struct CSVTable: Sendable {
  /// The file.
  package let path: String
  /// The names of the columns.
  package let header: [String]
  /// Cells [row][column], as many in every row as the header has.
  package let rows: [[Substring]]

  /// Reads a file whole.
  ///
  /// Errors: `.noInput` for one that cannot be read; `.data` for one without rows, or with a row of
  /// another length (its line is named).
  package init(path: String) throws {
    try self.init(text: CSVTable.text(of: path), path: path)
  }

  /// Parses `text`; `path` is what errors name.
  package init(text: String, path: String) throws {
    self.path = path
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    func cells(_ line: Substring) -> [Substring] {
      line.split(separator: ",", omittingEmptySubsequences: false).map { cell in
        guard cell.first == " " || cell.last == " " else { return cell }
        return Substring(cell.trimmingCharacters(in: .whitespaces))
      }
    }
    header = cells(lines.first ?? "").map(String.init)
    var rows: [[Substring]] = []
    for (index, line) in lines.enumerated().dropFirst() where !line.isEmpty {
      let row = cells(line)
      guard row.count == header.count else {
        throw UserError(
          .data,
          "\(path):\(index + 1)",
          "\(Format.counted(row.count, "cell")), the header has \(header.count)",
          remedy: "give every row a cell for each column"
        )
      }
      rows.append(row)
    }
    guard !rows.isEmpty else {
      throw UserError(
        .data,
        path,
        "no rows",
        remedy: "give a header line with the columns' names and a line for each row"
      )
    }
    self.rows = rows
  }

  /// The position of a column.
  ///
  /// Errors: `.data` naming the columns that there are.
  package func column(_ name: String) throws -> Int {
    guard let index = header.firstIndex(of: name) else {
      throw UserError(
        .data,
        path,
        "no column '\(name)'",
        remedy: "its columns are \(header.joined(separator: ", "))"
      )
    }
    return index
  }

  /// The finite number of a cell.
  ///
  /// Errors: `.data` naming line and column.
  package func number(row: Int, column: Int) throws -> Double {
    guard let value = Double(rows[row][column]), value.isFinite else {
      throw fault(row: row, column: column, "a number expected, '\(rows[row][column])' found")
    }
    return value
  }

  /// The error for a cell, naming row and column (rows counted from 1, the header apart).
  package func fault(row: Int, column: Int, _ problem: String) -> UserError {
    UserError(
      .data,
      "\(path): row \(row + 1), column '\(header[column])'",
      problem,
      remedy: "correct the cell or leave the row out"
    )
  }

  /// The text of a file, plain or gzipped.
  ///
  /// Errors: `.noInput` for one that cannot be read; `.data` for a damaged one or other text than
  /// UTF-8.
  package static func text(of path: String) throws -> String {
    let bytes = try readBytes(path)
    guard bytes.starts(with: [0x1F, 0x8B]) else { return try decodedText(bytes, path: path) }
    return try decodedText(unzipped(path), path: path)
  }

  private static func unzipped(_ path: String) throws -> [UInt8] {
    guard let file = gzopen(path, "rb") else {
      throw UserError(.noInput, path, "cannot be read", remedy: "check the file's name")
    }
    defer { gzclose(file) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let count = gzread(file, &block, UInt32(block.count))
      guard count >= 0 else {
        throw UserError(.data, path, "damaged", remedy: "restore it from a copy")
      }
      if count == 0 { break }
      bytes += block.prefix(Int(count))
    }
    var status: Int32 = 0
    _ = gzerror(file, &status)
    guard status == Z_OK || status == Z_STREAM_END else {
      throw UserError(.data, path, "damaged", remedy: "restore it from a copy")
    }
    return bytes
  }
}
