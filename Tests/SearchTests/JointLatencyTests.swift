import Foundation
import Networks
import Runs
import Tensor
import Testing

@testable import Search

/// Latency as a cost of joint searches: the networks that are timed, the fit for blocks that are
/// not, and limits (spec S7, S40, S45).
@Suite(.serialized) struct JointLatencyTests {
  private static func networks(_ preset: String) throws -> JointNetworks {
    try JointNetworks(try JointConfiguration.preset(preset), channels: 3, classes: 10)
  }

  /// Milliseconds that a made-up machine takes for a block.
  private static func planted(_ block: BlockDescription) -> Double {
    switch block.kind {
    case .bottleneck(let it):
      0.002 + 2e-7 * block.flops + (it.squeeze == nil ? 0 : 0.004) + 1e-7 * block.params
    default: 0.001 + 3e-7 * block.flops
    }
  }

  /// A table of that machine.
  private static func table(_ networks: JointNetworks) -> LatencyTable {
    var table = LatencyTable(device: "made up", threads: 1)
    for (name, block) in networks.latencyEnds {
      table.entries.append(
        LatencyTable.Entry(block, candidate: name, milliseconds: planted(block))
      )
    }
    for block in networks.latencyCells {
      table.entries.append(LatencyTable.Entry(block, milliseconds: planted(block)))
    }
    return table
  }

  @Test(arguments: JointConfiguration.presetNames)
  func `the timed networks hold every option equally often`(preset: String) throws {
    let networks = try Self.networks(preset)
    let plan = networks.latencyPlan.map(\.architecture)
    for (choice, options) in networks.choices.map(\.options.count).enumerated() {
      let counts = (0..<options).map { option in plan.count { $0[choice] == option } }
      let (least, most) = (counts.min() ?? 0, counts.max() ?? 0)
      #expect(least > 0 && most - least <= 1, "\(networks.choices[choice].id): \(counts)")
    }
    let held = Set(plan.flatMap { networks.timedBlocks(of: $0).map(\.latencyCell) })
    #expect(held == Set(networks.latencyCells.map(\.latencyCell)))
    #expect(!networks.choices.contains { $0.kind == .recipe })
  }

  @Test(arguments: ["fbnet-v3-digits", "fbnet-v3-cifar"])
  func `networks that were not timed cost what their blocks would`(preset: String) throws {
    let networks = try Self.networks(preset)
    let cost = try networks.milliseconds(by: Self.table(networks), place: "table")
    var random = Philox(seed: 7, purpose: .sampling)
    for _ in 0..<200 {
      let architecture = Architecture(networks.choices.map { random.below($0.options.count) })
      let truth = networks.network(of: architecture, name: "").blocks
        .reduce(0) { $0 + Self.planted($1) }
      let error = cost(architecture) / truth - 1
      #expect(abs(error) < 0.1, "\(architecture): \(cost(architecture)) for \(truth)")
    }
  }

  @Test func `what a fit is given is given back where its parts explain it`() {
    let blocks = (1...40).map { index in
      BlockDescription(
        name: "b\(index)",
        kind: .invertedResidual(kernel: 3, middle: 16 * index, groups: 1, activation: .relu),
        input: 16,
        output: 16 * (1 + index % 3),
        stride: 1,
        height: 8 + index % 5,
        width: 8 + index % 5
      )
    }
    // The project convolution's work and a constant.
    func truth(_ block: BlockDescription) -> Double {
      guard case .bottleneck(let it) = block.kind else { return 0 }
      return 0.01 + 1e-6 * Double(block.height * block.width * it.middle * block.output)
    }
    let fit = BlockLatencyFit(blocks.prefix(30).map { ($0, truth($0)) })
    for block in blocks.suffix(10) {
      #expect(abs(fit.milliseconds(of: block) / truth(block) - 1) < 0.02)
    }
  }

  @Test func `a table of another space or with a gap is refused by name`() throws {
    let networks = try Self.networks("fbnet-v3-digits")
    var table = Self.table(networks)
    let gone = table.entries.removeLast()
    let missing = #expect(throws: UserError.self) {
      try networks.milliseconds(by: table, place: "phone.json")
    }
    #expect(missing?.description.contains("phone.json") == true)
    #expect(missing?.description.contains(gone.candidate) == true)
    let other = #expect(throws: UserError.self) {
      try networks.milliseconds(by: Self.table(try Self.networks("fbnet-v3-cifar")), place: "x")
    }
    #expect(other?.code == .data)
  }

  @Test func `a search within a latency keeps it, and answers others`() throws {
    let place = FileManager.default.temporaryDirectory.path + "/supertop-\(UUID().uuidString).json"
    defer { unlink(place) }
    let plain = try TinyJointRun()
    guard case .joint(let settings) = try plain.folder.settings() else { return }
    let networks = try JointNetworks(settings, channels: 1, classes: 10)
    try Self.table(networks).write(to: place)
    let cost = try networks.milliseconds(by: LatencyTable.load(path: place), place: place)
    let times = networks.latencyPlan.map { cost($0.architecture) }.sorted()
    let limit = times[times.count / 2]

    let run = try TinyJointRun([
      "latency.table=\(place)", "budget.latency=\(limit)", "budget.flops=0",
    ])
    let result = try run.finished()
    #expect(try #require(result.latency) <= limit)
    for trial in try run.reader.trials() {
      #expect(try #require(trial.latency) <= limit)
      #expect(trial.latency == cost(Architecture(trial.options)))
    }
    // The run has a table of its own now.
    unlink(place)
    let records = try JointRecords(run.folder)
    let tight = times[times.count / 4]
    let answer = try JointAnswer(
      records,
      limits: [try CostLimit("latency<=\(tight)", option: "--constraint")],
      count: 3
    )
    #expect(!answer.candidates.isEmpty)
    for candidate in answer.candidates { #expect(try #require(candidate.latency) <= tight) }
    let impossible = #expect(throws: UserError.self) {
      try JointAnswer(
        records,
        limits: [try CostLimit("latency<=0.0001", option: "--constraint")],
        count: 3
      )
    }
    #expect(impossible?.description.contains("latency") == true)
  }

  @Test func `sums of losses rank candidates where they are the signal`() throws {
    let run = try TinyJointRun(["search.early_signal=loss_sum", "search.rank_correlation=0.01"])
    _ = try run.finished()
    let records = try JointRecords(run.folder)
    let epochs = records.stopEpoch
    let ranked = records.evaluated.filter { $0.trial.state == .finished }
    let sums = ranked.map { $0.trial.losses.prefix(epochs).reduce(0, +) }
    for (a, first) in ranked.enumerated() {
      for (b, second) in ranked.enumerated() where sums[a] < sums[b] {
        #expect(first.value >= second.value)
      }
    }
    let early = try #require(records.progress.earlyRanks)
    #expect(epochs == (early.lossSum.firstIndex { $0 >= 0.01 }.map { $0 + 1 } ?? 3))
  }
}
