import Foundation
import Networks
import Runs
import Tensor

@testable import Search

/// Small spaces of widths, and tables of made-up times for them.
enum WidthLatencyFixture {
  typealias Masked = Configuration.Space.Masked

  static func space(_ masked: Masked, stem: Int = 8, head: Int = 16, side: Int = 8) -> MaskedSpace {
    MaskedSpace(
      Configuration.Space(stem: .init(width: stem, stride: 1), head: head, masked: masked),
      masked,
      classes: 10,
      channels: 1,
      height: side,
      width: side
    )
  }

  /// Every kind of choice; 4,608 networks.
  static let small = space(
    Masked(
      stemWidths: [4, 8],
      resolutions: [4, 8],
      divisor: 4,
      stages: [
        .init(widths: [4, 8, 12], expansions: [1, 2], kernels: [3, 5]),
        .init(
          widths: [8, 16],
          depth: 2,
          stride: 2,
          expansions: [1, 3],
          squeeze: [.none, .se],
          activations: [.relu, .hswish],
          skip: true
        ),
      ]
    )
  )

  /// Two widths behind the blocks, with the mean over all pixels between them; 432 networks.
  static let pooled = space(
    Masked(
      headWidths: [8, 12, 16],
      poolWidths: [8, 12],
      resolutions: [4, 8],
      divisor: 4,
      stages: [
        .init(widths: [4, 8, 12], expansions: [1, 2]),
        .init(widths: [8, 12, 16], stride: 2, expansions: [1, 3]),
      ]
    )
  )

  /// One width behind the blocks; 144 networks.
  static let headed = space(
    Masked(
      headWidths: [4, 8, 12, 16],
      divisor: 4,
      stages: [
        .init(widths: [4, 8, 12], expansions: [1, 2]),
        .init(widths: [8, 12, 16], stride: 2, expansions: [1, 3]),
      ]
    )
  )

  /// The space of a preset.
  static func preset(_ name: String) throws -> MaskedSpace {
    let settings = try Configuration.preset(name)
    let side = settings.data.resolution
    guard
      let space = settings.space.laidOut(
        classes: 10,
        channels: name == "fbnet-v2-digits" ? 1 : 3,
        height: side,
        width: side
      ) as? MaskedSpace
    else { throw UserError(.configuration, name, "no masks", remedy: "take another") }
    return space
  }

  /// What a block takes, milliseconds: it rises with every width and with the area, and what
  /// kernel, squeeze-and-excite and activation add depends on the middle alone.
  static func milliseconds(_ block: BlockDescription) -> Double {
    let pixels = Double(block.height * block.width)
    if case .pool(let middle, _, _) = block.kind {
      return (1 + pixels * Double(block.input * middle) + Double(middle * block.output)) / 1000
    }
    guard case .bottleneck(let inner) = block.kind else {
      return (1 + pixels * Double(block.input * block.output)) / 1000
    }
    let middle = Double(inner.middle)
    let channels = Double(block.input + block.output)
    return (5 + pixels * middle * (channels + 9) + extra(block.height * block.width, inner)) / 1000
  }

  private static func extra(_ pixels: Int, _ inner: BlockDescription.Bottleneck) -> Double {
    let middle = Double(inner.middle)
    var extra = inner.kernels[0] > 3 ? 16 * middle * Double(pixels) : 0
    if inner.squeeze != nil { extra += 40 * middle }
    if inner.activation == .hswish { extra += middle * Double(pixels) }
    return extra
  }

  /// A whole table of `times`, in thousandths of a millisecond at best.
  static func table(
    _ space: MaskedSpace,
    times: (BlockDescription) -> Double = milliseconds
  ) -> LatencyTable {
    var table = LatencyTable(
      device: "test",
      threads: 1,
      isa: "avx2",
      date: Date(timeIntervalSince1970: 0)
    )
    table.entries =
      space.latencyEnds.map {
        .init($0.block, candidate: $0.candidate, milliseconds: times($0.block))
      }
      + space.latencyCells.map { .init($0, milliseconds: times($0)) }
    return table
  }

  /// Times of that kind with noise of this share, the same for the same block.
  static func noisy(_ share: Double) -> (BlockDescription) -> Double {
    { block in
      let text = "\(block.latencyCell)"
      let seed = text.utf8.reduce(UInt64(7)) { $0 &* 31 &+ UInt64($1) }
      var random = Philox(seed: seed, purpose: .test)
      return milliseconds(block) * (1 + share * Double(random.uniform() - 0.5))
    }
  }
}
