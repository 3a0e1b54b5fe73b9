import Foundation
import Networks
import Runs
import Testing

@testable import Search

@Suite struct LatencyImportTests {
  /// Rows for `LatencyFixture.space`.
  private static let rows = [
    "block,height,width,input,output,stride,milliseconds,spread",
    "stem,,,,,,0.5,",
    "rest,,,,,,0.25,0.01",
    "k3_e1,8,8,8,8,1,1,0.02",
    "k5_e3,8,8,8,8,1,2,",
    "k3_e1,8,8,8,16,2,3,0.02",
    "k5_e3,8,8,8,16,2,4,0.02",
    "skip,8,8,8,16,2,5,0.02",
  ]

  private func imported(_ text: String, name: String = "t.csv") throws -> LatencyTable {
    let folder = NSTemporaryDirectory() + "supertop-import-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/" + name
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    return try LatencyTable.imported(path: path, for: LatencyFixture.space(), device: "phone")
  }

  private func complaint(_ text: String) -> String {
    do {
      _ = try imported(text)
      return "none"
    } catch {
      return "\(error)"
    }
  }

  @Test func `comma-separated rows become a table`() throws {
    let table = try imported(LatencyImportTests.rows.joined(separator: "\n"))
    let space = try LatencyFixture.space()
    let prices = try table.prices(for: space, place: "t")
    #expect(prices.layers == [[1, 2, 0], [3, 4, 5]] && prices.fixed == 0.75)
    #expect(table.device == "phone" && table.threads == nil)
    #expect(table.entries[2].spread == 0.02 && table.entries[3].spread == nil)
    #expect(try table.spread(for: space, place: "t")?[1] == [0.02, 0.02, 0.02])
  }

  @Test func `a byte order mark changes nothing`() throws {
    let text = LatencyImportTests.rows.joined(separator: "\n")
    let plain = try imported(text)
    #expect(try imported("\u{FEFF}" + text).entries == plain.entries)
    #expect(try imported("\u{FEFF}" + plain.text).entries == plain.entries)
  }

  @Test func `a list of JSON objects does as well, and a table too`() throws {
    let header = LatencyImportTests.rows[0].split(separator: ",")
    let objects = LatencyImportTests.rows.dropFirst().map { row in
      let cells = row.split(separator: ",", omittingEmptySubsequences: false)
      let pairs = zip(header, cells).filter { !$1.isEmpty }.map {
        "\"\($0)\": " + ($0 == "block" ? "\"\($1)\"" : String($1))
      }
      return "{" + pairs.joined(separator: ", ") + "}"
    }
    let rows = try imported("  [\(objects.joined(separator: ",\n"))]")
    let csv = try imported(LatencyImportTests.rows.joined(separator: "\n"))
    #expect(rows.entries == csv.entries)
    #expect(try imported(csv.text).entries == csv.entries)
  }

  @Test(arguments: [
    (4, "k3_e1,8,8,8,8,1,-1,", "row 3, column 'milliseconds'"),
    (4, "k3_e1,8,8,8,8,1,nan,", "row 3, column 'milliseconds'"),
    (4, "k3_e1,8,8,8,8,1,0,", "only an identity costs nothing"),
    (4, "k3_e1,8,8,8,8,1,,", "row 3, column 'milliseconds'"),
    (4, "k7_e1,8,8,8,8,1,1,", "row 3, column 'block': the space has no 'k7_e1' at 8x8 8"),
    (4, "k3_e1,9,8,8,8,1,1,", "the space has no 'k3_e1' at 9x8 8"),
    (4, "k3_e1,x,8,8,8,1,1,", "row 3, column 'height': a whole number expected"),
    (4, "k3_e1,8,8,8,8,1,1,-2", "row 3, column 'spread'"),
    (4, "k5_e3,8,8,8,8,1,1,", "k5_e3 again, as in row 3"),
    (4, "k3_e1,8,8,8,8,1", "6 cells, the header has 8"),
    (4, "", "layer 1: no cell for k3_e1 at 8x8 8; add what is missing"),
    (2, "", "stem: the cell is missing"),
    (1, "block,height,width,input,output,stride,ms,spread", "unknown column 'ms'"),
  ])
  func `a bad or missing row is named`(line: Int, replacement: String, expected: String) {
    var rows = LatencyImportTests.rows
    rows[line - 1] = replacement
    let found = complaint(rows.joined(separator: "\n"))
    #expect(found.contains(expected), "\(found)")
  }
}
