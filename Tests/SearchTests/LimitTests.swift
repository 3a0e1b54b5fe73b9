import Data
import Foundation
import Tensor
import Testing

@testable import Search

/// A network that costs exactly the limit is within it, everywhere (spec S8).
struct LimitTests {
  /// Four layers of three candidates whose costs are whole numbers or tenths; the dearer the
  /// better, so the best within a limit costs just that.
  private func table(tenths: Bool) throws -> ResultTable {
    var text = "arch,acc0,madds\n"
    for index in 0..<81 {
      let digits = [1, 3, 9, 27].map { index / $0 % 3 }
      let cost = zip(digits, [1, 3, 7, 2]).reduce(tenths ? 1 : 10) { $0 + $1.0 * $1.1 }
      let name = digits.map(String.init).joined()
      let written = tenths ? "\(cost / 10).\(cost % 10)" : "\(cost)"
      text += "\(name),\(50 + cost),\(written)\n"
    }
    return try ResultTable(CSVTable(text: text, path: "made.csv"))
  }

  /// Every cost of the table, as a file would write it.
  private func limits(_ table: ResultTable) throws -> [Double] {
    Set(try table.costs("madds").values).sorted()
  }

  @Test(arguments: [false, true])
  func `a search of a table finds the best, which costs the limit`(tenths: Bool) throws {
    let table = try table(tenths: tenths)
    let costs = try table.costs("madds").values
    for limit in try limits(table) {
      var settings = TableSearch.Settings()
      settings.algorithm = .random
      settings.evaluations = 81
      let search = try TableSearch(
        table,
        limit: CostLimit("madds<=\(limit)"),
        settings: settings
      )
      #expect(search.feasible.count == costs.count { $0 <= limit })
      let answer = try search.run(seed: 1)
      #expect(answer.withinLimit && answer.cost == limit && answer.regret == 0)
    }
  }

  @Test(arguments: [false, true])
  func `the gradient search may answer with it too`(tenths: Bool) throws {
    let table = try table(tenths: tenths)
    for limit in [tenths ? "1.4" : "23", tenths ? "0.3" : "12"] {
      var settings = TableSearch.Settings()
      settings.epochs = 10
      settings.steps = 5
      settings.evaluations = 81
      let search = try TableSearch(table, limit: CostLimit("madds<=\(limit)"), settings: settings)
      let answer = try search.run(seed: 1)
      #expect(answer.withinLimit && answer.cost == Double(limit) && answer.regret == 0)
    }
  }

  @Test(arguments: [false, true])
  func `samples and repairs reach it`(tenths: Bool) throws {
    let table = try table(tenths: tenths)
    let costs = try table.costs("madds")
    let prices = try #require(table.costModel(costs) as? AdditiveCost)
    for limit in try limits(table) {
      let within = CostLimit.within(limit)
      let exact = table.architectures.indices.filter { costs.values[$0] == limit }
        .map { table.architectures[$0] }
      #expect(exact.allSatisfy { within.contains(prices.cost($0)) })
      let all = table.architectures.indices.filter { costs.values[$0] <= limit }
      let sampled = prices.samples(81, within: within, seed: 1)
      #expect(sampled.count <= all.count)
      #expect(sampled.allSatisfy { within.contains(prices.cost($0)) })
      let only = prices.samples(81, within: limit - 0.01...within.upperBound, seed: 1)
      #expect(Set(only) == Set(exact), "\(limit)")
      // The most expensive candidates are the most probable, so the budget decides.
      let network = prices.mostProbable(
        prices.layers.map { $0.map { 10 * $0 } },
        within: within
      )
      #expect(network.map { exact.contains($0) } == true, "\(limit)")
    }
  }

  @Test func `no rounding of a sum takes a network from within its own cost`() {
    var random = Philox(seed: 4, purpose: .test)
    for _ in 0..<200 {
      let layers = (0..<22).map { _ in (0..<3).map { _ in Double(random.below(100)) / 10 } }
      let prices = AdditiveCost(layers: layers, fixed: Double(random.below(100)) / 10)
      let network = Architecture(layers.map { _ in random.below(3) })
      let turned = AdditiveCost(layers: layers.reversed(), fixed: prices.fixed)
      // In another order, and from whole tenths.
      let limit = turned.cost(Architecture(network.reversed()))
      let tenths = zip(layers, network).reduce((10 * prices.fixed).rounded()) {
        $0 + (10 * $1.0[$1.1]).rounded()
      }
      #expect(CostLimit.within(limit).contains(prices.cost(network)))
      #expect(CostLimit.within(tenths / 10).contains(prices.cost(network)))
      #expect(!CostLimit.within(limit - 0.1).contains(prices.cost(network)))
    }
    #expect(CostLimit.within(nil).contains(.greatestFiniteMagnitude))
  }
}
