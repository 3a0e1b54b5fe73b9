import Data
import Foundation
import Networks
import Runs

extension LatencyTable {
  /// Columns that an imported file has; `spread` may be missing.
  package static let columns = [
    "block", "height", "width", "input", "output", "stride", "milliseconds",
  ]

  /// A table of another device from a file of this program's JSON, of JSON rows, or of
  /// comma-separated values.
  ///
  /// A row's `block` is the name of a candidate of the space, or `stem`, `rest` or `fixed`, whose
  /// other cells may be empty.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - space: the space that its cells must cover.
  ///   - device: its name.
  /// - Returns: a table that covers the space.
  /// - Throws: `.noInput`; `.data` naming row and column, or the cells that are missing.
  package static func imported(
    path: String,
    for space: any LatencySpace,
    device: String
  ) throws -> LatencyTable {
    var table = LatencyTable(device: device)
    let text = try CSVTable.text(of: path)
    switch text.first(where: { !$0.isWhitespace }) {
    case "{":
      table = try parse(text, place: path)
      table.device = device
    case "[": try table.add(rows(text, path: path), space)
    default: try table.add(CSVTable(text: text, path: path), space)
    }
    _ = try space.latencyCost(table, place: path)
    return table
  }

  /// A list of JSON objects as the table that the CSV form would be.
  private static func rows(_ json: String, path: String) throws -> CSVTable {
    let sound = json.replacing(/:\s*([-+]?(?i:nan|inf|infinity))\b/) { ": \"\($0.1)\"" }
    guard
      let list = try? JSONSerialization.jsonObject(with: Foundation.Data(sound.utf8)) as? [Any]
    else {
      throw UserError(
        .data,
        path,
        "not JSON",
        remedy: "give a list of objects with \(columns.joined(separator: ", "))"
      )
    }
    let known = columns + ["spread"]
    let lines = try list.enumerated().map { index, item in
      guard let object = item as? [String: Any] else {
        throw UserError(.data, "\(path): row \(index + 1)", "not an object", remedy: "correct it")
      }
      if let strange = object.keys.sorted().first(where: { !known.contains($0) }) {
        throw UserError(
          .data,
          "\(path): row \(index + 1)",
          "unknown key '\(strange)'",
          remedy: "known are \(known.joined(separator: ", "))"
        )
      }
      return known.map { key in object[key].map { $0 is NSNull ? "" : "\($0)" } ?? "" }
        .joined(separator: ",")
    }
    return try CSVTable(
      text: ([known.joined(separator: ",")] + lines).joined(separator: "\n"),
      path: path
    )
  }

  private mutating func add(_ csv: CSVTable, _ space: any LatencySpace) throws {
    let known = LatencyTable.columns + ["spread"]
    if let strange = csv.header.first(where: { !known.contains($0) }) {
      throw UserError(
        .data,
        csv.path,
        "unknown column '\(strange)'",
        remedy: "known are \(known.joined(separator: ", "))"
      )
    }
    let columns = try Dictionary(
      uniqueKeysWithValues: LatencyTable.columns.map { ($0, try csv.column($0)) }
    )
    let spread = csv.header.firstIndex(of: "spread")
    func column(_ name: String) -> Int { columns[name] ?? 0 }
    let candidates = space.latencyCandidates
    let ends = space.latencyEnds
    /// The cells of the shape that a row names, among `blocks` of its name: a
    /// block with a shortcut and one without may share both.
    func matches(_ row: Int, _ blocks: [BlockDescription]) throws -> [BlockDescription] {
      let name = String(csv.rows[row][column("block")])
      let sizes = try ["height", "width", "input", "output", "stride"].map { key in
        guard let value = Int(csv.rows[row][column(key)]) else {
          throw csv.fault(
            row: row,
            column: column(key),
            "a whole number expected, '\(csv.rows[row][column(key)])' found"
          )
        }
        return value
      }
      var cells: Set<Cell> = []
      let found = blocks.filter {
        [$0.height, $0.width, $0.input, $0.output, $0.stride] == sizes
          && cells.insert($0.latencyCell).inserted
      }
      guard !found.isEmpty else {
        throw csv.fault(
          row: row,
          column: column("block"),
          "the space has no '\(name)' at "
            + LatencyTable.shape(Array(sizes[..<3]), sizes[3], sizes[4])
        )
      }
      return found
    }
    var seen: [Key: Int] = [:]
    for row in csv.rows.indices {
      let name = String(csv.rows[row][column("block")])
      let milliseconds = try csv.number(row: row, column: column("milliseconds"))
      let own = ends.filter { $0.candidate == (name == "fixed" ? "rest" : name) }.map(\.block)
      // Where there is one of that name, it is meant whatever the row says of its shape.
      let blocks =
        own.count == 1
        ? own : try matches(row, own.isEmpty ? candidates.filter { $0.name == name } : own)
      for block in blocks {
        var entry = Entry(
          block,
          candidate: own.isEmpty ? nil : name,
          milliseconds: milliseconds
        )
        if milliseconds < 0 || milliseconds == 0 && entry.block != "identity" {
          throw csv.fault(
            row: row,
            column: column("milliseconds"),
            "\(entry.place) takes \(milliseconds) ms; only an identity costs nothing"
          )
        }
        if let spread, !csv.rows[row][spread].isEmpty {
          entry.spread = try csv.number(row: row, column: spread)
          if entry.spread ?? 0 < 0 {
            throw csv.fault(row: row, column: spread, "a share from 0 on expected")
          }
        }
        if let first = seen.updateValue(row + 1, forKey: entry.key) {
          throw csv.fault(
            row: row,
            column: column("block"),
            "\(entry.place) again, as in row \(first)"
          )
        }
        entries.append(entry)
      }
    }
  }
}
