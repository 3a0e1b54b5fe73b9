import Data
import Foundation
import Networks
import Runs
import Search
import Tensor
import Training

/// A small network with a choice of so many options, on a batch of synthetic images.
struct ChoiceBench {
  /// What is chosen.
  enum Kind: String, Encodable, CaseIterable {
    case channels, resolution

    /// The numbers of options that are compared.
    var counts: [Int] { self == .channels ? [1, 2, 4, 8, 14, 16] : [1, 2, 3, 4, 5] }
  }

  /// How options are computed.
  enum Method: String, Encodable, CaseIterable { case masking, branches }

  /// What is chosen.
  let kind: Kind
  /// How options are computed.
  let method: Method
  /// Options.
  let count: Int
  private let engine: Engine
  /// Takes a step on the weights or on the architecture parameters.
  private let take: (Phase) -> Void

  static let side = 32
  static let stem = 16
  static let widest = 48
  static let expansion = 3
  static let head = 128
  static let classes = 10

  /// Ascending to the whole.
  static func sizes(_ count: Int) -> [Int] { (0..<count).map { side - 4 * (count - 1 - $0) } }

  /// Ascending to the widest, evenly.
  static func widths(_ count: Int) -> [Int] { (1...count).map { widest * $0 / count } }

  /// Builds the network.
  init(
    _ kind: Kind,
    _ method: Method,
    options count: Int,
    batch: Int,
    threads: Int,
    instructionSet: InstructionSet
  ) throws {
    self.kind = kind
    self.method = method
    self.count = count
    var random = Philox(seed: 1, purpose: .test)
    let pixels = (0..<batch * Self.side * Self.side * 3).map { _ in random.normal() }
    let labels = (0..<batch).map { _ in Int32(random.below(Self.classes)) }
    switch method {
    case .masking:
      let supernet = try Supernet(
        configuration: Self.configuration(kind, count, threads: threads),
        classes: Self.classes,
        channels: 3,
        height: Self.side,
        width: Self.side,
        instructionSet: instructionSet
      )
      engine = supernet.engine
      take = { phase in
        _ = supernet.step(
          phase,
          Batch(pixels: pixels, labels: labels),
          temperature: 1,
          learningRate: 0.01,
          step: 0
        )
      }
    case .branches:
      let engine = Engine(instructionSet: instructionSet, threads: threads)
      let network = BranchNetwork(kind, options: count, engine: engine)
      self.engine = engine
      take = { phase in network.step(phase, pixels: pixels, labels: labels) }
    }
  }

  private static func configuration(
    _ kind: Kind,
    _ count: Int,
    threads: Int
  ) throws -> Configuration {
    var it = try Configuration.preset("fbnet-v2-cifar")
    it.threads = threads
    it.data.resolution = side
    it.space.stem = .init(width: stem, stride: 1)
    it.space.head = head
    let widths = kind == .channels ? widths(count) : [widest]
    it.space.masked = .init(
      resolutions: kind == .resolution ? sizes(count) : [],
      divisor: 1,
      stages: [
        .init(widths: widths, expansions: [Double(expansion)]),
        .init(widths: widths, depth: 2, stride: 2, expansions: [Double(expansion)]),
      ]
    )
    return it
  }

  /// Takes a step; its seconds.
  func step(_ phase: Phase) -> Double { ContinuousClock().measure { take(phase) }.seconds }

  /// The kinds of steps that a search takes: one option leaves nothing to learn but weights.
  var phases: [Phase] { count > 1 ? [.weights, .theta] : [.weights] }

  /// What the engine's buffers have held at most.
  var peakMebibytes: Double { Double(4 * engine.pool.mostFloats) / Double(1 << 20) }
}
