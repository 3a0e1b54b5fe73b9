import ArgumentParser
import Foundation
import Runs
import Tensor

/// `supertop bench choices`: what the options of a choice cost, as masks and as branches.
struct BenchChoicesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "choices",
    abstract: "Time a search's step against the number of options of a choice.",
    discussion: """
      The network is small: a stem, three blocks of at most 48 channels, 32x32 images. Its choice \
      is of channels (1 to 16 widths) or of resolution (1 to 5 sizes). Masking is what \
      'supertop search' does in a space of masked blocks. Branches have a block of their own for \
      each option, whose results are all kept, brought to one size and summed with the weights \
      of the options.

      A step trains the weights or, where there is more than one option, the architecture \
      parameters. All networks take their steps in turn, so that noise meets all alike. Memory is \
      what the engine's buffers hold at most.
      """
  )

  @Option(parsing: .unconditional, help: ArgumentHelp("Images of a step.", valueName: "n"))
  var batch = 16

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Counted steps of each network.", valueName: "n")
  )
  var steps = 9

  @Option(
    help: ArgumentHelp("Also write a plot as an SVG file.", valueName: "file.svg"),
    completion: .file()
  )
  var svg: String?

  @OptionGroup var options: BenchOptions

  /// What was measured; the names are those of the JSON object.
  struct Report: Encodable {
    var batch: Int
    var threads: Int
    var isa: String
    var steps: Int
    var rows: [Row]

    /// A network.
    struct Row: Encodable {
      var kind: ChoiceBench.Kind
      var method: ChoiceBench.Method
      var count: Int
      /// Of a step on the weights.
      var medianMs: Double
      /// Of a step on the architecture parameters; nil for one option.
      var thetaMedianMs: Double?
      var peakMib: Double
    }
  }

  func run() throws {
    try options.check(batch, in: 1...65536, "--batch", "images")
    try options.check(steps, in: 1...100_000, "--steps", "steps")
    let engine = try (threads: options.checkedThreads(), isa: options.instructionSet())
    let benches = try ChoiceBench.Kind.allCases.flatMap { kind in
      try kind.counts.flatMap { count in
        try ChoiceBench.Method.allCases.map { method in
          try ChoiceBench(
            kind,
            method,
            options: count,
            batch: batch,
            threads: engine.threads,
            instructionSet: engine.isa
          )
        }
      }
    }
    var seconds = benches.map { bench in
      // The first steps also take memory.
      bench.phases.map { phase in
        _ = bench.step(phase)
        return [Double]()
      }
    }
    for _ in 0..<steps {
      for (index, bench) in benches.enumerated() {
        for (place, phase) in bench.phases.enumerated() {
          seconds[index][place].append(bench.step(phase))
        }
      }
    }
    let report = Report(
      batch: batch,
      threads: engine.threads,
      isa: engine.isa.rawValue,
      steps: steps,
      rows: zip(benches, seconds).map { bench, seconds in
        Report.Row(
          kind: bench.kind,
          method: bench.method,
          count: bench.count,
          medianMs: Self.milliseconds(seconds[0]),
          thetaMedianMs: seconds.count > 1 ? Self.milliseconds(seconds[1]) : nil,
          peakMib: bench.peakMebibytes.rounded(to: 2)
        )
      }
    )
    if let svg { try writeWhole(ChoicePlot(report.rows).svg, to: svg) }
    try options.show(report, table: table(report))
  }

  private static func milliseconds(_ seconds: [Double]) -> Double {
    (BenchTimes(seconds).median * 1e3).rounded(to: 3)
  }

  private func table(_ report: Report) -> [[String]] {
    let heading =
      "batch \(batch), \(report.isa), \(Format.counted(report.threads, "thread")), "
      + Format.counted(steps, "step")
    let rows = report.rows.map {
      [
        "\($0.kind.rawValue)", "\($0.count)", $0.method.rawValue,
        BenchTable.number($0.medianMs, 2),
        $0.thetaMedianMs.map { BenchTable.number($0, 2) } ?? "",
        BenchTable.number($0.peakMib, 1),
      ]
    }
    return [[heading], ["choice", "options", "method", "ms", "ms on θ", "MiB"]] + rows
  }
}
