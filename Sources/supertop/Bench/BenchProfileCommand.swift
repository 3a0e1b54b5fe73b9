import ArgumentParser
import Foundation
import Runs
import Search
import Tensor

/// `supertop bench profile`: which operations a training step spends its time in.
struct BenchProfileCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "profile",
    abstract: "Share of a training step by operation.",
    discussion: """
      The steps are those of 'bench supernet'. What is booked under "other" runs on one thread \
      between the operations: packing filters, adding partial sums, the tape, the loss.
      """
  )

  @OptionGroup var network: BenchNetworkOptions

  @Option(parsing: .unconditional, help: ArgumentHelp("Counted steps.", valueName: "n"))
  var steps = 10

  @OptionGroup var options: BenchOptions

  /// What was measured; the names are those of the JSON object.
  struct Report: Encodable {
    var preset: String
    var batch: Int
    var threads: Int
    var isa: String
    var steps: Int
    /// Mean time of a step.
    var stepMs: Double
    /// The longest first, at last the rest.
    var operations: [Row]

    /// One operation in one direction, for one step.
    struct Row: Encodable {
      var operation: String
      var direction: String
      var calls: Double
      var ms: Double
      var share: Double
    }
  }

  func run() throws {
    let bench = try ProfiledSupernet(network, options, steps: steps)
    var rows = bench.operations.map {
      row($0.work.operation, $0.work.direction.rawValue, calls: $0.calls, $0.seconds, bench)
    }
    rows.append(row("other", "", calls: 0, bench.otherSeconds, bench))
    let report = Report(
      preset: network.preset,
      batch: network.batch,
      threads: bench.supernet.threads,
      isa: bench.supernet.instructionSet.rawValue,
      steps: steps,
      stepMs: (bench.seconds / Double(steps) * 1e3).rounded(to: 3),
      operations: rows
    )
    var table = [
      [
        "\(report.preset), batch \(report.batch), \(report.isa), "
          + "\(Format.counted(report.threads, "thread")): "
          + "\(BenchTable.number(report.stepMs)) ms a step"
      ],
      ["operation", "direction", "calls", "ms", "share"],
    ]
    table += rows.map {
      [
        $0.operation, $0.direction, BenchTable.number($0.calls), BenchTable.number($0.ms, 2),
        BenchTable.share($0.share),
      ]
    }
    try options.show(report, table: table)
  }

  private func row(
    _ operation: String,
    _ direction: String,
    calls: Int,
    _ seconds: Double,
    _ bench: ProfiledSupernet
  ) -> Report.Row {
    Report.Row(
      operation: operation,
      direction: direction,
      calls: (Double(calls) / Double(steps)).rounded(to: 2),
      ms: (seconds / Double(steps) * 1e3).rounded(to: 3),
      share: (seconds / bench.seconds).rounded(to: 4)
    )
  }
}

/// Steps of a supernet with their time by operation.
struct ProfiledSupernet {
  /// What was stepped.
  let supernet: SupernetBench
  /// The longest first; sums over the steps.
  let operations: [Profile.Entry]
  /// Of all steps.
  let seconds: Double
  /// Time outside the operations.
  var otherSeconds: Double { seconds - operations.reduce(0) { $0 + $1.seconds } }

  /// Warms up, then takes `steps` steps.
  init(_ network: BenchNetworkOptions, _ options: BenchOptions, steps: Int) throws {
    try options.check(steps, in: 1...100_000, "--steps", "steps")
    var bench = try SupernetBench(network, options)
    bench.warmUp()
    let profile = Profile()
    bench.supernet.engine.profile = profile
    seconds = (0..<steps).reduce(0) { sum, _ in sum + bench.step().seconds }
    bench.supernet.engine.profile = nil
    operations = profile.entries.sorted { $0.seconds > $1.seconds }
    supernet = bench
  }
}
