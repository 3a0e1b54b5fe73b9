import ArgumentParser
import Foundation
import Networks
import Runs
import Search
import Tensor

/// `supertop bench gemm`: the matrix products behind a preset's 1×1 convolutions, one by one.
struct BenchGEMMCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gemm",
    abstract: "Time the matrix products of a network's 1x1 convolutions.",
    discussion: """
      M rows (pixels of all images) of K input channels times K x N weights. The share is that of \
      the micro-kernel's own peak: the same inner loop on operands in the first-level cache, \
      measured in the same run. "plain" is the product alone, "fused" the same with batch-norm's \
      sums, as in a step, "backward" the two products for both gradients. Times are the least of \
      several.
      """
  )

  @OptionGroup var network: BenchNetworkOptions

  @Option(help: ArgumentHelp("One product instead of a network's.", valueName: "MxKxN"))
  var shape: String?

  @Flag(help: "Also the backward pass.")
  var backward = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Time for each measurement.", valueName: "seconds")
  )
  var seconds = 0.1

  @OptionGroup var options: BenchOptions

  /// What was measured; the names are those of the JSON object.
  struct Report: Encodable {
    var threads: Int
    var isa: String
    /// Of the micro-kernel.
    var peakGflopsPerS: Double
    var shapes: [Row]

    /// One shape; rates are 10⁹ floating-point operations a second, shares those of the
    /// micro-kernel's peak.
    struct Row: Encodable {
      var m: Int
      var k: Int
      var n: Int
      var ms: Double
      var gflopsPerS: Double
      var shareOfPeak: Double
      var fusedMs: Double
      var fusedGflopsPerS: Double
      var fusedShareOfPeak: Double
      var backwardMs: Double?
      var backwardGflopsPerS: Double?
      var backwardShareOfPeak: Double?
    }
  }

  private struct Product: Hashable {
    var images: Int
    var pixels: Int
    var k: Int
    var n: Int
  }

  func run() throws {
    try options.check(seconds, in: 0.001...60, "--seconds", "seconds")
    let products = try products()
    let engine = try options.engine()
    let bench = OperationBench(engine: engine, seconds: seconds)
    // Measured again round every shape, so that both meet the machine in the same state.
    var before = MachinePeaks.tiles(engine, seconds: seconds / 2)
    let measured = products.map { product in
      var it = measure(product, bench)
      let after = MachinePeaks.tiles(engine, seconds: seconds / 2)
      it.peak = max(before, after)
      before = after
      return it
    }
    let peak = measured.map(\.peak).max() ?? before
    let report = Report(
      threads: engine.threads,
      isa: engine.instructionSet.rawValue,
      peakGflopsPerS: (peak / 1e9).rounded(to: 2),
      shapes: measured.map(row)
    )
    try options.show(report, table: table(report))
  }

  private struct Measured {
    var product: Product
    var plain: OperationBench.Timing
    var fused: OperationBench.Timing
    var backward: OperationBench.Timing?
    /// Floating-point operations a second of the micro-kernel at that time.
    var peak = 0.0
  }

  private func measure(_ product: Product, _ bench: OperationBench) -> Measured {
    let x = bench.tensor([product.images, product.pixels, 1, product.k], requiresGradient: true)
    let filter = bench.filter([1, 1, product.k, product.n])
    let norm = BatchNorm(name: "norm", channels: product.n, engine: bench.engine)
    let fused = {
      bench.engine.convolution(x, filter: filter, norm: norm, activation: .relu)
    }
    return Measured(
      product: product,
      plain: bench.forward { bench.engine.convolution(x, filter: filter) },
      fused: bench.forward(fused),
      backward: backward ? bench.backward(from: x, fused) : nil
    )
  }

  private func row(_ it: Measured) -> Report.Row {
    func share(_ timing: OperationBench.Timing) -> Double {
      (timing.work.arithmetic / timing.seconds / it.peak).rounded(to: 4)
    }
    return Report.Row(
      m: it.product.images * it.product.pixels,
      k: it.product.k,
      n: it.product.n,
      ms: (it.plain.seconds * 1e3).rounded(to: 4),
      gflopsPerS: it.plain.gflops.rounded(to: 2),
      shareOfPeak: share(it.plain),
      fusedMs: (it.fused.seconds * 1e3).rounded(to: 4),
      fusedGflopsPerS: it.fused.gflops.rounded(to: 2),
      fusedShareOfPeak: share(it.fused),
      backwardMs: it.backward.map { ($0.seconds * 1e3).rounded(to: 4) },
      backwardGflopsPerS: it.backward.map { $0.gflops.rounded(to: 2) },
      backwardShareOfPeak: it.backward.map(share)
    )
  }

  private func table(_ report: Report) -> [[String]] {
    let number = BenchTable.number
    var table = [
      [
        "\(report.isa), \(Format.counted(report.threads, "thread")); micro-kernel "
          + "\(number(report.peakGflopsPerS, 1)) GFLOP/s"
      ],
      ["MxKxN", "plain ms", "GFLOP/s", "of peak", "fused ms", "GFLOP/s", "of peak"]
        + (backward ? ["backward ms", "GFLOP/s", "of peak"] : []),
    ]
    table += report.shapes.map { row in
      [
        "\(row.m)x\(row.k)x\(row.n)", number(row.ms, 3), number(row.gflopsPerS, 1),
        BenchTable.share(row.shareOfPeak), number(row.fusedMs, 3), number(row.fusedGflopsPerS, 1),
        BenchTable.share(row.fusedShareOfPeak),
      ]
        + (backward
          ? [
            number(row.backwardMs ?? 0, 3), number(row.backwardGflopsPerS ?? 0, 1),
            BenchTable.share(row.backwardShareOfPeak ?? 0),
          ] : [])
    }
    let wide = report.shapes.filter { $0.k >= 64 && $0.n >= 64 }
    if !wide.isEmpty {
      let good = wide.filter { $0.shareOfPeak >= 0.8 }.count
      table.append(["K, N >= 64: \(good) of \(wide.count) reach 80 % of the micro-kernel's peak"])
    }
    return table
  }

  /// The product of `--shape`, or those of the network from the image on, each once.
  private func products() throws -> [Product] {
    if let shape {
      let sides = shape.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
      guard sides.count == 3, let m = sides[0], let k = sides[1], let n = sides[2],
        (1...1 << 24).contains(m), (1...1 << 16).contains(k), (1...1 << 16).contains(n),
        m * max(k, n) <= 1 << 30, k * n <= 1 << 28
      else {
        throw UserError(
          .usage,
          "--shape \(shape)",
          "not the sides of a product that fits in memory",
          remedy: "write it like 65536x16x96"
        )
      }
      return [Product(images: 1, pixels: m, k: k, n: n)]
    }
    let macro = try network.macro(options)
    let space = try network.configuration().space
    var all: [Product] = []
    var pixels = 0
    for block in macro.layers.joined() {
      let before = block.height * block.width
      pixels = block.outputSize(block.height) * block.outputSize(block.width)
      switch block.kind {
      case .bottleneck(let shape) where shape.groups == 1:
        let middle = shape.middle
        all.append(Product(images: network.batch, pixels: before, k: block.input, n: middle))
        all.append(Product(images: network.batch, pixels: pixels, k: middle, n: block.output))
      case .skip where !block.keepsShape && block.stride == 1:
        all.append(
          Product(images: network.batch, pixels: pixels, k: block.input, n: block.output)
        )
      default: break
      }
    }
    all.append(
      Product(images: network.batch, pixels: pixels, k: macro.lastWidth, n: space.head)
    )
    var seen: Set<Product> = []
    return all.filter { seen.insert($0).inserted }
  }
}
