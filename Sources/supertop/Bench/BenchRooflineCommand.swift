import ArgumentParser
import Foundation
import Runs
import Search
import Tensor

/// `supertop bench roofline`: the machine's limits, and a step's operations against them.
struct BenchRooflineCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "roofline",
    abstract: "Measure the limits of this machine, and compare a step's operations with them.",
    discussion: """
      The floor of an operation is the longer of two times: its floating-point operations at the \
      measured peak of the arithmetic units, and its bytes, each tensor once, at the measured \
      bandwidth of memory. What stays in a cache can be faster than the second.

      Batch-norm and activation have no row of their own: they are part of the operations that \
      write and read a tensor.
      """
  )

  @OptionGroup var network: BenchNetworkOptions

  @Option(parsing: .unconditional, help: ArgumentHelp("Profiled steps.", valueName: "n"))
  var steps = 5

  @OptionGroup var limits: BenchLimitOptions
  @OptionGroup var options: BenchOptions

  /// What was measured; the names are those of the JSON object.
  struct Report: Encodable {
    var preset: String
    var batch: Int
    var threads: Int
    var isa: String
    var arithmetic: [Arithmetic]
    var memory: [Memory]
    var operations: [Row]
    var otherMs: Double
    var stepMs: Double
    var floorMs: Double
    var ratio: Double

    /// Peak of an instruction set.
    struct Arithmetic: Encodable {
      var isa: String
      var threads: Int
      var gflopsPerS: Double
      var tileGflopsPerS: Double
    }

    /// Bandwidth of memory; a copied byte counts twice.
    struct Memory: Encodable {
      var threads: Int
      var readGbPerS: Double
      var copyGbPerS: Double
    }

    /// One operation in one direction, for one step.
    struct Row: Encodable {
      var operation: String
      var direction: String
      var ms: Double
      var floorMs: Double
      var ratio: Double
      var bound: String
      var gflopsPerS: Double
      var gbPerS: Double
    }
  }

  func run() throws {
    try limits.check(options)
    let bench = try ProfiledSupernet(network, options, steps: steps)
    let threads = bench.supernet.threads
    let chosen = bench.supernet.instructionSet
    var peaks = MachinePeaks()
    var arithmetic: [Report.Arithmetic] = []
    var memory: [Report.Memory] = []
    for count in threads > 1 ? [1, threads] : [1] {
      for set in InstructionSet.allCases where InstructionSet.available.contains(set) {
        let engine = Engine(instructionSet: set, threads: count)
        let rate = MachinePeaks.arithmetic(engine, seconds: limits.seconds)
        if set == chosen { peaks.arithmetic = rate }
        arithmetic.append(
          Report.Arithmetic(
            isa: set.rawValue,
            threads: count,
            gflopsPerS: (rate / 1e9).rounded(to: 2),
            tileGflopsPerS: (MachinePeaks.tiles(engine, seconds: limits.seconds) / 1e9)
              .rounded(to: 2)
          )
        )
      }
      let (read, copy) = MachinePeaks.bandwidth(
        Engine(instructionSet: chosen, threads: count),
        mebibytes: limits.memory,
        seconds: limits.seconds
      )
      peaks.bandwidth = max(read, copy)
      memory.append(
        Report.Memory(
          threads: count,
          readGbPerS: (read / 1e9).rounded(to: 2),
          copyGbPerS: (copy / 1e9).rounded(to: 2)
        )
      )
    }
    let rows = bench.operations.map { row($0, peaks) }
    let stepMs = bench.seconds / Double(steps) * 1e3
    let floorMs = rows.reduce(0) { $0 + $1.floorMs }
    let report = Report(
      preset: network.preset,
      batch: network.batch,
      threads: threads,
      isa: chosen.rawValue,
      arithmetic: arithmetic,
      memory: memory,
      operations: rows,
      otherMs: (bench.otherSeconds / Double(steps) * 1e3).rounded(to: 3),
      stepMs: stepMs.rounded(to: 3),
      floorMs: floorMs.rounded(to: 3),
      ratio: (stepMs / floorMs).rounded(to: 2)
    )
    try options.show(report, table: table(report))
  }

  private func row(_ entry: Profile.Entry, _ peaks: MachinePeaks) -> Report.Row {
    let floor = peaks.floor(entry.work)
    return Report.Row(
      operation: entry.work.operation,
      direction: entry.work.direction.rawValue,
      ms: (entry.seconds / Double(steps) * 1e3).rounded(to: 3),
      floorMs: (floor / Double(steps) * 1e3).rounded(to: 4),
      ratio: (entry.seconds / floor).rounded(to: 2),
      bound: peaks.isBoundByMemory(entry.work) ? "memory" : "arithmetic",
      gflopsPerS: (entry.work.arithmetic / entry.seconds / 1e9).rounded(to: 2),
      gbPerS: (entry.work.bytes / entry.seconds / 1e9).rounded(to: 2)
    )
  }

  private func table(_ report: Report) -> [[String]] {
    let number = BenchTable.number
    var table = [["GFLOP/s", "threads", "registers", "micro-kernel"]]
    table += report.arithmetic.map {
      [$0.isa, "\($0.threads)", number($0.gflopsPerS, 1), number($0.tileGflopsPerS, 1)]
    }
    table += [[""], ["GB/s", "threads", "read", "copy"]]
    table += report.memory.map {
      ["memory", "\($0.threads)", number($0.readGbPerS, 1), number($0.copyGbPerS, 1)]
    }
    table += [
      [""],
      [
        "\(report.preset), batch \(report.batch), \(report.isa), "
          + "\(Format.counted(report.threads, "thread")): "
          + "\(number(report.stepMs, 1)) ms a step, floor \(number(report.floorMs, 1)) ms"
      ],
      ["operation", "direction", "ms", "floor ms", "ratio", "bound by", "GFLOP/s", "GB/s"],
    ]
    table += report.operations.map {
      [
        $0.operation, $0.direction, number($0.ms, 2), number($0.floorMs, 2), number($0.ratio, 1),
        $0.bound, number($0.gflopsPerS, 1), number($0.gbPerS, 1),
      ]
    }
    table.append(["other", "", number(report.otherMs, 2), "", "", "", "", ""])
    return table
  }
}

/// How long and how large the machine's limits are measured.
struct BenchLimitOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Time for each measurement.", valueName: "seconds")
  )
  var seconds = 0.3

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Size of each of two arrays for the bandwidth of memory.",
      valueName: "MiB"
    )
  )
  var memory = 256

  /// Refuses what cannot be measured.
  func check(_ options: BenchOptions) throws {
    try options.check(seconds, in: 0.001...60, "--seconds", "seconds")
    try options.check(memory, in: 1...16384, "--memory", "MiB")
  }
}
