import Foundation
import Runs
import Tensor
import Testing

@testable import Search
@testable import Training

/// Searches that know what a network may cost, and those at random (spec S8, S11, S12).
@Suite(.serialized) struct BudgetTests {
  /// What the networks of `TinyRun`'s space cost in FLOPs.
  private static let range = Result {
    try TinyRun().space().prices(.flops).range
  }

  private func tiny(_ overrides: [String]) throws -> SearchResult {
    try TinyRun(overrides: overrides).finished()
  }

  @Test func `a budget out of reach is refused before anything is trained`() throws {
    let range = try Self.range.get()
    for (budget, word) in [
      (range.lowerBound / 2, "less than"), (range.upperBound * 2, "more than"),
    ] {
      let run = try TinyRun(overrides: ["budget.flops=\(budget)"])
      let trainer = try Trainer(folder: run.folder)
      trainer.start()
      guard case .failed(let error) = run.outcome(of: trainer) else {
        Issue.record("the search began")
        return
      }
      #expect(error.code == .configuration)
      #expect(error.place == "budget.flops")
      #expect(error.problem.contains(word))
      // Both ends of the range that is offered can be reached.
      let ends = error.remedy.replacing("give ", with: "").split(separator: " to ").compactMap {
        Double($0.filter(\.isNumber))
      }
      #expect(ends.count == 2 && ends.allSatisfy(range.contains), "\(error.remedy)")
      #expect(try run.reader.steps().isEmpty)
    }
  }

  @Test(arguments: [0.35, 0.6, 0.9])
  func `a search with a budget ends with a network that holds it`(
    share: Double
  ) throws {
    let range = try Self.range.get()
    let budget = range.lowerBound + share * (range.upperBound - range.lowerBound)
    let run = try TinyRun(overrides: ["budget.flops=\(budget)"])
    let result = try run.finished()
    #expect(result.costMetric == .flops && result.budget == budget)
    #expect(CostLimit.within(budget).contains(result.cost))
    #expect(result.cost == result.flops)
    let within = CostLimit.within(budget)
    #expect(result.repaired == !within.contains(result.argmaxCost))
    let networks = try run.export().architectures
    #expect(networks.first?.blocks == result.architecture.map(\.choice))
    // The most probable of all stands last where it costs too much, however well it does.
    let fitting = result.repaired ? networks.dropLast() : networks[...]
    #expect(fitting.allSatisfy { within.contains($0.flops) })
    #expect(Set(networks.map(\.blocks)).count == networks.count)
    #expect(networks.contains { $0.source == "argmax" })
    if result.repaired { #expect(networks.last.map { $0.flops > budget } == true) }
    let scores = fitting.map(\.validationAccuracy)
    #expect(scores == scores.sorted(by: >) && scores.first == result.argmaxAccuracy)
    // Whoever gets another network than the most probable one is told why.
    let told = try run.reader.log().contains { $0.text.contains("the most probable network costs") }
    #expect(told == (networks.first?.source != "argmax"))
  }

  @Test(arguments: [
    ("flops", 0.3), ("flops", 0.5), ("flops", 0.8), ("params", 0.3), ("params", 0.6),
  ])
  func `the expected cost ends within the band of the budget`(
    metric: String,
    share: Double
  ) throws {
    let range = try TinyRun().space().prices(metric == "flops" ? .flops : .params).range
    let budget = range.lowerBound + share * (range.upperBound - range.lowerBound)
    let run = try TinyRun(overrides: [
      "budget.\(metric)=\(budget)"
    ])
    let result = try run.finished()
    let band = try run.folder.configuration().loss.band + 1e-5
    #expect(abs(result.expectedCost / budget - 1) < band, "\(result.expectedCost) for \(budget)")
    #expect(CostLimit.within(budget).contains(result.cost))
  }

  @Test func `a search by latency keeps its table and needs nothing else to continue`() throws {
    let space = try TinyRun().space()
    let place = NSTemporaryDirectory() + "supertop-table-\(UUID().uuidString).json"
    let measured = try LatencyTable.measured(
      for: space,
      threads: 1,
      precision: LatencyPrecision(accepted: 1)
    )
    try measured.write(to: place)
    let prices = try LatencyTable.load(path: place).prices(for: space, place: place)
    let middle = (prices.range.lowerBound + prices.range.upperBound) / 2
    let run = try TinyRun(overrides: ["latency.table=\(place)", "budget.latency=\(middle)"])
    try run.stopped(after: 10)
    try FileManager.default.removeItem(atPath: place)
    let result = try run.finished()
    #expect(result.costMetric == .latency && result.cost <= middle)
    #expect(result.latency == result.cost)
    let layers = result.architecture.compactMap(\.latency)
    #expect(layers.count == 2)
    #expect(abs(layers.reduce(prices.fixed, +) - result.cost) < 1e-9)
    #expect(try run.reader.prices()[1].latency == prices.layers[1])
    #expect(try run.reader.epochs().allSatisfy { $0.argmaxLatency != nil })
    let kept = try LatencyTable.load(path: run.folder.latencyPath)
    #expect(try kept.prices(for: space, place: "") == prices)
  }

  @Test func `a form that does not aim at the budget is reported before the search`() throws {
    let range = try Self.range.get()
    let run = try TinyRun(overrides: [
      "budget.flops=\(range.upperBound)", "loss.form=log", "search.epochs=2",
    ])
    _ = try run.finished()
    let warnings = try run.reader.log().filter { $0.level == .warning }.map(\.text)
    #expect(warnings.contains { $0.contains("does not aim at the budget") })
  }

  @Test func `a random search trains the same weights and leaves theta alone`() throws {
    let overrides = ["search.algorithm=random", "random_networks=5"]
    let run = try TinyRun(overrides: overrides)
    let result = try run.finished()
    let steps = try run.reader.steps()
    #expect(result.algorithm == "random" && !result.repaired)
    #expect(steps.count == 3 * 7 && steps.allSatisfy { $0.phase == .weights })
    #expect(try run.reader.thetas().isEmpty)
    let networks = try run.export().architectures
    #expect(Set(networks.map(\.blocks)).count == networks.count && networks.count == 5)
    #expect(networks.map(\.source) == ["best", "random", "random", "random", "random"])
    let scores = networks.map(\.validationAccuracy)
    #expect(scores == scores.sorted(by: >))
    #expect(networks[0].blocks == result.architecture.map(\.choice))
    #expect(networks[0].validationAccuracy == result.argmaxAccuracy)
    // A stop in the middle changes nothing.
    let broken = try TinyRun(overrides: overrides)
    try broken.stopped(after: 11)
    let again = try broken.finished()
    #expect(again.weightsHash == result.weightsHash)
    #expect(again.architecture == result.architecture)
  }

  @Test func `a random search within a budget samples only what holds it`() throws {
    let range = try Self.range.get()
    let budget = range.lowerBound + 0.7 * (range.upperBound - range.lowerBound)
    let run = try TinyRun(overrides: [
      "search.algorithm=random", "random_networks=4", "budget.flops=\(budget)",
    ])
    let result = try run.finished()
    #expect(CostLimit.within(budget).contains(result.cost))
    #expect(
      try run.export().architectures.allSatisfy { CostLimit.within(budget).contains($0.flops) }
    )
  }
}

extension TinyRun {
  /// The frame of the network that is searched.
  func space() throws -> LayerwiseSpace {
    let settings = try folder.configuration()
    return LayerwiseSpace(settings.space, classes: 10, channels: 1, height: 8, width: 8)
  }

  func export() throws -> ArchitectureExport {
    try JSONDecoder().decode(
      ArchitectureExport.self,
      from: Data(contentsOf: URL(fileURLWithPath: folder.exportsPath + "/architecture.json"))
    )
  }
}
