import Networks
import Runs
import Tensor

extension MaskedSpace {
  /// Channels between a block's 1×1 convolutions for `input` channels and option `expansion`: the
  /// nearest multiple of the divisor; `input` where nothing expands.
  package func middle(of block: Block, _ expansion: Int, input: Int) -> Int {
    block.form.expands
      ? divisible(block.expansions[expansion] * Double(input), by: divisor) : input
  }

  /// The greatest middle of a block.
  func widestMiddle(of block: Block) -> Int {
    let inputs = widths[block.input].channels
    return middle(of: block, block.expansions.count - 1, input: inputs[inputs.count - 1])
  }

  /// What a block computes with given options.
  package func kind(
    of block: Block,
    kernel: Int,
    middle: Int,
    squeeze: Bool,
    activation: Activation,
    hasShortcut: Bool = true
  ) -> BlockDescription.Kind {
    block.form.kind(
      kernel: kernel,
      middle: middle,
      of: widestMiddle(of: block),
      squeeze: squeeze,
      activation: activation,
      hasShortcut: hasShortcut
    )
  }

  /// What the stem computes.
  var stemKind: BlockDescription.Kind {
    .convolution(kernel: stemKernel, padding: nil, activation: stemActivation)
  }

  /// Channels of each width in an architecture.
  package func channels(_ architecture: Architecture) -> [Int] {
    widths.map { $0.channels[$0.axis.option(architecture)] }
  }

  /// An architecture as a network of its own (spec S26): no mask, and no block that is left out.
  package func network(of architecture: Architecture, name: String) -> NetworkDescription {
    let size = sizes[resolution.option(architecture)]
    var network = NetworkDescription(
      name: name,
      height: size.height,
      width: size.width,
      channels: channels,
      classes: classes
    )
    network.add(stemKind, output: channels(architecture)[0], stride: stemStride)
    for (index, block) in blocks.enumerated() where block.skip.option(architecture) == 0 {
      let description = description(place(of: index, in: architecture))
      network.add(
        description.kind,
        output: description.output,
        stride: block.stride,
        name: description.name
      )
    }
    let last = endBlock(of: architecture)
    network.add(last.kind, output: last.output)
    return network
  }

  /// The last 1×1 convolution, or the pooling tail, where one of its widths is a choice.
  package func end(of architecture: Architecture) -> NetworkPart? {
    guard widths[(lastWidth + 1)...].contains(where: { $0.axis.choice != nil }) else { return nil }
    var block = endBlock(of: architecture)
    let channels = channels(architecture)[(lastWidth + 1)...]
    block.name = channels.map { "c\($0)" }.joined(separator: "_")
    return NetworkPart(name: "head", block: block)
  }

  private func endBlock(of architecture: Architecture) -> BlockDescription {
    endBlock(
      size: resolution.option(architecture),
      widths[lastWidth...].map { $0.axis.option(architecture) }
    )
  }

  /// The searched blocks, with those that are left out as skips.
  package func parts(of architecture: Architecture) -> [NetworkPart] {
    blocks.enumerated().map { index, block in
      var description = candidate(place(of: index, in: architecture))
      if block.skip.option(architecture) == 1 {
        (description.name, description.kind) = ("skip", .skip)
      }
      return NetworkPart(name: block.name, block: description)
    }
  }

  /// Widths by a factor in steps of a hundredth, each the nearest option; the expansions at their
  /// greatest, and everything else as it is in `architecture`.
  package func uniform(
    like architecture: Architecture,
    fits: (Architecture) -> Bool
  ) -> (scale: Double, architecture: Architecture)? {
    guard widths.contains(where: { $0.axis.choice != nil }) else { return nil }
    var widest = architecture
    for block in blocks {
      if let choice = block.expansion.choice { widest[choice] = block.expansion.count - 1 }
    }
    return scaled(widest, widthSizes, fits: fits)
  }

  /// Widths and expansions alike by a factor in steps of a hundredth, each the nearest option.
  package func even(
    like architecture: Architecture,
    fits: (Architecture) -> Bool
  ) -> Architecture? {
    let expansions = blocks.compactMap { block in
      block.expansion.choice.map { (choice: $0, sizes: block.expansions) }
    }
    guard !expansions.isEmpty else { return nil }
    return scaled(architecture, widthSizes + expansions, fits: fits)?.architecture
  }

  /// The searched widths with the sizes of their options, ascending.
  private var widthSizes: [(choice: Int, sizes: [Double])] {
    widths.compactMap { width in
      width.axis.choice.map { (choice: $0, sizes: width.channels.map(Double.init)) }
    }
  }

  /// `architecture` with the sizes of `axes` by the largest factor that fits.
  ///
  /// Options may be far apart, so a factor may leave much of what fits. Then single axes take one
  /// option more, from the last on, as long as that fits: a rival should have its whole budget.
  private func scaled(
    _ architecture: Architecture,
    _ axes: [(choice: Int, sizes: [Double])],
    fits: (Architecture) -> Bool
  ) -> (scale: Double, architecture: Architecture)? {
    for hundredths in (1...100).reversed() {
      let scale = Double(hundredths) / 100
      var scaled = architecture
      for (choice, sizes) in axes {
        func distance(_ option: Int) -> Double { abs(sizes[option] - scale * (sizes.last ?? 0)) }
        scaled[choice] = sizes.indices.min { distance($0) < distance($1) } ?? 0
      }
      guard fits(scaled) else { continue }
      for (choice, sizes) in axes.reversed() where scaled[choice] + 1 < sizes.count {
        var larger = scaled
        larger[choice] += 1
        if fits(larger) { scaled = larger }
      }
      return (scale, scaled)
    }
    return nil
  }

  /// The widest network runs: masks cost no pass.
  package var supernetFlops: Double {
    let largest = Architecture(
      choices.map { $0.kind.isOrdered ? $0.options.count - 1 : 0 }
    )
    return flops(
      blocks.reduce(into: largest) { widest, block in
        for (axis, option) in [
          (block.kernel, block.kernels.count - 1),
          (block.squeeze, block.squeezes.firstIndex(of: true) ?? 0),
        ] {
          if let choice = axis.choice { widest[choice] = option }
        }
      }
    )
  }

  /// The same network with the choices that do not matter to it at their first option: those of
  /// blocks that are left out.
  package func canonical(_ architecture: Architecture) -> Architecture {
    var canonical = architecture
    for block in blocks where block.skip.option(architecture) == 1 {
      for axis in [block.expansion, block.kernel, block.squeeze, block.activation] {
        if let choice = axis.choice { canonical[choice] = 0 }
      }
    }
    return canonical
  }
}

extension Double {
  /// `3` for 3.0, `0.75` as it is, three decimals at most.
  var shortest: String {
    let thousandths = (self * 1000).rounded() / 1000
    return thousandths == rounded() ? "\(Int(thousandths))" : "\(thousandths)"
  }
}
