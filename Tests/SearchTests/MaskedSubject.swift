import Networks
import Runs
import Tensor

@testable import Search

/// A masked supernet with random weights on a batch of random images, small enough to be compared
/// with its networks one by one.
struct MaskedSubject {
  typealias Masked = Configuration.Space.Masked

  /// Every kind of choice; widths that stages share by chance, maps that no step divides.
  static let masked = Masked(
    stemWidths: [8, 12],
    headWidths: [16, 24],
    resolutions: [7, 11, 16],
    divisor: 4,
    stages: [
      .init(
        widths: [8, 12],
        depth: 2,
        expansions: [0.75, 2],
        kernels: [3, 5],
        squeeze: [.none, .se],
        activations: [.relu, .hswish],
        skip: true
      ),
      .init(
        widths: [8, 12, 20],
        depth: 3,
        stride: 2,
        expansions: [0.75, 1.5, 3],
        kernels: [3, 5],
        squeeze: [.none, .se],
        activations: [.relu, .hswish],
        skip: true
      ),
      .init(widths: [12, 20], depth: 1, expansions: [2]),
    ]
  )

  let engine: Engine
  let space: MaskedSpace
  let network: MaskedNetwork
  let labels: [Int32]
  private let pixels: [Float]

  /// With `pools` the stem has hswish, and the mean over all pixels lies between two convolutions.
  init(
    seed: UInt64,
    pools: Bool = false,
    images: Int = 4,
    threads: Int = 1,
    instructionSet: InstructionSet = .chosen
  ) {
    let (side, classes) = (16, 5)
    engine = Engine(instructionSet: instructionSet, threads: threads)
    var masked = Self.masked
    if pools {
      (masked.stemActivation, masked.headActivation) = (.hswish, .hswish)
      (masked.poolWidths, masked.poolBias) = ([12, 20], true)
    }
    space = MaskedSpace(
      Configuration.Space(stem: .init(width: 12, stride: 1), head: 24, masked: masked),
      masked,
      classes: classes,
      channels: 3,
      height: side,
      width: side
    )
    var initialiser = Initialiser(seed: seed)
    network = MaskedNetwork(space, engine: engine, initialiser: &initialiser)
    var random = Philox(seed: seed, purpose: .test)
    pixels = (0..<images * side * side * 3).map { _ in random.normal() }
    labels = (0..<images).map { _ in Int32(random.below(classes)) }
    for entry in entries { entry.write(Self.values(entry, &random)) }
  }

  /// All that the scores depend on.
  var entries: [StateEntry] { network.parameters.map(\.entry) + network.norms.flatMap(\.entries) }

  /// Values as the array of that name may have: weights of the size of the first ones, shifts that
  /// show.
  static func values(_ entry: StateEntry, _ random: inout Philox) -> [Float] {
    let fan = Float(max(1, entry.shape.dropLast().reduce(1, *)))
    return (0..<entry.shape.reduce(1, *)).map { _ in
      if entry.name.hasSuffix("gamma") || entry.name.hasSuffix("variance") {
        random.uniform() + 0.5
      } else if entry.name.hasSuffix("weight") {
        random.normal() * (2 / fan).squareRoot()
      } else {
        random.normal() * 0.3
      }
    }
  }

  /// A network, every option of a choice as likely.
  func architecture(_ random: inout Philox) -> Architecture {
    Architecture(space.optionCounts.map { random.below($0) })
  }

  /// [N, H, W, C].
  func image() -> Tensor {
    let size = space.sizes[space.sizes.count - 1]
    return engine.tensor(pixels, shape: [labels.count, size.height, size.width, space.channels])
  }

  /// Batch-norm's statistics of one network, as a search computes them before it evaluates one.
  func recalibrate(_ architecture: Architecture) {
    for norm in network.norms { norm.resetStatistics() }
    engine.mode = .recalibration
    _ = network.scores(image(), of: architecture)
    engine.mode = .inference
  }

  /// The scores of the derived network, on images of its own size.
  func derivedScores(_ architecture: Architecture) -> [Float] {
    let size = space.sizes[space.resolution.option(architecture)]
    let small = engine.subsample(image(), to: MapSize(height: size.height, width: size.width))
    return network.derived(architecture)(small).values
  }

  /// A choice of each kind, by the end of its name; those of the second stage where there are
  /// several.
  static let kinds = [
    "network.resolution", "stem.width", "stage2.width", "stage2.block2.expansion",
    "stage2.block2.kernel", "stage2.block2.squeeze", "stage2.block2.activation",
    "stage2.block2.skip", "head.width", "pool.width",
  ]
}
