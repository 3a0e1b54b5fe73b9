import Data
import Foundation
import Runs
import Testing

struct CSVTableTests {
  @Test func `cells are found by row and column`() throws {
    let table = try CSVTable(text: "arch,ms\n012, 1.5\r\n210,2\n", path: "t.csv")
    #expect(table.header == ["arch", "ms"])
    #expect(table.rows.map { String($0[0]) } == ["012", "210"])
    let column = try table.column("ms")
    #expect(try table.number(row: 0, column: column) == 1.5)
    #expect(try table.number(row: 1, column: column) == 2)
  }

  @Test func `a byte order mark is no part of the first column, gzipped too`() throws {
    let folder = try TemporaryFolder()
    // printf '\xEF\xBB\xBFa,b\n1,2\n' | gzip -n
    let zipped = Foundation.Data(base64Encoded: "H4sIAAAAAAAAA3u/e3+iThKXoY4RFwAdQTRRCwAAAA==")
    try folder.write(Foundation.Data("\u{FEFF}a,b\r\n1,2\r\n".utf8), to: "t.csv")
    try folder.write(#require(zipped), to: "t.csv.gz")
    for name in ["t.csv", "t.csv.gz"] {
      let table = try CSVTable(path: folder.path + "/" + name)
      #expect(try table.column("a") == 0)
      #expect(try table.number(row: 0, column: 1) == 2)
    }
  }

  @Test func `what is wrong is named with its place`() throws {
    let table = try CSVTable(text: "arch,ms\n012,fast\n013,nan\n", path: "t.csv")
    #expect(throws: UserError.self) { try table.column("seconds") }
    for (row, word) in [(0, "fast"), (1, "nan")] {
      let error = #expect(throws: UserError.self) { try table.number(row: row, column: 1) }
      #expect(error?.description.contains("row \(row + 1), column 'ms'") == true)
      #expect(error?.description.contains(word) == true)
    }
    let short = #expect(throws: UserError.self) { try CSVTable(text: "a,b\n1\n", path: "t.csv") }
    #expect(short?.description.hasPrefix("t.csv:2: 1 cell,") == true)
    #expect(throws: UserError.self) { try CSVTable(text: "a,b\n", path: "t.csv") }
  }

  @Test func `a plain and a gzipped file read alike, a cut one is refused`() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    // printf 'a,b\n1,2\n' | gzip -n
    let zipped = Foundation.Data(
      base64Encoded: "H4sIAAAAAAAAA0vUSeIy1DHiAgB7B5cKCAAAAA=="
    )
    let plain = folder.appendingPathComponent("plain.csv")
    try Foundation.Data("a,b\n1,2\n".utf8).write(to: plain)
    let gzip = folder.appendingPathComponent("t.csv.gz")
    let bytes = try #require(zipped)
    try bytes.write(to: gzip)
    #expect(try CSVTable(path: plain.path).rows == CSVTable(path: gzip.path).rows)
    try bytes.prefix(bytes.count - 10).write(to: gzip)
    #expect(throws: UserError.self) { try CSVTable(path: gzip.path) }
    #expect(throws: UserError.self) { try CSVTable(path: folder.path + "/none.csv") }
  }
}
