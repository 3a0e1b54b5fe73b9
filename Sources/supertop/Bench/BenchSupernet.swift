import Data
import Foundation
import Networks
import Runs
import Search
import Tensor
import Training

/// A supernet with a batch of synthetic images, taking the steps of a search.
struct SupernetBench {
  /// What is trained.
  let supernet: Supernet
  /// Threads of the engine; 0 for one on each core.
  let threads: Int
  /// Kernels of the engine.
  let instructionSet: InstructionSet
  private let configuration: Configuration
  private let pixels: [Float]
  private let labels: [Int32]
  private var done = 0

  /// Builds the supernet of a preset and a batch for it.
  init(_ network: BenchNetworkOptions, _ options: BenchOptions) throws {
    try network.checkBatch(options)
    var configuration = try network.configuration()
    configuration.threads = try options.checkedThreads()
    try self.init(
      configuration,
      BenchShape(of: configuration),
      batch: network.batch,
      instructionSet: options.instructionSet()
    )
  }

  /// Builds the supernet of a search on images of some shape, and a batch of so many.
  init(
    _ configuration: Configuration,
    _ shape: BenchShape,
    batch: Int,
    instructionSet: InstructionSet = .chosen
  ) throws {
    self.configuration = configuration
    self.instructionSet = instructionSet
    supernet = try Supernet(
      configuration: configuration,
      classes: shape.classes,
      channels: shape.channels,
      height: shape.side,
      width: shape.side,
      instructionSet: instructionSet
    )
    threads = configuration.threads
    var random = Philox(seed: 1, purpose: .test)
    pixels = (0..<batch * shape.side * shape.side * shape.channels).map { _ in random.normal() }
    labels = (0..<batch).map { _ in
      Int32(truncatingIfNeeded: random.next() % UInt32(shape.classes))
    }
  }

  /// One step of each kind.
  mutating func warmUp() {
    for phase in [Phase.weights, .theta] { take(phase) }
    done = 0
  }

  /// The next step, every fifth on θ, and its seconds.
  mutating func step() -> (phase: Phase, seconds: Double) {
    let phase: Phase = done % 5 == 4 ? .theta : .weights
    let seconds = ContinuousClock().measure { take(phase) }.seconds
    done += 1
    return (phase, seconds)
  }

  /// Takes a step of a kind.
  func take(_ phase: Phase) {
    _ = supernet.step(
      phase,
      Batch(pixels: pixels, labels: labels),
      temperature: configuration.temperature.start,
      learningRate: phase == .weights
        ? configuration.weights.learningRate : configuration.theta.learningRate.value(steps: done),
      step: done
    )
  }

  /// Numbers that ranks exchange in a step on the weights: gradients and four figures.
  var exchangedFloats: Int { supernet.weightCount + 4 }

  /// Of one step on the weights, two for each multiply–add: forward, and twice as many for the two
  /// products of the backward pass.
  var floatingPointOperations: Double {
    3 * 2 * supernet.space.supernetFlops * Double(labels.count)
  }
}

/// The images of a search.
struct BenchShape {
  /// Pixels along a side.
  let side: Int
  /// Colours.
  let channels: Int
  /// Classes.
  let classes: Int

  /// Images that are told.
  init(side: Int, channels: Int, classes: Int) {
    self.side = side
    self.channels = channels
    self.classes = classes
  }

  /// What the preset's own data set looks like.
  init(of configuration: Configuration) {
    side = configuration.data.resolution
    channels = DataSource(configuration.data.source).channels
    classes = configuration.preset == "imagenet" ? 1000 : 10
  }
}
