import Foundation
import Networks
import Runs
import Tensor
import Testing

@testable import Search

@Suite struct LatencyMeasurementTests {
  /// Content with anything, so that a busy machine fails no test.
  private var loose: LatencyPrecision {
    var precision = LatencyPrecision(accepted: .infinity)
    precision.target = .infinity
    precision.patience = 0.2
    return precision
  }

  @Test func `the interval of a median comes from the ranks`() {
    let interval = MedianInterval((1...100).map(Double.init).shuffled())
    #expect(interval.median == 50.5)
    // Ranks 41 and 60 of 100 hold the median with 95 %.
    #expect(interval.spread == 19 / 2 / 50.5)
    #expect(MedianInterval([3, 1, 2]).median == 2)
    #expect(MedianInterval([3, 1, 2]).spread == .infinity)
    // An outlier moves neither.
    let calm = MedianInterval((0..<50).map { 10 + Double($0 % 5) / 100 })
    let disturbed = MedianInterval((0..<50).map { 10 + Double($0 % 5) / 100 } + [1000])
    #expect(abs(disturbed.median - calm.median) < 0.011 && disturbed.spread < 0.002)
  }

  @Test func `the plan holds every candidate of every layer once a round`() throws {
    let configuration = try Configuration.preset("cifar-small")
    let space = LayerwiseSpace(
      configuration.space,
      classes: 10,
      channels: 3,
      height: 32,
      width: 32
    )
    let plan = space.latencyPlan
    #expect(plan.count == 18)
    for round in 0..<2 {
      let networks = plan.filter { $0.round == round }.map(\.architecture)
      for layer in space.layers.indices {
        #expect(networks.map { $0[layer] }.sorted() == Array(0..<9))
      }
    }
    // Other neighbours in the second round.
    #expect(Set(plan.map(\.architecture)).count == 18)
  }

  @Test func `a measurement fills every cell and reports how far it is`() throws {
    let space = try LatencyFixture.space()
    var shares: [Double] = []
    var saved: [LatencyTable] = []
    let table = try LatencyTable.measured(
      for: space,
      threads: 1,
      isa: .baseline,
      precision: loose,
      progress: { shares.append($0.share) },
      save: { saved.append($0) }
    )
    let prices = try table.prices(for: space, place: "t")
    #expect(prices.fixed > 0 && prices.layers[0][2] == 0)
    #expect(prices.layers.joined().filter { $0 == 0 }.count == 1)
    #expect(table.threads == 1 && table.isa == "baseline" && !table.device.isEmpty)
    #expect(table.entries.map(\.candidate).prefix(2) == ["stem", "rest"])
    #expect(table.entries.allSatisfy { ($0.networks ?? 0) >= 2 && ($0.repeats ?? 0) > 5 })
    #expect(shares.first == 0 && shares == shares.sorted())
    // Three candidates in two rounds.
    #expect(saved.count == 6 && saved.last == table)
  }

  @Test func `an interrupted measurement continues where it was`() throws {
    struct Stop: Error {}
    let space = try LatencyFixture.space()
    var kept: LatencyTable?
    #expect(throws: Stop.self) {
      _ = try LatencyTable.measured(
        for: space,
        threads: 1,
        precision: loose,
        save: {
          kept = $0
          if $0.entries.contains(where: { $0.networks == 2 }) { throw Stop() }
        }
      )
    }
    let partial = try #require(kept)
    let reread = try LatencyTable.parse(partial.text, place: "t")
    var networks = 0
    let table = try LatencyTable.measured(
      for: space,
      threads: 1,
      precision: loose,
      continuing: reread,
      save: { _ in networks += 1 }
    )
    #expect(networks < 6 && networks > 0)
    #expect(try table.prices(for: space, place: "t").fixed > 0)
    // Another number of threads is another measurement.
    var other = 0
    _ = try LatencyTable.measured(
      for: space,
      threads: 2,
      precision: loose,
      continuing: reread,
      save: { _ in other += 1 }
    )
    #expect(other == 6)
  }

  @Test func `a machine that gives no steady timing is reported with what to do`() throws {
    var impossible = LatencyPrecision(accepted: 1e-9)
    impossible.patience = 0.05
    do {
      _ = try LatencyTable.measured(
        for: try LatencyFixture.space(),
        threads: 1,
        precision: impossible
      )
      Issue.record("measured with no spread at all")
    } catch let error as UserError {
      #expect(error.code == .unavailable)
      #expect(error.description.contains("close other programs"))
      #expect(error.description.contains("--spread"))
    }
  }

  @Test func `a batch among slower ones counts, the slow ones do not`() throws {
    let engine = Engine(threads: 1)
    let space = try LatencyFixture.space()
    let timer = NetworkTimer(
      space.network(of: [0, 0], name: "n"),
      parts: false,
      engine: engine
    )
    #expect(timer.spread == .infinity)
    for slow in [false, true, false, false, false] {
      timer.runBatch(seconds: 0.002) { slow }
    }
    #expect(timer.spread > 0 && timer.parts.count == 1)
    let all = (0..<5).map { _ in true }
    let busy = NetworkTimer(space.network(of: [0, 0], name: "n"), parts: false, engine: engine)
    for slow in all { busy.runBatch(seconds: 0.002) { slow } }
    // None counts as quiet, so the fastest stand in, and how far they lie apart is told.
    #expect(busy.repeats >= 12 && busy.spread > 0)
  }

  @Test func `the stopwatch marks every layer of the network`() throws {
    let engine = Engine(threads: 1)
    let space = try LatencyFixture.space()
    // The identity of the first layer is no layer.
    for (architecture, stages) in [([0, 0], 4), ([2, 0], 3), ([2, 2], 3)] as [(Architecture, Int)] {
      let description = space.network(of: architecture, name: "n")
      let network = Network(description, engine: engine, seed: 1).inference()
      let watch = Stopwatch()
      network.stopwatch = watch
      watch.start()
      _ = network(engine.tensor([Float](repeating: 0.5, count: 64), shape: [1, 8, 8, 1]))
      #expect(watch.laps.count == stages)
    }
  }

  @Test func `a kept table is measured once, and an unfinished one is gone on from`() throws {
    let space = try LatencyFixture.space()
    let folder = NSTemporaryDirectory() + "supertop-latency-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/deep/table.json"
    let first = try LatencyTable.kept(for: space, in: path, threads: 1, precision: loose)
    #expect(!FileManager.default.fileExists(atPath: path + ".unfinished"))
    var calls = 0
    let second = try LatencyTable.kept(for: space, in: path, threads: 1, precision: loose) { _ in
      calls += 1
    }
    #expect(calls == 0 && second.date == first.date && second.entries.count == first.entries.count)
    // A damaged one is made again.
    try Data("{".utf8).write(to: URL(fileURLWithPath: path))
    _ = try LatencyTable.kept(for: space, in: path, threads: 1, precision: loose) { _ in calls += 1
    }
    #expect(calls > 0)
    #expect(try LatencyTable.load(path: path).prices(for: space, place: path).fixed > 0)
  }

  @Test func `the place of a table in the cache depends on what was timed`() throws {
    let small = try LatencyFixture.space()
    let path = LatencyTable.cachePath(for: small, threads: 1, isa: .baseline)
    #expect(path == LatencyTable.cachePath(for: small, threads: 1, isa: .baseline))
    #expect(path.hasSuffix(".json") && path.contains("/latency-") && path.contains("-1t-"))
    let others = [
      LatencyTable.cachePath(for: small, threads: 2, isa: .baseline),
      LatencyTable.cachePath(for: small, threads: 1, isa: .avx2),
      LatencyTable.cachePath(
        for: try LatencyFixture.space(widths: (8, 24)),
        threads: 1,
        isa: .baseline
      ),
    ]
    #expect(Set(others + [path]).count == 4)
  }
}

@Suite struct LatencyCheckTests {
  private func check(_ pairs: [(Double, Double)]) -> LatencyCheck {
    LatencyCheck(
      rows: pairs.map { .init(architecture: [], predicted: $0.0, measured: $0.1, spread: 0) }
    )
  }

  @Test func `the figures are those of their definitions`() {
    let exact = check([(1, 1), (2, 2), (4, 4)])
    #expect(exact.medianError == 0 && exact.r2 == 1 && exact.kendallTau == 1)
    let off = check([(1.1, 1), (1.8, 2), (4, 4), (3, 5)])
    #expect(abs(off.medianError - 0.1) < 1e-12)
    // Mean 3, total 10, rest 0.01 + 0.04 + 0 + 4.
    #expect(abs(off.r2 - (1 - 4.05 / 10)) < 1e-12)
    // One of six pairs in the wrong order.
    #expect(abs(off.kendallTau - 4.0 / 6) < 1e-12)
    // τ-b: a tie in one of the orders.
    #expect(abs(check([(1, 1), (1, 2), (2, 3)]).kendallTau - 2 / 6.0.squareRoot()) < 1e-12)
    #expect(check([(1, 2), (1, 2)]).kendallTau == 0)
    #expect(check([(1, 2), (3, 2)]).r2 == 0)
  }

  @Test func `networks are sampled uniformly, by their seed, and differ where they can`() throws {
    let space = try LatencyFixture.space()
    let all = LatencyCheck.sample(space, 9, seed: 3)
    #expect(Set(all).count == 9)
    #expect(all == LatencyCheck.sample(space, 9, seed: 3))
    #expect(all != LatencyCheck.sample(space, 9, seed: 4))
    #expect(LatencyCheck.sample(space, 20, seed: 3).count == 20)
  }

  @Test func `whole networks are timed against what the table says`() throws {
    let space = try LatencyFixture.space()
    var precision = LatencyPrecision(accepted: .infinity)
    precision.target = .infinity
    precision.patience = 0.2
    var last = 0.0
    let prices = try LatencyFixture.table(space).prices(for: space, place: "t")
    let check = try LatencyCheck.run(
      space,
      milliseconds: prices.cost,
      networks: 3,
      seed: 1,
      threads: 1,
      isa: .baseline,
      precision: precision
    ) { last = $0 }
    #expect(check.rows.count == 3 && last > 0 && last <= 1)
    for row in check.rows {
      #expect(row.predicted == prices.cost(row.architecture))
      #expect(row.measured > 0 && row.measured < 1000)
    }
  }
}
