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
  ///   - network: a stem, inverted residuals and plain convolutions, and a 1×1 convolution or a
  ///     pooling tail before the classifier.
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
        remedy: "name a network of a stem, inverted residuals without groups, and a 1x1 "
          + "convolution or pooling tail"
      )
    }
    let inner = blocks.dropFirst().dropLast()
    guard !inner.isEmpty else {
      throw UserError(
        .data,
        place,
        "has no block between stem and head that could be slimmed",
        remedy: "name a network of inverted residuals"
      )
    }
    let middles = inner.compactMap(\.bottleneck).filter(\.expands).map(\.middle)
    let divisor = [8, 4, 2, 1].first { divisor in middles.allSatisfy { $0 % divisor == 0 } } ?? 1
    let (stem, head) = (blocks[0], blocks[blocks.count - 1])
    var masked = Masked(
      stemWidths: Self.widths(stem.output, fractions),
      headWidths: Self.widths(head.output, fractions),
      divisor: divisor,
      stages: inner.map { Masked.Stage(slimming: $0, fractions: fractions) }
    )
    if case .convolution(let kernel, _, let activation) = stem.kind {
      masked.stemKernel = kernel
      masked.stemActivation = .init(activation)
    }
    switch head.kind {
    case .convolution(_, _, let activation): masked.headActivation = .init(activation)
    case .pool(let middle, let bias, let activation):
      masked.headActivation = .init(activation)
      masked.poolWidths = Self.widths(middle, fractions)
      masked.poolBias = bias
    case .bottleneck, .fused, .skip: break
    }
    self.init(
      stem: Stem(width: stem.output, stride: stem.stride),
      head: head.output,
      masked: masked
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
    let widths = block.isResidual ? [] : Configuration.Space.widths(block.output, fractions)
    func convolution(_ kernel: Int, _ padding: Int?, _ activation: Activation) -> Self {
      Self(
        widths: widths,
        stride: block.stride,
        expand: false,
        expansions: [1],
        kernels: [kernel],
        activations: [.init(activation)],
        convolution: true,
        padding: padding
      )
    }
    let middle: BlockDescription.Bottleneck
    switch block.kind {
    case .bottleneck(let own): middle = own
    case .convolution(let kernel, let padding, let activation):
      self = convolution(kernel, padding, activation)
      return
    case .skip:
      self = convolution(1, nil, .relu)
      return
    case .fused, .pool: preconditionFailure("slimming: \(block)")
    }
    let expansion = Double(middle.middle) / Double(block.input)
    self.init(
      widths: widths,
      stride: block.stride,
      expand: middle.expands,
      expansions: middle.expands ? fractions.map { $0 * expansion } : [1],
      kernels: [middle.kernels[0]],
      squeeze: [middle.squeeze == nil ? .none : .se],
      activations: [.init(middle.activation)],
      secondKernel: middle.kernels.dropFirst().first,
      padding: middle.padding,
      zeroGamma: middle.zeroGamma ? true : nil
    )
    guard let squeeze = middle.squeeze else { return }
    // A form without a width has a quarter.
    if squeeze.channels != MaskedBlockForm().squeeze(middle: middle.middle, of: middle.middle) {
      squeezeWidth = squeeze.channels
    }
    if squeeze.inner != middle.activation { squeezeActivation = .init(squeeze.inner) }
  }
}

extension Configuration.Space.Candidate.Activation {
  /// The name of an activation that a network's blocks may have.
  fileprivate init(_ activation: Activation) { self = activation == .hswish ? .hswish : .relu }
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
    case (.stem, .convolution(let kernel, let padding, _)):
      return padding ?? kernel / 2 == kernel / 2 ? nil : "its border is not half its kernel"
    case (.stem, _): return "the network does not begin with a convolution"
    case (.head, .convolution(kernel: 1, let padding, _)) where padding ?? 0 == 0 && stride == 1:
      return nil
    case (.head, .pool): return nil
    case (.head, _):
      return "the network does not end with a 1x1 convolution or a pooling tail"
    case (nil, .bottleneck(let middle)): return obstacle(middle)
    case (nil, .fused): return "a dense convolution stands in the place of its depthwise one"
    case (nil, .convolution), (nil, .skip): return nil
    case (nil, .pool): return "it takes the mean over all pixels"
    }
  }

  private func obstacle(_ middle: Bottleneck) -> String? {
    if middle.groups != 1 || middle.depthwiseGroups != nil {
      return "it has groups, which a mask would cut through"
    }
    if !middle.projects { return "no 1x1 convolution follows its depthwise one" }
    return middle.kernels.count > 2 ? "it has more than two depthwise convolutions" : nil
  }
}
