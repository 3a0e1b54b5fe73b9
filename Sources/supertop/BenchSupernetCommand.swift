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
      A step runs all candidates of every layer forward, the loss with its cost, the backward pass and the \
      optimiser; every fifth trains the architecture parameters, the others the weights. Two steps \
      before the first counted one warm up.
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
    var imagesPerS: Double
    var peakRssMib: Double
    var flops: Double
    var gflopsPerS: Double
  }

  func run() throws {
    try options.check(steps, in: 1...100_000, "--steps", "steps")
    var bench = try SupernetBench(network, options)
    bench.warmUp()
    let times = BenchTimes((0..<steps).map { _ in bench.step() })
    let report = Report(
      preset: network.preset,
      batch: network.batch,
      threads: bench.threads,
      isa: bench.instructionSet.rawValue,
      steps: steps,
      medianMs: (times.median * 1e3).rounded(to: 3),
      minMs: (times.least * 1e3).rounded(to: 3),
      imagesPerS: (Double(network.batch) / times.median).rounded(to: 2),
      peakRssMib: BenchMemory.peakMebibytes.rounded(to: 1),
      flops: bench.flops,
      gflopsPerS: (bench.flops / times.median / 1e9).rounded(to: 2)
    )
    try options.show(
      report,
      table: [
        ["\(report.preset), \(report.isa), \(report.threads) threads, \(steps) steps"],
        ["median", BenchTable.number(report.medianMs, 2), "ms"],
        ["least", BenchTable.number(report.minMs, 2), "ms"],
        ["throughput", BenchTable.number(report.imagesPerS), "images/s"],
        ["arithmetic", BenchTable.number(report.gflopsPerS), "GFLOP/s"],
        ["peak memory", BenchTable.number(report.peakRssMib, 0), "MiB"],
      ]
    )
  }
}

/// A supernet with a batch of synthetic images, taking the steps of a search.
struct SupernetBench {
  /// What is trained.
  let supernet: Supernet
  /// Threads of the engine.
  let threads: Int
  /// Kernels of the engine.
  let instructionSet: InstructionSet
  private let configuration: Configuration
  private let pixels: [Float]
  private let labels: [Int32]
  private var done = 0

  /// Builds the supernet of a preset and a batch for it.
  init(_ network: BenchNetworkOptions, _ options: BenchOptions) throws {
    try options.check(network.batch, in: 1...65536, "--batch", "images")
    threads = try options.checkedThreads()
    instructionSet = try options.instructionSet()
    var configuration = try Configuration.preset(network.preset)
    configuration.threads = threads
    self.configuration = configuration
    let shape = BenchShape(of: configuration)
    supernet = try Supernet(
      configuration: configuration,
      classes: shape.classes,
      channels: shape.channels,
      height: shape.side,
      width: shape.side,
      instructionSet: instructionSet
    )
    var random = Philox(seed: 1, purpose: .test)
    pixels = (0..<network.batch * shape.side * shape.side * shape.channels).map { _ in
      random.normal()
    }
    labels = (0..<network.batch).map { _ in
      Int32(truncatingIfNeeded: random.next() % UInt32(shape.classes))
    }
  }

  /// One step of each kind.
  mutating func warmUp() {
    for phase in [Phase.weights, .theta] { take(phase) }
    done = 0
  }

  /// The next step, every fifth on θ; its seconds.
  @discardableResult
  mutating func step() -> Double {
    let seconds = ContinuousClock().measure { take(done % 5 == 4 ? .theta : .weights) }.inSeconds
    done += 1
    return seconds
  }

  private func take(_ phase: Phase) {
    _ = supernet.step(
      phase,
      pixels: pixels,
      labels: labels,
      temperature: configuration.temperature.start,
      learningRate: phase == .weights
        ? configuration.weights.learningRate : configuration.theta.learningRate,
      step: done
    )
  }

  /// FLOPs of one step: forward, and twice as many for the two products of the backward pass.
  var flops: Double {
    let forward = supernet.macro.layers.joined().reduce(supernet.macro.fixedFlops) {
      $0 + $1.flops
    }
    return 3 * 2 * forward * Double(labels.count)
  }
}

/// The images of a preset.
struct BenchShape {
  /// Pixels along a side.
  let side: Int
  /// Colours.
  let channels: Int
  /// Classes.
  let classes: Int

  /// What the preset's own data set looks like.
  init(of configuration: Configuration) {
    side = configuration.data.resolution
    channels = configuration.preset == "digits" ? 1 : 3
    classes = configuration.preset == "imagenet" ? 1000 : 10
  }
}

/// Memory of this process.
enum BenchMemory {
  /// Largest resident memory so far, MiB; 0 where the system does not tell.
  static var peakMebibytes: Double {
    var usage = rusage()
    #if os(Linux)
      guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
      return Double(usage.ru_maxrss) / 1024
    #else
      guard getrusage(RUSAGE_SELF, &usage) == 0 else { return 0 }
      return Double(usage.ru_maxrss) / (1024 * 1024)
    #endif
  }
}
