import Data
import Foundation
import Runs
import Tensor
import Testing

@testable import Search

/// A network that costs exactly the limit is within it, whatever the last digit of a sum (spec S8).
struct ExactLimitTests {
  /// Prices of 1 to 3 units a layer and 1 for all.
  private static let layers = 5
  /// The limit in units.
  private static let most = 10

  private func prices(_ unit: Double) -> CostTable {
    CostTable(
      layers: (0..<Self.layers).map { _ in (1...3).map { unit * Double($0) } },
      fixed: unit
    )
  }

  private var all: [[Int]] {
    (0..<Self.layers).reduce([[]]) { starts, _ in starts.flatMap { s in (0..<3).map { s + [$0] } } }
  }

  /// Cost in units, exactly.
  private func units(_ network: [Int]) -> Int { network.reduce(1 + Self.layers, +) }

  @Test(arguments: [1, 0.1, 0.3, 1e6, 1e-7])
  func `sums up to the limit are within and the next one is not`(unit: Double) {
    let prices = prices(unit)
    let within = CostTable.within(unit * Double(Self.most))
    for network in all {
      #expect(within.contains(prices.cost(network)) == (units(network) <= Self.most))
    }
    #expect(CostTable.within(nil).contains(.greatestFiniteMagnitude))
  }

  @Test(arguments: [1, 0.1, 0.3])
  func `draws and repairs reach them all`(unit: Double) {
    let prices = prices(unit)
    let within = CostTable.within(unit * Double(Self.most))
    let feasible = Set(all.filter { units($0) <= Self.most })
    let drawn = RandomNetworks(prices: prices, within: within)
      .different(10 * feasible.count, seed: 1)
    #expect(Set(drawn) == feasible && drawn.count == feasible.count)

    // The dearer the likelier: what is left costs the limit.
    var random = Philox(seed: 9, purpose: .test)
    for _ in 0..<20 {
      let scores = (0..<Self.layers).map { _ in
        (0..<3).map { Double($0) + 0.3 * Double(random.uniform()) }
      }
      let found = BudgetRepair.likeliest(logProbabilities: scores, prices: prices, within: within)
      #expect(found.map(units) == Self.most)
    }
  }

  @Test(arguments: [("%.0f", 1.0, "10"), ("%.1f", 0.1, "1.0"), ("%.1f", 0.3, "3")])
  func `a search on a table counts them in`(format: String, unit: Double, limit: String) throws {
    var text = "arch,acc0,size\n"
    for network in all {
      // The best of all networks that fit costs the limit.
      let size = String(format: format, unit * Double(units(network)))
      let accuracy = 50 + Double(units(network)) + 0.1 * Double(network[0])
      text += network.map(String.init).joined() + ",\(accuracy),\(size)\n"
    }
    let table = try ResultTable(CSVTable(text: text, path: "made.csv"))
    var settings = TableSearch.Settings()
    settings.evaluations = 200
    settings.epochs = 10
    settings.steps = 5
    let search = try TableSearch(table, limit: CostLimit("size<=\(limit)"), settings: settings)
    let feasible = all.filter { units($0) <= Self.most }
    #expect(Set(search.feasible.map { table.architectures[$0] }) == Set(feasible))
    for algorithm in TableSearch.Algorithm.allCases {
      let answer = try search.run(seed: 1, algorithm: algorithm)
      #expect(answer.withinLimit && units(answer.architecture) == Self.most, "\(algorithm)")
    }
  }
}
