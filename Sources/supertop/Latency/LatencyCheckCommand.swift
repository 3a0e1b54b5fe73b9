import ArgumentParser
import Foundation
import Runs
import Search
import Tensor

/// `supertop latency check`: a table's word against whole networks.
struct LatencyCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Time whole networks and compare them with a table.",
    discussion: """
      Networks are sampled uniformly from the space; each is built as a whole and timed in turn \
      with the others. The error is that of the prediction, relative to the measured time; r2 is \
      the share of the variance that the table explains, and kendall_tau compares the two rankings \
      (1: identical). Threads and instruction set are the table's.
      """
  )

  @OptionGroup var spaceOptions: LatencySpaceOptions

  @Option(
    help: ArgumentHelp("The table (default: the one that 'measure' keeps).", valueName: "file"),
    completion: .file()
  )
  var table: String?

  @Option(parsing: .unconditional, help: ArgumentHelp("How many networks.", valueName: "n"))
  var networks = 30

  @Option(parsing: .unconditional, help: ArgumentHelp("Seed of the sample.", valueName: "n"))
  var seed: UInt64 = 1

  @OptionGroup var precision: LatencyPrecisionOptions
  @OptionGroup var options: BenchOptions

  /// What was found; the names are those of the JSON object.
  struct Report: Encodable {
    var networks: Int
    var medianError: Double
    var r2: Double
    var kendallTau: Double
    var table: String
    var device: String
    var threads: Int
    var isa: String
    var rows: [Row]

    /// One network.
    struct Row: Encodable {
      var architecture: [String]
      var predictedMs: Double
      var measuredMs: Double
      var error: Double
      var spread: Double
    }
  }

  func run() throws {
    try options.check(networks, in: 2...10_000, "--networks", "networks")
    let precision = try precision.precision()
    let space = try spaceOptions.space()
    let asked = try options.checkedThreads()
    let path =
      try table
      ?? LatencyTable.cachePath(for: space, threads: asked, isa: try options.instructionSet())
    if table == nil, !pathExists(path) {
      throw UserError(
        .noInput,
        path,
        "no table of this space has been measured with \(Format.counted(asked, "thread"))",
        remedy: "run 'supertop latency measure' with the same options, or give --table FILE"
      )
    }
    let table = try LatencyTable.load(path: path)
    let milliseconds = try space.milliseconds(by: table, place: path)
    let threads = options.threads > 0 ? asked : table.threads ?? asked
    let isa = try options.isa == nil ? try self.isa(of: table, path) : options.instructionSet()
    let ticker = WorkTicker()
    let check: LatencyCheck
    do {
      check = try LatencyCheck.run(
        space,
        milliseconds: milliseconds,
        networks: networks,
        seed: seed,
        threads: threads,
        isa: isa,
        precision: precision
      ) { try ticker.show($0, "timing \(Format.counted(networks, "network"))") }
    } catch {
      ticker.clear()
      throw error
    }
    ticker.clear()
    let names = space.choices.map { $0.options.map(\.name) }
    let report = Report(
      networks: networks,
      medianError: check.medianError.rounded(to: 5),
      r2: check.r2.rounded(to: 5),
      kendallTau: check.kendallTau.rounded(to: 5),
      table: path,
      device: table.device,
      threads: threads,
      isa: isa.rawValue,
      rows: check.rows.map { row in
        Report.Row(
          architecture: zip(names, row.architecture).map { $0[$1] },
          predictedMs: row.predicted.rounded(to: 5),
          measuredMs: row.measured.rounded(to: 5),
          error: row.error.rounded(to: 5),
          spread: row.spread.rounded(to: 5)
        )
      }
    )
    try options.show(report, table: rows(report))
  }

  /// The instruction set that the table was measured with.
  private func isa(of table: LatencyTable, _ path: String) throws -> InstructionSet {
    guard let name = table.isa else { return .chosen }
    guard let isa = InstructionSet(rawValue: name), InstructionSet.available.contains(isa) else {
      throw UserError(
        .unavailable,
        path,
        "the table is of '\(name)', which this machine does not have",
        remedy: "give --isa to compare all the same"
      )
    }
    return isa
  }

  private func rows(_ report: Report) -> [[String]] {
    let number = BenchTable.number
    func signed(_ share: Double) -> String { (share < 0 ? "" : "+") + BenchTable.share(share) }
    var rows = [
      ["\(report.isa), \(Format.counted(report.threads, "thread")); table of \(report.device)"],
      ["network", "predicted ms", "measured ms", "error", "spread"],
    ]
    rows += report.rows.sorted { $0.measuredMs < $1.measuredMs }.map {
      [
        $0.architecture.joined(separator: " "), number($0.predictedMs, 4), number($0.measuredMs, 4),
        signed($0.error), BenchTable.share($0.spread),
      ]
    }
    rows.append([
      "\(Format.counted(report.networks, "network")): "
        + "median error \(BenchTable.share(report.medianError)), "
        + "R2 \(number(report.r2, 3)), Kendall tau \(number(report.kendallTau, 3))"
    ])
    return rows
  }
}
