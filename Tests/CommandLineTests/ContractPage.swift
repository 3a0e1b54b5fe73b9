import Foundation
import Testing

/// `Documentation/json.md`, read for its tables.
struct ContractPage {
  /// A heading with its table and its example.
  struct Entry {
    var shape: Contract.Shape
    /// The line of JSON below the table; nil where there is none.
    var example: String?
  }

  let entries: [Entry]

  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  static func read(_ name: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(name), encoding: .utf8)
  }

  init() throws {
    let sections = try Self.read("Documentation/json.md").components(separatedBy: "\n### ")
    entries = sections.dropFirst().map { section in
      // What follows the next greater heading is no part of it.
      let text = section.components(separatedBy: "\n## ")[0]
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      let rows = lines.filter { $0.hasPrefix("| `") }.map { line in
        line.split(separator: "|", omittingEmptySubsequences: false)
          .map { $0.trimmingCharacters(in: .whitespaces) }
      }
      return Entry(
        shape: Contract.Shape(
          lines[0],
          kinds: Dictionary(rows.map { (Self.bare($0[1]), $0[2]) }) { "\($0), twice \($1)" },
          sometimes: Set(rows.filter { $0[3] != "always" }.map { Self.bare($0[1]) })
        ),
        example: lines.first { $0.hasPrefix("{") }
      )
    }
  }

  private static func bare(_ cell: String) -> String {
    cell.trimmingCharacters(in: CharacterSet(charactersIn: "`"))
  }
}
