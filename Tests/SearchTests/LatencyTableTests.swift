import Foundation
import Networks
import Runs
import Tensor
import Testing

@testable import Search

/// Small spaces and tables for them.
enum LatencyFixture {
  /// Two layers of three candidates on the digits.
  static func space(
    candidates: String = "[k3_e1, k5_e3, skip]",
    widths: (Int, Int) = (8, 16)
  ) throws -> LayerwiseSpace {
    let configuration = try Configuration.preset(
      "digits",
      overrides: [
        "space.stem.width=8", "space.head=16", "space.candidates=\(candidates)",
        "space.stages=[{width: \(widths.0), depth: 1, stride: 1}, "
          + "{width: \(widths.1), depth: 1, stride: 2}]",
      ]
    )
    return LayerwiseSpace(configuration.space, classes: 10, channels: 1, height: 8, width: 8)
  }

  /// A table with a price for each cell: 1 ms, 2 ms…, stem 0.5 ms, rest 0.25 ms.
  static func table(_ space: LayerwiseSpace) -> LatencyTable {
    var table = LatencyTable(
      device: "test \"device\"",
      threads: 1,
      isa: "avx2",
      date: Date(timeIntervalSince1970: 0)
    )
    let blocks = space.fixedBlocks
    table.entries = [
      .init(blocks.stem, candidate: "stem", milliseconds: 0.5, spread: 0.01, repeats: 10),
      .init(blocks.head, candidate: "rest", milliseconds: 0.25, spread: 0.01, repeats: 10),
    ]
    for (index, block) in space.latencyCells.enumerated() {
      table.entries.append(
        .init(block, milliseconds: Double(index + 1), spread: 0.02, repeats: 7, networks: 2)
      )
    }
    return table
  }

  /// What reading or pricing `text` says is wrong.
  static func complaint(
    _ text: String,
    _ space: LayerwiseSpace
  ) -> String? {
    do {
      _ = try LatencyTable.parse(text, place: "t.json").prices(for: space, place: "t.json")
      return nil
    } catch let error as UserError {
      return error.code == .data ? error.description : "code \(error.code)"
    } catch {
      return "\(error)"
    }
  }
}

@Suite struct LatencyTableTests {
  @Test func `prices are the cells, and an identity costs nothing`() throws {
    let space = try LatencyFixture.space()
    let prices = try LatencyFixture.table(space).prices(for: space, place: "t")
    #expect(prices.layers == [[1, 2, 0], [3, 4, 5]])
    #expect(prices.fixed == 0.75)
    #expect(prices.cost([1, 2]) == 7.75)
  }

  @Test func `the file holds the whole table, a line for each cell`() throws {
    let space = try LatencyFixture.space()
    var table = LatencyFixture.table(space)
    table.entries[2].layer = 1
    let text = table.text
    #expect(try LatencyTable.parse(text, place: "t") == table)
    #expect(text.split(separator: "\n").count == 7 + table.entries.count + 2)
    #expect(text.contains("\"candidate\": \"k3_e1\", \"layer\": 1, \"block\": \"k3 m8 relu +x\""))
    #expect(text.contains("\"date\": \"1970-01-01T00:00:00Z\""))
  }

  @Test func `a cell of a layer goes before the one of its shape`() throws {
    let space = try LatencyFixture.space()
    var table = LatencyFixture.table(space)
    table.entries.append(
      .init(space.layers[1][0], layer: 2, milliseconds: 9)
    )
    // Zero is possible there: a fit counts from skip on.
    table.entries.append(.init(space.layers[1][2], layer: 2, milliseconds: 0))
    let prices = try LatencyTable.parse(table.text, place: "t").prices(for: space, place: "t")
    #expect(prices.layers == [[1, 2, 0], [9, 4, 0]])
  }

  @Test func `all layers of one shape share their cells`() throws {
    let space = try {
      let configuration = try Configuration.preset("cifar")
      return LayerwiseSpace(configuration.space, classes: 10, channels: 3, height: 32, width: 32)
    }()
    // 12 shapes of 9 candidates, without the identities.
    #expect(
      space.latencyCells.count == 12 * 9
        - space.layers.joined().reduce(
          into: Set<LatencyTable.Cell>()
        ) { if $1.isIdentity { $0.insert($1.latencyCell) } }.count
    )
    let prices = try LatencyFixture.table(space).prices(for: space, place: "t")
    #expect(prices.layers[2] == prices.layers[3])
    #expect(prices.layers[1] != prices.layers[2])
  }

  @Test(arguments: [
    ("\"ms\": 3.0", "\"ms\": -3.0", "cell 5 (8x8 8→16 s2, k3_e1): 'ms' is negative (-3.0)"),
    ("\"ms\": 3.0", "\"ms\": NaN", "cell 5 (8x8 8→16 s2, k3_e1): 'ms' is 'NaN', not a number"),
    ("\"ms\": 3.0", "\"ms\": \"3\"", "'ms' is '3', not a number"),
    ("\"ms\": 3.0", "\"ms\": true", "'ms' is true, not a number"),
    ("\"ms\": 3.0", "\"ms\": 1e999", "k3_e1): 'ms' is 'out of range', not a number"),
    ("\"ms\": 3.0", "\"ms\": 0", "cell 5 (8x8 8→16 s2, k3_e1): 'ms' is 0"),
    ("\"ms\": 3.0, ", "", "cell 5 (8x8 8→16 s2, k3_e1): 'ms' is missing"),
    ("\"ms\": 3.0", "\"ms\": 3.0, \"us\": 3", "unknown key 'us'"),
    ("\"spread\": 0.02", "\"spread\": -1", "'spread' is negative"),
    ("\"output\": 16", "\"output\": 1.5", "'output' is 1.5"),
    ("\"version\": 1", "\"version\": 2", "version 2 is unknown"),
    ("\"device\"", "\"devices\"", "unknown key 'devices'"),
    ("\"cells\": [", "\"cells\": {", "not a JSON object"),
  ])
  func `a bad cell is named with its row, its column and a remedy`(
    from: String,
    to: String,
    complaint: String
  ) throws {
    let space = try LatencyFixture.space()
    let text = LatencyFixture.table(space).text
    let range = try #require(text.range(of: from))
    let found = LatencyFixture.complaint(text.replacingCharacters(in: range, with: to), space)
    #expect(found?.hasPrefix("t.json") == true)
    #expect(found?.contains(complaint) == true, "\(found ?? "no complaint")")
    #expect(found?.contains("; ") == true)
  }

  @Test func `missing cells are named, all in one line`() throws {
    let space = try LatencyFixture.space()
    var table = LatencyFixture.table(space)
    table.entries.removeAll { $0.candidate == "k5_e3" }
    let found = try #require(LatencyFixture.complaint(table.text, space))
    #expect(found.contains("layer 1: no cell for k5_e3 at 8x8 8, k5_e3 at 8x8 8→16 s2; add"))
    table = LatencyFixture.table(space)
    table.entries.remove(at: 0)
    #expect(LatencyFixture.complaint(table.text, space)?.contains("t.json: stem: ") == true)
  }

  @Test func `a cell that is there twice is refused`() throws {
    let space = try LatencyFixture.space()
    var table = LatencyFixture.table(space)
    table.entries.append(table.entries[2])
    let found = LatencyFixture.complaint(table.text, space)
    #expect(found?.contains("cell 8 (8x8 8, k3_e1): the same as cell 3") == true)
  }

  @Test func `tables of other spaces are refused and told apart`() throws {
    let space = try LatencyFixture.space()
    func complaint(_ other: LayerwiseSpace) -> String {
      LatencyFixture.complaint(LatencyFixture.table(other).text, space) ?? ""
    }
    #expect(complaint(try LatencyFixture.space(widths: (8, 24))).contains("other"))
    #expect(
      complaint(try LatencyFixture.space(candidates: "[k3_e1, k5_e3, k7_e1, skip]"))
        .contains("8x8 8, k7_e1: the space has no such cell (k7 m8 relu +x)")
    )
    let other = try LatencyFixture.space(
      candidates: "[{name: k3_e1, kernel: 3, expansion: 2}, k5_e3, skip]"
    )
    #expect(complaint(other).contains("the table's is k3 m16 relu +x, the space's k3 m8 relu +x"))
  }

  @Test func `one fixed part may stand for both`() throws {
    let space = try LatencyFixture.space()
    var table = LatencyFixture.table(space)
    table.entries.removeAll(where: \.isFixed)
    table.entries.append(.init(space.fixedBlocks.head, candidate: "fixed", milliseconds: 4))
    #expect(
      try LatencyTable.parse(table.text, place: "t").prices(for: space, place: "t").fixed == 4
    )
  }
}
