import ArgumentParser
import Dashboard
import Foundation
import Runs
import Search
import Tensor

/// `supertop latency measure`: a table of this machine.
struct LatencyMeasureCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "measure",
    abstract: "Time every block of a space on this machine.",
    discussion: """
      Each distinct block is timed inside whole networks, with batch 1 and the kernels that a \
      derived network runs on, until the median is known within 2 %. Timings disturbed by \
      other programs are detected by a loop of known work and by disagreeing batches, and repeated.

      Without --out the table goes where searches look for it. Repeat the command to continue an \
      interrupted measurement.
      """
  )

  @Argument(
    help: ArgumentHelp(
      "Configuration file; what it leaves out comes from its preset.",
      valueName: "config.yaml"
    ),
    completion: .file()
  )
  var file: String?

  @OptionGroup var spaceOptions: LatencySpaceOptions

  @Option(
    help: ArgumentHelp("The table's file (default: in the cache).", valueName: "file"),
    completion: .file()
  )
  var out: String?

  @OptionGroup var precision: LatencyPrecisionOptions
  @OptionGroup var options: BenchOptions

  /// What was done; the names are those of the JSON object.
  struct Report: Encodable {
    var file: String
    var device: String
    var threads: Int
    var isa: String
    var cells: Int
    var seconds: Double
    var largestSpread: Double
    var leastMs: Double
    var mostMs: Double
    var findings: [LatencyFindings.Report]
  }

  func run() throws {
    let threads = try options.checkedThreads()
    let isa = try options.instructionSet()
    let precision = try precision.precision()
    let space = try spaceOptions.space(file: file)
    let path = out ?? LatencyTable.cachePath(for: space, threads: threads, isa: isa)
    let ticker = WorkTicker(remedy: "; the same command continues from there")
    let table: LatencyTable
    do {
      table = try LatencyTable.kept(
        for: space,
        in: path,
        threads: threads,
        isa: isa,
        precision: precision,
        remeasures: true,
        progress: {
          try ticker.show(
            $0.share,
            "\($0.cells) of \(Format.counted($0.cellCount, "cell"))",
            secondsLeft: $0.secondsLeft
          )
        },
        unkept: { error in
          guard out == nil else { throw error }
          throw UserError(
            error.code,
            error.place,
            error.problem,
            remedy: "name a file with --out, or a folder for the cache in XDG_CACHE_HOME"
          )
        }
      )
    } catch {
      ticker.clear()
      throw error
    }
    ticker.clear()
    let grid = try space.latencyGrid(table, place: path)
    let range = grid.range
    let findings = LatencyFindings(findings: grid.findings)
    let report = Report(
      file: path,
      device: table.device,
      threads: threads,
      isa: isa.rawValue,
      cells: table.entries.count,
      seconds: ticker.seconds.rounded(to: 2),
      largestSpread: (table.entries.compactMap(\.spread).max() ?? 0).rounded(to: 4),
      leastMs: range.lowerBound.rounded(to: 4),
      mostMs: range.upperBound.rounded(to: 4),
      findings: findings.reports
    )
    let number = BenchTable.number
    let output = Output(beside: out)
    try options.show(
      report,
      table: [
        [
          "\(Format.counted(report.cells, "cell")) in \(Format.duration(ticker.seconds)): "
            + "\(report.device), "
            + "\(report.isa), "
            + "\(Format.counted(threads, "thread")); "
            + "largest spread \(BenchTable.share(report.largestSpread))"
        ],
        ["networks take \(number(range.lowerBound, 3)) to \(number(range.upperBound, 3)) ms"],
        ["table: \(path)"],
      ],
      output: output
    )
    if !options.json { findings.show(output) }
  }
}
