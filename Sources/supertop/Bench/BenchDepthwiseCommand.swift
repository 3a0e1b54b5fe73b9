import ArgumentParser
import Foundation
import Networks
import Runs
import Search
import Tensor

/// `supertop bench depthwise`: the depthwise convolutions of a preset, one by one.
struct BenchDepthwiseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "depthwise",
    abstract: "Time the depthwise convolutions of a network.",
    discussion: """
      Each runs alone with its batch-norm, forward and backward. Times are the least of several. \
      The share is that of the floor: the longer of operations at the peak of arithmetic and bytes \
      at the bandwidth of memory; what stays in a cache can pass 100 %.
      """
  )

  @OptionGroup var network: BenchNetworkOptions
  @OptionGroup var limits: BenchLimitOptions
  @OptionGroup var options: BenchOptions

  /// What was measured; the names are those of the JSON object.
  struct Report: Encodable {
    var preset: String
    var batch: Int
    var threads: Int
    var isa: String
    var peakGflopsPerS: Double
    var bandwidthGbPerS: Double
    var shapes: [Row]

    /// One shape of input, kernel and stride in one direction.
    struct Row: Encodable {
      var height: Int
      var width: Int
      var channels: Int
      var kernel: Int
      var stride: Int
      var direction: String
      var ms: Double
      var gflopsPerS: Double
      var gbPerS: Double
      var shareOfFloor: Double
    }
  }

  private struct Shape: Hashable {
    var height: Int
    var width: Int
    var channels: Int
    var kernel: Int
    var stride: Int
  }

  func run() throws {
    try limits.check(options)
    let macro = try network.macro(options)
    let engine = try options.engine()
    var peaks = MachinePeaks()
    peaks.arithmetic = MachinePeaks.arithmetic(engine, seconds: limits.seconds)
    let (read, copy) = MachinePeaks.bandwidth(
      engine,
      mebibytes: limits.memory,
      seconds: limits.seconds
    )
    peaks.bandwidth = max(read, copy)
    let bench = OperationBench(engine: engine, seconds: limits.seconds)
    let rows = shapes(of: macro).flatMap { measure($0, bench, peaks) }
    let report = Report(
      preset: network.preset,
      batch: network.batch,
      threads: engine.threads,
      isa: engine.instructionSet.rawValue,
      peakGflopsPerS: (peaks.arithmetic / 1e9).rounded(to: 2),
      bandwidthGbPerS: (peaks.bandwidth / 1e9).rounded(to: 2),
      shapes: rows
    )
    let number = BenchTable.number
    var table = [
      [
        "\(report.preset), batch \(report.batch), \(report.isa), "
          + "\(Format.counted(report.threads, "thread")); peak "
          + "\(number(report.peakGflopsPerS, 1)) GFLOP/s, \(number(report.bandwidthGbPerS, 1)) GB/s"
      ],
      ["input", "kernel", "stride", "direction", "ms", "GFLOP/s", "GB/s", "of floor"],
    ]
    table += rows.map {
      [
        "\($0.height)x\($0.width)x\($0.channels)", "\($0.kernel)x\($0.kernel)", "\($0.stride)",
        $0.direction, number($0.ms, 3), number($0.gflopsPerS, 1), number($0.gbPerS, 1),
        BenchTable.share($0.shareOfFloor),
      ]
    }
    try options.show(report, table: table)
  }

  private func shapes(of macro: LayerwiseSpace) -> [Shape] {
    var seen: Set<Shape> = []
    return macro.layers.joined().compactMap { block in
      guard case .bottleneck(let middle) = block.kind else { return nil }
      let shape = Shape(
        height: block.height,
        width: block.width,
        channels: middle.middle,
        kernel: middle.kernels[0],
        stride: block.stride
      )
      return seen.insert(shape).inserted ? shape : nil
    }
  }

  private func measure(
    _ shape: Shape,
    _ bench: OperationBench,
    _ peaks: MachinePeaks
  ) -> [Report.Row] {
    let x = bench.tensor(
      [network.batch, shape.height, shape.width, shape.channels],
      requiresGradient: true
    )
    let filter = bench.filter([shape.kernel, shape.kernel, shape.channels])
    let norm = BatchNorm(name: "norm", channels: shape.channels, engine: bench.engine)
    let operation = {
      bench.engine.depthwiseConvolution(
        x,
        filter: filter,
        stride: shape.stride,
        norm: norm,
        activation: .relu
      )
    }
    return [bench.forward(operation), bench.backward(from: x, operation)].map { timing in
      Report.Row(
        height: shape.height,
        width: shape.width,
        channels: shape.channels,
        kernel: shape.kernel,
        stride: shape.stride,
        direction: timing.work.direction.rawValue,
        ms: (timing.seconds * 1e3).rounded(to: 4),
        gflopsPerS: timing.gflops.rounded(to: 2),
        gbPerS: timing.gigabytes.rounded(to: 2),
        shareOfFloor: (peaks.floor(timing.work) / timing.seconds).rounded(to: 4)
      )
    }
  }
}
