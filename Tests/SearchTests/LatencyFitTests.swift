import Data
import Foundation
import Runs
import Search
import Tensor
import TestSupport
import Testing

struct LatencyFitTests {
  private static let needsTables = Comment(rawValue: "needs the shared data: set SUPERTOP_SHARED")

  private static let timings = Result {
    try CSVTable(path: (sharedFolder ?? "") + "/data/tables/fbnet_latency_ms.csv.gz")
  }

  private static let fbnet = [Int](repeating: 9, count: 22)

  @Test(
    .enabled(if: sharedFolder != nil, needsTables),
    arguments: [
      ("raspi4", 1.000, 1.000, 0.00), ("pixel3", 1.000, 1.000, 0.00),
      ("titan_rtx_1", 0.997, 0.999, 0.3), ("2080ti_1", 0.975, 0.996, 0.8),
      ("silver_4210r", 0.986, 0.993, 0.7), ("gold_6240", 0.929, 0.975, 2.2),
    ]
  )
  func `a device's table predicts networks that it has not seen as an independent fit does`(
    device: String,
    r2: Double,
    spearman: Double,
    error: Double
  ) throws {
    let fit = try LatencyFit(
      LatencyFitTests.timings.get(),
      device: device,
      sizes: LatencyFitTests.fbnet
    )
    #expect(fit.fitted == 4000 && fit.heldOut == 1000)
    #expect(abs(fit.quality.r2 - r2) < 0.01, "\(fit.quality.r2)")
    #expect(abs(fit.quality.spearman - spearman) < 0.01, "\(fit.quality.spearman)")
    #expect(abs(fit.quality.meanError - error) < 0.06, "\(fit.quality.meanError)")
    #expect(fit.prices.fixed > 0)
    #expect(fit.prices.layers.allSatisfy { ($0.min() ?? -1) == 0 })
  }

  @Test(
    .enabled(if: sharedFolder != nil, needsTables),
    arguments: [
      ("raspi4", 100, 0.74), ("raspi4", 200, 0.99), ("gold_6240", 100, 0.65),
      ("gold_6240", 200, 0.85), ("gold_6240", 400, 0.94), ("2080ti_1", 200, 0.94),
      ("2080ti_1", 400, 0.99),
    ]
  )
  func `a few hundred networks are enough for a table`(
    device: String,
    networks: Int,
    expected: Double
  ) throws {
    let qualities = try (0..<3).map { seed in
      try LatencyFit(
        LatencyFitTests.timings.get(),
        device: device,
        sizes: LatencyFitTests.fbnet,
        networks: networks,
        seed: UInt64(seed)
      ).quality.spearman
    }
    let mean = qualities.reduce(0, +) / 3
    #expect(abs(mean - expected) < (networks < 200 ? 0.1 : 0.03), "\(qualities)")
  }

  @Test func `prices are found again to the last digits and the cheapest of a layer costs nothing`()
    throws
  {
    let truth = [[0.5, 2, 1.25], [3, 0, 0.75], [1, 1.5, 4]]
    var text = "arch,ms\n"
    for a in 0..<3 {
      for b in 0..<3 {
        for c in 0..<3 { text += "\(a)\(b)\(c),\(7 + truth[0][a] + truth[1][b] + truth[2][c])\n" }
      }
    }
    let fit = try LatencyFit(
      CSVTable(text: text, path: "t.csv"),
      device: "ms",
      sizes: [3, 3, 3]
    )
    for (layer, expected) in zip(fit.prices.layers, truth) {
      let least = expected.min() ?? 0
      for (price, cost) in zip(layer, expected) { #expect(abs(price - (cost - least)) < 1e-5) }
    }
    #expect(abs(fit.prices.fixed - 8.5) < 1e-5)
    #expect(fit.quality.r2 > 0.999999)
  }

  @Test(
    arguments: [
      ("01,1.5\n10,\n", "row 2, column 'ms'"), ("01,1.5\n10,-2\n", "row 2, column 'ms'"),
      ("01,nan\n10,2\n", "row 1, column 'ms'"), ("01,1.5\n10,0\n", "row 2, column 'ms'"),
      ("02,1.5\n10,2\n", "row 1, column 'arch'"), ("01,1.5\n010,2\n", "row 2, column 'arch'"),
      ("01,1\n10,2\n", "too few networks"),
    ]
  )
  func `a cell that is wrong is named by row and column`(rows: String, part: String) throws {
    let table = try CSVTable(text: "arch,ms\n" + rows, path: "t.csv")
    let error = #expect(throws: UserError.self) {
      try LatencyFit(table, device: "ms", sizes: [2, 2])
    }
    #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
    #expect(throws: UserError.self) { try LatencyFit(table, device: "phone", sizes: [2, 2]) }
  }

  @Test func `more networks than there are besides those kept apart are refused`() throws {
    let text = "arch,ms\n" + (0..<10).map { "\($0),\($0 + 1)\n" }.joined()
    let table = try CSVTable(text: text, path: "t.csv")
    let error = #expect(throws: UserError.self) {
      try LatencyFit(table, device: "ms", sizes: [10], networks: 9)
    }
    #expect(error?.description.contains("has 8 besides the 2") == true)
  }
}
