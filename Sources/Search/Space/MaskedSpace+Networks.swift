import Networks
import Runs
import Tensor

/// The networks that architectures stand for.
extension MaskedSpace {
  /// Channels between a block's 1×1 convolutions for `input` channels: the nearest multiple of the
  /// divisor.
  package func middle(_ expansion: Double, input: Int) -> Int {
    divisible(expansion * Double(input), by: divisor)
  }

  /// Channels inside a squeeze-and-excite of `middle` channels: a quarter, made divisible by 8.
  package func squeeze(middle: Int) -> Int { divisible(Double(middle) / 4, by: 8) }

  /// What a block computes with given options.
  package func kind(
    kernel: Int,
    middle: Int,
    squeeze: Bool,
    activation: Activation,
    hasShortcut: Bool = false
  ) -> BlockDescription.Kind {
    .bottleneck(
      BlockDescription.Bottleneck(
        kernels: [kernel],
        middle: middle,
        squeeze: squeeze
          ? BlockDescription.Bottleneck.Squeeze(
            channels: self.squeeze(middle: middle),
            inner: activation
          ) : nil,
        activation: activation,
        hasShortcut: hasShortcut
      )
    )
  }

  /// What the stem computes.
  package static let stemKind = BlockDescription.Kind.convolution(
    kernel: 3,
    padding: nil,
    activation: .relu
  )

  /// What the 1×1 convolution behind the last block computes.
  package static let headKind = BlockDescription.Kind.convolution(
    kernel: 1,
    padding: nil,
    activation: .relu
  )

  /// Channels of each width in an architecture.
  package func channels(_ architecture: Architecture) -> [Int] {
    widths.map { $0.channels[$0.axis.option(architecture)] }
  }

  /// An architecture as a network of its own (spec S26): no mask, and no block that is left out.
  package func network(of architecture: Architecture, name: String) -> NetworkDescription {
    let size = sizes[resolution.option(architecture)]
    let channels = channels(architecture)
    var network = NetworkDescription(
      name: name,
      height: size.height,
      width: size.width,
      channels: self.channels,
      classes: classes
    )
    network.add(Self.stemKind, output: channels[0], stride: stemStride)
    for block in blocks where block.skip.option(architecture) == 0 {
      network.add(
        kind(of: block, architecture, channels),
        output: channels[block.output],
        stride: block.stride,
        name: block.name
      )
    }
    network.add(Self.headKind, output: head)
    return network
  }

  private func kind(
    of block: Block,
    _ architecture: Architecture,
    _ channels: [Int]
  ) -> BlockDescription.Kind {
    kind(
      kernel: block.kernels[block.kernel.option(architecture)],
      middle: middle(
        block.expansions[block.expansion.option(architecture)],
        input: channels[block.input]
      ),
      squeeze: block.squeezes[block.squeeze.option(architecture)],
      activation: block.activations[block.activation.option(architecture)],
      hasShortcut: block.isResidual
    )
  }

  /// The searched blocks, with those that are left out as skips.
  package func parts(of architecture: Architecture) -> [NetworkPart] {
    let channels = channels(architecture)
    var size = sizes[resolution.option(architecture)].behind(stemStride)
    return blocks.map { block in
      defer { size = size.behind(block.stride) }
      let isSkipped = block.skip.option(architecture) == 1
      return NetworkPart(
        name: block.name,
        block: BlockDescription(
          name: isSkipped ? "skip" : name(of: block, architecture, channels),
          kind: isSkipped ? .skip : kind(of: block, architecture, channels),
          input: channels[block.input],
          output: channels[block.output],
          stride: block.stride,
          height: size.height,
          width: size.width
        )
      )
    }
  }

  /// `k5_e3_se_hs_c24`.
  private func name(of block: Block, _ architecture: Architecture, _ channels: [Int]) -> String {
    let expansion = block.expansions[block.expansion.option(architecture)].shortest
    return "k\(block.kernels[block.kernel.option(architecture)])_e\(expansion)"
      + (block.squeezes[block.squeeze.option(architecture)] ? "_se" : "")
      + (block.activations[block.activation.option(architecture)] == .hswish ? "_hs" : "")
      + "_c\(channels[block.output])"
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
