import Foundation
import Networks
import Runs
import Tensor
import Testing

@testable import Search

/// Files of tables of widths, and the booking of measurements.
@Suite struct WidthLatencyTableTests {
  private let space = WidthLatencyFixture.small

  private func complaint(_ table: LatencyTable, _ space: MaskedSpace) -> String? {
    do {
      let read = try LatencyTable.parse(table.text, place: "t.json")
      _ = try space.latencyCost(read, place: "t.json")
      return nil
    } catch let error as UserError {
      return error.code == .data ? error.description : "code \(error.code)"
    } catch {
      return "\(error)"
    }
  }

  @Test func `a table survives its file, stems and rests of several widths too`() throws {
    let table = WidthLatencyFixture.table(space)
    let read = try LatencyTable.parse(table.text, place: "t")
    #expect(read == table)
    #expect(read.entries.count { $0.candidate == "stem" } == 4)
    #expect(read.entries.count { $0.candidate == "rest" } == 4)
    let (before, after) = (
      try space.latencyCost(table, place: "t"), try space.latencyCost(read, place: "t")
    )
    #expect(before.range == after.range)
  }

  @Test func `what is missing, foreign or of other sizes is named in one line`() throws {
    #expect(complaint(WidthLatencyFixture.table(space), space) == nil)
    var table = WidthLatencyFixture.table(space)
    table.entries.removeAll { $0.candidate == "k3_e1_c12" }
    var found = try #require(complaint(table, space))
    #expect(found.hasPrefix("t.json: no cell for k3_e1_c12 at 4x4 4→12, "), "\(found)")
    #expect(found.contains("measure one for this space") && !found.contains("\n"))

    table = WidthLatencyFixture.table(space)
    table.entries.removeAll { $0.candidate == "stem" && $0.output == 4 }
    found = try #require(complaint(table, space))
    #expect(found.contains("no cell for stem at 4x4 1→4, stem at 8x8 1→4 of"))

    let larger = WidthLatencyFixture.space(MaskedSubject.masked, stem: 12, side: 16)
    found = try #require(complaint(WidthLatencyFixture.table(larger), space))
    #expect(found.contains("no cell for") && found.contains("more of this space's widths"))

    table = WidthLatencyFixture.table(space)
    table.entries.append(.init(larger.latencyCells[0], milliseconds: 1))
    found = try #require(complaint(table, space))
    #expect(found.contains("the space has no such cell"))

    // A table of layers is of another kind of space, and the other way round.
    let layers = try LatencyFixture.space()
    #expect(complaint(LatencyFixture.table(layers), space)?.contains("no cell for") == true)
    #expect(LatencyFixture.complaint(WidthLatencyFixture.table(space).text, layers) != nil)
  }

  @Test func `a table of layers has one stem`() throws {
    let layers = try LatencyFixture.space()
    var table = LatencyFixture.table(layers)
    var stem = table.entries[0]
    stem.output = 12
    table.entries.append(stem)
    let found = LatencyFixture.complaint(table.text, layers)
    #expect(found?.contains("t.json: stem: the table's is 3x3 relu on 8x8 1→12") == true)
  }

  @Test func `rows of another device fill a table, with and without a shortcut`() throws {
    let space = WidthLatencyFixture.space(
      .init(stages: [.init(widths: [8, 12], depth: 2, expansions: [1])])
    )
    // At 8 channels the stage begins without a shortcut and goes on with one.
    let twins = space.latencyCells.filter { $0.name == "k3_e1_c8" }
    #expect(twins.map(\.summary) == ["k3 m8 relu", "k3 m8 relu +x"])
    let folder = NSTemporaryDirectory() + "supertop-widths-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    func imported(_ rows: [String]) throws -> LatencyTable {
      let path = folder + "/rows.csv"
      let head = "block,height,width,input,output,stride,milliseconds"
      try Data(([head] + rows).joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path))
      return try LatencyTable.imported(path: path, for: space, device: "phone")
    }
    let rows = [
      "stem,,,,,,1", "rest,8,8,8,16,1,2", "rest,8,8,12,16,1,3", "k3_e1_c8,8,8,8,8,1,4",
      "k3_e1_c12,8,8,8,12,1,5", "k3_e1_c12,8,8,12,12,1,6",
    ]
    let model = try space.latencyCost(imported(rows), place: "t")
    #expect(model.cost([0]) == 1 + 4 + 4 + 2 && model.cost([1]) == 1 + 5 + 6 + 3)
    for (row, words) in [
      ("rest,8,8,9,16,1,3", "row 7, column 'block': the space has no 'rest' at 8x8 9→16"),
      ("k3_e1_c8,8,8,8,8,1,4", "again, as in row 4"), ("k3_e1_c9,8,8,8,9,1,4", "no 'k3_e1_c9'"),
    ] {
      let error = #expect(throws: UserError.self) { try imported(rows + [row]) }
      #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }
  }

  @Test func `a grid has a row for each block and resolution`() throws {
    let grid = try space.latencyGrid(WidthLatencyFixture.table(space), place: "t")
    #expect(
      grid.candidates == ["w 0 %", "w 25 %", "w 50 %", "w 75 %", "w 100 %", "k5", "se", "hswish"]
    )
    #expect(grid.rows.count == 6 && grid.rows[0].name == "stage 1 block 1")
    #expect(grid.rows[0].detail == "8x8" && grid.rows[1].detail == "8x8 s2")
    let first = grid.rows[0].milliseconds.compactMap { $0 }
    // Its block has no squeeze-and-excite and no other activation to choose.
    #expect(first.count == 6 && first == first.sorted())
    #expect(grid.rows[1].milliseconds[5] == nil)
    #expect(grid.range.upperBound > grid.fixed && grid.fixed > 0 && grid.findings.isEmpty)
    // Without its space the table has the same fixed part.
    #expect(LatencyGrid(WidthLatencyFixture.table(space)).fixed == grid.fixed)
  }

  @Test func `noise, a flat block and what is not monotone are found`() throws {
    var table = WidthLatencyFixture.table(space)
    table.entries[10].spread = 0.2
    var findings = try space.latencyGrid(table, place: "t").findings
    #expect(findings.count == 1 && findings[0].text.contains("1 cell of"))
    #expect(findings[0].text.hasSuffix("±20.0 %"))
    table = WidthLatencyFixture.table(space) { _ in 1 }
    findings = try space.latencyGrid(table, place: "t").findings
    #expect(findings.count == 6 && findings.allSatisfy { $0.text.contains("flat") })
    table = WidthLatencyFixture.table(space, times: WidthLatencyFixture.noisy(1))
    findings = try space.latencyGrid(table, place: "t").findings
    #expect(findings.contains { $0.text.hasPrefix("not monotone as measured") })
  }

  // MARK: Booking

  /// Books the networks of the plan as if a block took what the fixture says, until `count`.
  private func measured(_ ledger: inout LatencyLedger, _ count: Int = .max) -> Int {
    var timed = 0
    for (round, architecture) in space.latencyPlan where timed < count {
      let network = space.network(of: architecture, name: "")
      let blocks = space.parts(of: architecture).map(\.block)
      guard ledger.needs(blocks, in: network, round: round) else { continue }
      let parts = network.blocks.map {
        MedianInterval(median: 1e-3 * WidthLatencyFixture.milliseconds($0), spread: 0.01)
      }
      ledger.book(blocks, in: network, parts, 50)
      timed += 1
    }
    return timed
  }

  @Test func `the networks of the plan fill the table, and it can be taken up half way`() throws {
    var whole = LatencyLedger(space)
    let all = measured(&whole)
    #expect(whole.count == whole.cellCount && all < space.latencyPlan.count)
    var table = WidthLatencyFixture.table(space)
    table.entries = whole.entries
    let expected = WidthLatencyFixture.table(space)
    #expect(table.entries.map(\.key) == expected.entries.map(\.key))
    for (a, b) in zip(table.entries, expected.entries) {
      #expect(abs(a.milliseconds - b.milliseconds) < 1e-9 && a.candidate == b.candidate)
      #expect(a.spread == 0.01 && (a.networks ?? 0) >= 1)
    }
    var half = LatencyLedger(space)
    #expect(measured(&half, 10) == 10)
    table.entries = half.entries
    let read = try LatencyTable.parse(table.text, place: "t")
    var rest = LatencyLedger(space)
    rest.take(read.entries)
    #expect(measured(&rest) == all - 10 && rest.count == rest.cellCount)
  }

  @Test func `a network of identities alone is timed without its blocks`() throws {
    var network = NetworkDescription(name: "n", height: 4, width: 4, channels: 8, classes: 3)
    network.add(.skip, output: 8)
    let timer = NetworkTimer(network, parts: true, engine: Engine(threads: 1))
    timer.runBatch(seconds: 0) { false }
    #expect(timer.parts.count == 1)
  }
}
