import Data
import Foundation
import Runs
import TestSupport
import Testing

@testable import Search

@Suite struct LatencyDiagnosticsTests {
  private static let names = [
    "k3_e1", "k3_e1_g2", "k3_e3", "k3_e6", "k5_e1", "k5_e1_g2", "k5_e3", "k5_e6", "skip",
  ]

  private func findings(
    _ layers: [[Double]],
    spread: [[Double]]? = nil,
    fixed: Double = 1
  ) -> [LatencyDiagnostics.Finding] {
    LatencyDiagnostics.findings(
      prices: AdditiveCost(layers: layers, fixed: fixed),
      choices: layers.indices.map {
        Choice(
          name: "layer \($0 + 1)",
          detail: "",
          options: LatencyDiagnosticsTests.names.map { .init(name: $0) }
        )
      },
      spread: spread
    )
  }

  private let sound = [1, 1.1, 2, 4, 1.3, 1.4, 2.5, 5, 0.0]

  @Test func `a sound table gives no findings`() {
    #expect(findings([sound, sound.map { 2 * $0 }]).isEmpty)
    // A strided skip costs something.
    #expect(findings([sound.dropLast() + [0.4]]).isEmpty)
  }

  @Test func `a table on which only skip saves time is called out`() throws {
    let flat = [0.30, 0.37, 0.30, 0.31, 0.30, 0.37, 0.30, 0.31, 0]
    let found = findings([flat, flat])
    let first = try #require(found.first)
    #expect(first.grade == .warning)
    #expect(first.text.hasPrefix("only skip saves time"))
    #expect(first.text.hasSuffix("can only delete layers, not choose between blocks"))
    #expect(
      found.contains { $0.text.hasPrefix("layer 2: flat, all convolutions cost 0.3 to 0.37") }
    )
  }

  @Test func `a cheaper block that does more is named`() throws {
    var row = sound
    row[7] = 3.5
    row[6] = 1.8
    let found = findings([sound, row])
    #expect(found.count == 1)
    #expect(found[0].grade == .warning)
    #expect(
      found[0].text
        == "layer 2: not monotone, k5_e6 (3.5) is cheaper than k3_e6 (4)"
    )
    // Within what the timings are known to, it is not one.
    let wide = [[Double](repeating: 0, count: 9), [Double](repeating: 0.04, count: 9)]
    #expect(findings([sound, row], spread: wide).isEmpty)
  }

  @Test func `noisy and impossible cells are named, the worst first`() {
    var row = sound
    row[2] = -0.5
    var spread = [Double](repeating: 0.01, count: 9)
    spread[3] = 0.12
    let found = findings([row], spread: [spread])
    #expect(found[0].grade == .error)
    #expect(found[0].text == "layer 1, k3_e3: the price is -0.5")
    #expect(found.contains { $0.text == "layer 1: noisy, k3_e6 ±12 %" })
    #expect(findings([sound], fixed: .nan).first?.grade == .error)
  }

  @Test func `many layers of one kind take few lines`() {
    let flat = [1, 1, 1, 1, 1, 1, 1, 1, 0.0]
    let found = findings([[Double]](repeating: flat, count: 10))
    #expect(found.count == 5)
    #expect(found.last?.text == "7 more layers are flat")
  }

  /// Tables of real devices: layers' costs by least squares over 5,000 networks.
  private func fitted(_ device: String) throws -> AdditiveCost {
    let path = try #require(sharedFolder) + "/data/tables/fbnet_latency_ms.csv.gz"
    let csv = try CSVTable(path: path)
    let column = try csv.column(device)
    let arch = try csv.column("arch")
    // The design is nearly balanced, so a candidate's extra is the difference of its networks'
    // means.
    var sums = [[Double]](repeating: [Double](repeating: 0, count: 9), count: 22)
    var counts = sums
    for row in csv.rows.indices {
      let value = try csv.number(row: row, column: column)
      for (layer, digit) in csv.rows[row][arch].enumerated() {
        guard let candidate = digit.wholeNumberValue else { continue }
        sums[layer][candidate] += value
        counts[layer][candidate] += 1
      }
    }
    let means = zip(sums, counts).map { zip($0, $1).map { $0 / $1 } }
    return AdditiveCost(layers: means.map { row in row.map { $0 - row[8] } }, fixed: 0)
  }

  @Test(.enabled(if: sharedFolder != nil, "needs the shared data: set SUPERTOP_SHARED"))
  func `a graphics card's table is warned about, a Raspberry Pi's is not`() throws {
    for (device, isWarned) in [
      ("2080ti_1", true), ("titan_rtx_1", true), ("raspi4", false), ("pixel3", false),
      ("silver_4210r", false),
    ] {
      let prices = try fitted(device)
      let found = LatencyDiagnostics.findings(
        prices: prices,
        choices: prices.layers.indices.map {
          Choice(
            name: "layer \($0 + 1)",
            detail: "",
            options: LatencyDiagnosticsTests.names.map { .init(name: $0) }
          )
        }
      )
      #expect(found.contains { $0.text.hasPrefix("only skip") } == isWarned, "\(device)")
    }
  }
}
