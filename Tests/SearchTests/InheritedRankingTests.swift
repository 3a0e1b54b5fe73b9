import Data
import Foundation
import Networks
import Runs
import TestSupport
import Testing

@testable import Search

/// A search held against a table of its space: the statistics, and the space of NAS-Bench-Macro.
struct InheritedRankingTests {
  private typealias Row = (
    tenth: Int, truth: Double, accuracy: Double, loss: Double, cost: Double
  )

  private func ranking(_ rows: [Row]) -> InheritedRanking {
    InheritedRanking(
      rows.enumerated().map { index, row in
        InheritedRanking.Network(
          architecture: [index],
          cost: row.cost,
          tenth: row.tenth,
          truth: row.truth,
          accuracy: row.accuracy,
          crossEntropy: row.loss
        )
      }
    )
  }

  @Test func `tau is taken over all and inside each tenth`() {
    // Two tenths: the dearer one is better, and inside each the accuracies have it the other way.
    let ranking = ranking([
      (0, 80, 0.3, 2, 10), (0, 81, 0.2, 1, 11), (9, 90, 0.5, 2, 20), (9, 91, 0.4, 1, 21),
      (4, 85, 0.35, 3, 15),
    ])
    let accuracy = ranking.agreement(.accuracy)
    // Eight of ten pairs agree.
    #expect(abs(accuracy.tau - 0.6) < 1e-12)
    #expect(accuracy.tenths == [-1, nil, nil, nil, nil, nil, nil, nil, nil, -1])
    #expect(accuracy.meanOfTenths == -1)
    let loss = ranking.agreement(.loss)
    #expect(loss.tenths[0] == 1 && loss.tenths[9] == 1 && loss.meanOfTenths == 1)
    #expect(ranking.agreement(.cost).tau == 1)
    #expect(InheritedRanking([]).agreement(.accuracy).tau == 0)
  }

  @Test func `equal accuracies are no order of their own, and the loss decides which is first`() {
    let ranking = ranking([
      (0, 80, 0.5, 3, 1), (0, 82, 0.5, 1, 2), (0, 81, 0.5, 2, 3), (0, 70, 0.1, 9, 4),
    ])
    // tau-b: three pairs agree, three are ties of one list.
    #expect(abs(ranking.agreement(.accuracy).tau - 3 / (3.0 * 6).squareRoot()) < 1e-12)
    #expect(ranking.ranked(.accuracy).map(\.truth) == [82, 81, 80, 70])
    #expect(ranking.ranked(.cost).map(\.truth) == [70, 81, 82, 80])
  }

  @Test func `precision is the share of the best that are truly among the best`() {
    // Of 40 networks the best 5 % are two, the best 1 % is one.
    var rows: [Row] = (0..<40).map { index in
      let value = Double(index)
      return (index / 4, value, value / 100, 1, value)
    }
    // The last two are right but for their order; the cost has one of them.
    rows[38].accuracy = 0.9
    rows[39].accuracy = 0.8
    rows[10].cost = 100
    let ranking = ranking(rows)
    #expect(ranking.agreement(.accuracy).bestTwentieth == 1)
    #expect(ranking.agreement(.accuracy).bestHundredth == 0)
    #expect(ranking.agreement(.cost).bestTwentieth == 0.5)
    #expect(ranking.agreement(.cost).bestHundredth == 0)
  }

  @Test func `random search is the mean of the first of every draw`() throws {
    let ranking = ranking([
      (0, 5, 0.1, 1, 1), (0, 9, 0.4, 1, 1), (0, 1, 0.3, 1, 1), (0, 7, 0.2, 1, 1),
    ])
    #expect(ranking.randomSearch(of: 1) == 5.5)
    // Six pairs: three have the 9 first, two the 1, one the 7.
    let mean: Double = (3 * 9 + 2 * 1 + 7) / 6
    let ofTwo = try #require(ranking.randomSearch(of: 2))
    #expect(abs(ofTwo - mean) < 1e-12)
    #expect(ranking.randomSearch(of: 4) == 9 && ranking.randomSearch(of: 400) == 9)
    #expect(ranking.randomSearch(of: 9) { $0.truth < 9 } == 1)
    #expect(ranking.randomSearch(of: 1) { _ in false } == nil)
  }

  @Test func `tenths have equal sizes and a sample takes as many of each`() {
    let costs: [Double] = (0..<57).map { index in Double((index * 31) % 57 / 3) }
    let tenths = InheritedRanking.tenths(of: costs)
    for tenth in 0..<10 { #expect((5...6).contains(tenths.count { $0 == tenth })) }
    for (a, b) in zip(costs.indices, costs.indices.dropFirst()) where costs[a] < costs[b] {
      #expect(tenths[a] <= tenths[b])
    }
    let rows = costs.indices.map { 100 + $0 }
    let sample = SearchProof.sample(rows, tenths, 30, seed: 1)
    #expect(Set(sample).count == 30)
    for tenth in 0..<10 { #expect(sample.count { tenths[$0 - 100] == tenth } == 3) }
    #expect(SearchProof.sample(rows, tenths, 30, seed: 2) != sample)
    // Two classes of cost alone: the larger one makes up for the smaller one.
    let uneven = SearchProof.sample(rows, costs.indices.map { $0 < 4 ? 0 : 9 }, 20, seed: 1)
    #expect(Set(uneven).count == 20 && uneven.count { $0 < 104 } == 4)
    #expect(SearchProof.sample(rows, tenths, nil, seed: 1) == rows)
    #expect(SearchProof.sample(rows, tenths, 57, seed: 1) == rows)
  }

  @Test func `a table with other layers or candidates is refused`() throws {
    let table = try ResultTable(CSVTable(text: "arch,acc0\n012,80\n102,81\n", path: "t.csv"))
    try SearchProof.check(table, sizes: [2, 2, 3])
    for (sizes, part) in [
      ([2, 2], "have 3 layers, the search has 2"),
      ([2, 2, 2], "candidate 2 in layer 3, where the search has 2 candidates"),
    ] {
      let error = #expect(throws: UserError.self) { try SearchProof.check(table, sizes: sizes) }
      #expect(error?.problem.contains(part) == true, "\(String(describing: error))")
    }
  }

  @Test(.enabled(if: sharedFolder != nil, "needs the shared data: set SUPERTOP_SHARED"))
  func `the space of the macro study is that of its table`() throws {
    let table = try ResultTable(
      path: try #require(sharedFolder) + "/data/tables/nasbench_macro.csv.gz"
    )
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Benchmarks/driver/macro.yaml").path
    let space = LayerwiseSpace(
      try Configuration.load(path: file).space,
      classes: 10,
      channels: 3,
      height: 32,
      width: 32
    )
    try SearchProof.check(table, sizes: space.optionCounts)
    let madds = try table.costs("madds").values
    let params = try table.costs("params").values
    var different: Set<[BlockDescription]> = []
    for (row, architecture) in table.architectures.enumerated() {
      let network = space.network(of: architecture, name: "")
      different.insert(network.computed)
      guard space.flops(architecture) == madds[row],
        Double(network.cost.params(.withBatchNorm)) == params[row]
      else {
        Issue.record("\(architecture.name)")
        return
      }
    }
    #expect(table.architectures.count == 6561 && different.count == 3969)
  }
}
