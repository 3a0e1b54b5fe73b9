import Foundation
import Networks
import Runs
import Tensor

/// How far a measurement has come.
package struct LatencyProgress: Sendable, Equatable {
  /// Cells that have a value, the fixed parts among them.
  package var cells: Int
  /// Cells that there are.
  package var cellCount: Int
  /// Share of the work that is done, 0…1.
  package var share: Double
  /// Seconds still to go; nil while that is unknown.
  package var secondsLeft: Double?
}

/// What a measurement is content with.
package struct LatencyPrecision: Sendable, Equatable {
  /// Half the width of a median's confidence interval at which a timing ends, as a share of the
  /// median.
  package var target = 0.02
  /// What is still accepted when the time is up.
  package var accepted = 0.05
  /// Seconds for one network before its spread is held against `accepted`; a slow network gets
  /// more.
  package var patience = 6.0

  /// The usual precision, or a looser one: where `accepted` is above the usual, it is what a timing
  /// may end with.
  package init(accepted: Double? = nil) {
    if let accepted { self.accepted = accepted }
    target = min(target, self.accepted)
  }
}

extension LatencyTable {
  /// Networks of the plan that each cell is timed in.
  private static let rounds = 2

  /// Times all cells of a space on this machine, batch 1, in few networks that hold each of them.
  ///
  /// A block alone in a loop is timed with its weights and its input in the nearest cache, and with
  /// the whole call around it; the sum of such times says little of a network. So every cell is
  /// timed by a `Stopwatch` inside whole networks, each with other neighbours, and is worth the
  /// mean of their medians.
  ///
  /// - Parameters:
  ///   - space: the space.
  ///   - threads: workers inside a block.
  ///   - isa: the kernels to time.
  ///   - precision: what is enough.
  ///   - continuing: what an interrupted measurement of the same space has saved.
  ///   - progress: called many times a second; what it throws ends the measurement.
  ///   - save: receives the table so far, whenever a network is done.
  /// - Returns: the table, every cell of the space in it.
  /// - Throws: `.unavailable` for a machine too noisy.
  package static func measured(
    for space: LayerwiseSpace,
    threads: Int,
    isa: InstructionSet = .chosen,
    precision: LatencyPrecision = LatencyPrecision(),
    continuing: LatencyTable? = nil,
    progress: (LatencyProgress) throws -> Void = { _ in },
    save: (LatencyTable) throws -> Void = { _ in }
  ) throws -> LatencyTable {
    var table = LatencyTable(device: hostProcessor(), threads: threads, isa: isa.rawValue)
    if let continuing, table.continues(continuing) { table.entries = continuing.entries }
    let blocks = space.fixedBlocks
    let order = space.latencyCells
    let engine = Engine(instructionSet: isa, threads: threads)
    var reference = ReferenceLoop(engine)
    let plan = plan(space)
    let clock = ContinuousClock()
    let start = clock.now
    var timed = 0
    for (index, (round, architecture)) in plan.enumerated() {
      let chosen = zip(space.layers, architecture).map { $0[$1] }.filter { !$0.isIdentity }
      // Every network holds the fixed parts, so they say which networks are done.
      guard table.needs(chosen, round: round) || table.entries.isEmpty else { continue }
      let timer = NetworkTimer(
        space.network(of: architecture, name: "block timings"),
        parts: true,
        engine: engine
      )
      func report(_ share: Double) throws {
        let share = (Double(index) + share) / Double(plan.count)
        let passed = (clock.now - start).seconds
        let done = Double(timed) + share * Double(plan.count) - Double(index)
        try progress(
          LatencyProgress(
            cells: table.entries.count,
            cellCount: order.count + 2,
            share: share,
            secondsLeft: passed > 0.5 && done > 0.2
              ? passed / done * Double(plan.count) * (1 - share) : nil
          )
        )
      }
      try time(timer, precision, &reference, report)
      let parts = timer.parts
      precondition(parts.count == chosen.count + 2, "latency: \(parts.count) parts timed")
      table.add(
        chosen.map(\.latencyCell),
        chosen.map(\.name),
        Array(parts[1...chosen.count]),
        timer.repeats,
        order
      )
      table.addFixed(blocks, parts, timer.repeats)
      table.sort(by: order)
      timed += 1
      try save(table)
    }
    return table
  }

  /// Times one network until it is known well enough.
  private static func time(
    _ timer: NetworkTimer,
    _ precision: LatencyPrecision,
    _ reference: inout ReferenceLoop,
    _ report: (Double) throws -> Void
  ) throws {
    let clock = ContinuousClock()
    let start = clock.now
    try report(0)
    timer.warmUp(seconds: 0.03)
    // A slow network needs its calls all the same.
    let callSeconds = timer.callSeconds
    let patience = max(precision.patience, 100 * callSeconds)
    while true {
      timer.runBatch(seconds: 0.025) { reference.isSlow() }
      let passed = (clock.now - start).seconds
      let spread = timer.spread
      if spread <= precision.target { return }
      try report(min(0.95, passed / patience))
      if passed > patience, timer.isTimed {
        if spread <= precision.accepted { return }
        throw tooNoisy(spread, precision)
      }
    }
  }

  static func tooNoisy(_ spread: Double, _ precision: LatencyPrecision) -> UserError {
    let seen =
      spread.isFinite
      ? "timings vary by \(Format.spacedPercent(spread))" : "no two timings agree"
    let loose = spread.isFinite ? min(1, (spread * 120).rounded(.up) / 100) : 0.5
    return UserError(
      .unavailable,
      "latency",
      "the machine is too busy to measure: \(seen), "
        + "allowed are \(Format.spacedPercent(precision.accepted))",
      remedy: "close other programs and start again, or accept it with --spread \(loose)"
    )
  }

  // MARK: The plan

  /// Architectures that hold every candidate of every layer once a round, with other neighbours in
  /// each round.
  static func plan(_ space: LayerwiseSpace) -> [(round: Int, architecture: Architecture)] {
    let most = space.layers.map(\.count).max() ?? 0
    return (0..<rounds).flatMap { round in
      let orders = space.layers.indices.map { layer in
        var random = Philox(
          seed: 1,
          purpose: .sampling,
          step: UInt64(round),
          index: UInt32(layer)
        )
        return random.permutation(space.layers[layer].count)
      }
      return (0..<most).map { row in (round, Architecture(orders.map { Int($0[row % $0.count]) })) }
    }
  }

  /// Whether one of the cells has been timed in no more than `round` networks.
  private func needs(_ cells: [BlockDescription], round: Int) -> Bool {
    let counts = Dictionary(
      entries.map { ($0.key, $0.networks ?? 0) },
      uniquingKeysWith: { first, _ in first }
    )
    return cells.contains { (counts[.cell($0.latencyCell)] ?? 0) <= round }
  }

  /// Whether `other` was measured as this one is.
  private func continues(_ other: LatencyTable) -> Bool {
    other.device == device && other.threads == threads && other.isa == isa
  }

  /// Books the timings of one network's blocks; a cell that it holds several times counts once.
  private mutating func add(
    _ cells: [Cell],
    _ names: [String],
    _ times: [MedianInterval],
    _ repeats: Int,
    _ order: [BlockDescription]
  ) {
    for block in order {
      let places = cells.indices.filter { cells[$0] == block.latencyCell }
      guard !places.isEmpty else { continue }
      book(
        Entry(
          block,
          candidate: names[places[0]],
          milliseconds: 1e3 * places.reduce(0) { $0 + times[$1].median } / Double(places.count),
          spread: LatencyTable.spread(places.map { times[$0] }),
          repeats: repeats * places.count,
          networks: 1
        )
      )
    }
  }

  private mutating func addFixed(
    _ blocks: (stem: BlockDescription, head: BlockDescription),
    _ parts: [MedianInterval],
    _ repeats: Int
  ) {
    let ends = [("stem", blocks.stem, parts[0]), ("rest", blocks.head, parts[parts.count - 1])]
    for (name, block, part) in ends {
      book(
        Entry(
          block,
          candidate: name,
          milliseconds: 1e3 * part.median,
          spread: LatencyTable.spread([part]),
          repeats: repeats,
          networks: 1
        )
      )
    }
  }

  /// The largest spread, nil where it is not known.
  private static func spread(_ times: [MedianInterval]) -> Double? {
    times.map(\.spread).max().flatMap { $0.isFinite ? $0 : nil }
  }

  /// Puts the cells in the order of the layers, whatever the order of the networks; the fixed parts
  /// go first.
  private mutating func sort(by order: [BlockDescription]) {
    var ranks: [Key: Int] = [.fixed("stem"): -2, .fixed("rest"): -1]
    for (rank, block) in order.enumerated() { ranks[.cell(block.latencyCell)] = rank }
    entries.sort { ranks[$0.key, default: 0] < ranks[$1.key, default: 0] }
  }

  /// Joins a timing of one more network to what is there.
  private mutating func book(_ entry: Entry) {
    guard let index = entries.firstIndex(where: { $0.key == entry.key }) else {
      entries.append(entry)
      return
    }
    let networks = Double(entries[index].networks ?? 0)
    let before = entries[index].milliseconds * networks
    entries[index].milliseconds = (before + entry.milliseconds) / (networks + 1)
    entries[index].spread = max(entries[index].spread ?? 0, entry.spread ?? 0)
    entries[index].repeats = (entries[index].repeats ?? 0) + (entry.repeats ?? 0)
    entries[index].networks = Int(networks) + 1
  }
}
