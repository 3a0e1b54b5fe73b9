import ArgumentParser
import Foundation
import Networks
import Runs
import Search
import Tensor

/// `supertop bench supernet`: the step that a search takes, on synthetic images.
struct BenchSupernetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "supernet",
    abstract: "Time a search's training step.",
    discussion: """
      A step runs all candidates of every layer forward, the loss with its cost, the backward pass \
      and the optimiser; every fifth trains the architecture parameters, the others the weights. \
      Two warm-up steps are not counted.
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
    var medianMs: Double
    var minMs: Double
    /// Median of the steps on the weights, and of those on θ, if there were any.
    var weightsMs: Double?
    var thetaMs: Double?
    var imagesPerS: Double
    var peakRssMib: Double
    /// Of a step on the weights.
    var floatingPointOperations: Double
    /// The older name of the same; the FLOPs of networks are multiply–adds, half as many.
    var flops: Double
    var gflopsPerS: Double
  }

  func run() throws {
    try options.check(steps, in: 1...100_000, "--steps", "steps")
    var bench = try SupernetBench(network, options)
    bench.warmUp()
    let all = (0..<steps).map { _ in bench.step() }
    let times = BenchTimes(all.map(\.seconds))
    func median(_ phase: Phase) -> Double? {
      let seconds = all.filter { $0.phase == phase }.map(\.seconds)
      return seconds.isEmpty ? nil : (BenchTimes(seconds).median * 1e3).rounded(to: 3)
    }
    let operations = bench.floatingPointOperations
    let report = Report(
      preset: network.preset,
      batch: network.batch,
      threads: bench.threads,
      isa: bench.instructionSet.rawValue,
      steps: steps,
      medianMs: (times.median * 1e3).rounded(to: 3),
      minMs: (times.least * 1e3).rounded(to: 3),
      weightsMs: median(.weights),
      thetaMs: median(.theta),
      imagesPerS: (Double(network.batch) / times.median).rounded(to: 2),
      peakRssMib: BenchMemory.peakMebibytes.rounded(to: 1),
      floatingPointOperations: operations,
      flops: operations,
      gflopsPerS: (operations / times.median / 1e9).rounded(to: 2)
    )
    try options.show(
      report,
      table: [
        [
          "\(report.preset), \(report.isa), \(Format.counted(report.threads, "thread")), "
            + Format.counted(steps, "step")
        ],
        ["median", BenchTable.number(report.medianMs, 2), "ms"],
        ["least", BenchTable.number(report.minMs, 2), "ms"],
        ["throughput", BenchTable.number(report.imagesPerS), "images/s"],
        ["arithmetic", BenchTable.number(report.gflopsPerS), "GFLOP/s"],
        ["peak memory", BenchTable.number(report.peakRssMib, 0), "MiB"],
      ]
    )
  }
}
