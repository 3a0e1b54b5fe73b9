import Networks
import Runs
import Tensor

extension Configuration.Space {
  /// The space of a network's own widths: every width and every expansion may be a fraction of what
  /// it is, and widths that shortcuts join are one choice (spec S20, S21).
  ///
  /// The last options are the network itself. What is left out is nothing: an identity goes, as it
  /// computes nothing.
  ///
  /// - Parameters:
  ///   - network: a stem, inverted residuals, and a 1×1 convolution before the classifier.
  ///   - fractions: of a width, ascending, the last one 1.
  ///   - place: what errors name.
  /// - Throws: `.data` naming the first block that masks cannot slim, and why.
  package init(
    slimming network: NetworkDescription,
    fractions: [Double],
    place: String
  ) throws {
    let blocks = network.blocks.filter { !$0.isIdentity }
    for (index, block) in network.blocks.enumerated() where !block.isIdentity {
      let end: BlockEnd? =
        index == 0 ? .stem : index == network.blocks.count - 1 ? .head : nil
      guard let reason = block.obstacle(at: end) else { continue }
      throw UserError(
        .data,
        "\(place): block \(index)\(block.name.isEmpty ? "" : " (\(block.name))")",
        "cannot be slimmed by masks: \(reason)",
        remedy: "name a network of inverted residuals without groups, stem and head with ReLU"
      )
    }
    let middles = blocks.compactMap(\.bottleneck).filter(\.expands).map(\.middle)
    let divisor = [8, 4, 2, 1].first { divisor in middles.allSatisfy { $0 % divisor == 0 } } ?? 1
    let inner = blocks.dropFirst().dropLast()
    self.init(
      stem: Stem(width: blocks[0].output, stride: blocks[0].stride),
      head: blocks[blocks.count - 1].output,
      masked: Masked(
        stemWidths: Self.widths(blocks[0].output, fractions),
        divisor: divisor,
        stages: inner.map { Masked.Stage(slimming: $0, fractions: fractions) }
      )
    )
  }

  /// Fractions of a width as whole multiples of 2 or, of wide layers, 4 or 8, where the width is
  /// one: fine enough to tell eighths of most widths apart.
  fileprivate static func widths(_ width: Int, _ fractions: [Double]) -> [Int] {
    let coarse = width < 64 ? 2 : width < 128 ? 4 : 8
    let divisor = [coarse, 4, 2, 1].first { width % $0 == 0 } ?? 1
    let all = fractions.map { divisible($0 * Double(width), by: divisor) } + [width]
    return Set(all).filter { $0 <= width }.sorted()
  }
}

extension Configuration.Space.Masked.Stage {
  /// One block as a stage of its own.
  fileprivate init(slimming block: BlockDescription, fractions: [Double]) {
    guard let middle = block.bottleneck else { preconditionFailure("slimming: \(block)") }
    let expansion = Double(middle.middle) / Double(block.input)
    self.init(
      widths: block.isResidual ? [] : Configuration.Space.widths(block.output, fractions),
      stride: block.stride,
      expand: middle.expands,
      expansions: middle.expands ? fractions.map { $0 * expansion } : [1],
      kernels: middle.kernels,
      squeeze: [middle.squeeze == nil ? .none : .se],
      activations: [middle.activation == .hswish ? .hswish : .relu]
    )
  }
}

/// A block outside the searched ones.
private enum BlockEnd { case stem, head }

extension BlockDescription {
  /// The middle of an inverted residual; nil of other blocks.
  fileprivate var bottleneck: Bottleneck? {
    if case .bottleneck(let middle) = kind { middle } else { nil }
  }

  /// Why a space of masked blocks cannot hold the block; nil where it can.
  fileprivate func obstacle(at end: BlockEnd?) -> String? {
    switch (end, kind) {
    case (.stem, .convolution(kernel: 3, let padding, .relu)) where padding ?? 1 == 1: return nil
    case (.stem, _): return "the stem is no 3x3 convolution with ReLU"
    case (.head, .convolution(kernel: 1, let padding, .relu))
    where padding ?? 0 == 0 && stride == 1:
      return nil
    case (.head, _): return "the head is no 1x1 convolution with ReLU"
    case (nil, .bottleneck(let middle)): return obstacle(middle)
    case (nil, _): return "it is no inverted residual"
    }
  }

  private func obstacle(_ middle: Bottleneck) -> String? {
    if middle.groups != 1 || middle.depthwiseGroups != nil { return "it has groups" }
    if middle.kernels.count != 1 { return "it has several depthwise convolutions" }
    if middle.padding.map({ $0 != middle.kernels[0] / 2 }) ?? false {
      return "its border is not half its kernel"
    }
    if ![.relu, .hswish].contains(middle.activation) {
      return "its activation is not ReLU or hswish"
    }
    if let squeeze = middle.squeeze,
      squeeze.channels != divisible(Double(middle.middle) / 4, by: 8)
        || squeeze.inner != middle.activation
    {
      return "its squeeze-and-excite is not a quarter of its middle"
    }
    return nil
  }
}
