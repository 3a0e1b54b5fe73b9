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
  ///   - save: receives the table so far, whenever a network is done; more seldom where that takes
  ///     more than a tenth of the time.
  /// - Returns: the table, every cell of the space in it.
  /// - Throws: `.unavailable` for a machine too noisy.
  package static func measured(
    for space: any TimedSpace,
    threads: Int,
    isa: InstructionSet = .chosen,
    precision: LatencyPrecision = LatencyPrecision(),
    continuing: LatencyTable? = nil,
    progress: (LatencyProgress) throws -> Void = { _ in },
    save: (LatencyTable) throws -> Void = { _ in }
  ) throws -> LatencyTable {
    var table = LatencyTable(device: hostProcessor(), threads: threads, isa: isa.rawValue)
    var ledger = LatencyLedger(space)
    if let continuing, table.continues(continuing) { ledger.take(continuing.entries) }
    let engine = Engine(instructionSet: isa, threads: threads)
    var reference = ReferenceLoop(engine)
    let plan = space.latencyPlan
    let clock = ContinuousClock()
    let start = clock.now
    var timed = 0
    var nextSave = start
    for (index, (round, architecture)) in plan.enumerated() {
      let network = space.network(of: architecture, name: "block timings")
      let chosen = space.timedBlocks(of: architecture)
      guard ledger.needs(chosen, in: network, round: round) else { continue }
      let timer = NetworkTimer(network, parts: true, engine: engine)
      func report(_ share: Double) throws {
        let share = (Double(index) + share) / Double(plan.count)
        let passed = (clock.now - start).seconds
        let done = Double(timed) + share * Double(plan.count) - Double(index)
        try progress(
          LatencyProgress(
            cells: ledger.count,
            cellCount: ledger.cellCount,
            share: share,
            secondsLeft: passed > 0.5 && done > 0.2
              ? passed / done * Double(plan.count) * (1 - share) : nil
          )
        )
      }
      try time(timer, precision, &reference, report)
      ledger.book(chosen, in: network, timer.parts, timer.repeats)
      timed += 1
      let now = clock.now
      if now >= nextSave || index == plan.count - 1 {
        table.entries = ledger.entries
        try save(table)
        nextSave = clock.now.advanced(by: now.duration(to: clock.now) * 10)
      }
    }
    table.entries = ledger.entries
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

  /// Whether `other` was measured as this one is.
  private func continues(_ other: LatencyTable) -> Bool {
    other.device == device && other.threads == threads && other.isa == isa
  }
}
