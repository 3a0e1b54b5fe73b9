import Tensor

/// A block with choices, built once at its widest: the options are masks of its weights, so a pass
/// costs the same however many there are.
///
/// expand 1×1 → batch-norm → activation → depthwise under the mask of the kernel → batch-norm →
/// activation → mask of the middle, with the gate of squeeze-and-excite where there is one →
/// project 1×1 → batch-norm → mask of the output → shortcut or skip.
///
/// The middle is masked behind the depthwise convolution only. No channel of a depthwise
/// convolution sees another, so a mask before it would change nothing for one-hot weights; for
/// others the batch-norm behind would divide it out again, and make noise of a channel of zeros.
///
/// With one-hot weights the block computes what `MaskedBlockDescription.derived` does with the
/// weights of `StateDictionary.sliced`. Source: spec S20 to S22, S26.
package struct MaskedBlock {
  /// How a choice mixes its options.
  package struct Mixture {
    /// [k], or [N, k] with a draw for each image (but for the kernel), on the tape.
    package var weights: Tensor
    /// Values that replace the weights' forward, as many; nil for a soft mixture (spec S5).
    package var forward: [Float]?

    /// Makes a mixture.
    package init(weights: Tensor, forward: [Float]? = nil) {
      self.weights = weights
      self.forward = forward
    }
  }

  /// The mixtures of a pass; nil where there is no choice.
  package struct Mixtures {
    /// Of `outputs`; blocks that shortcuts join share one.
    package var output: Mixture?
    /// Of `middles`.
    package var middle: Mixture?
    /// Of `kernels`.
    package var kernel: Mixture?
    /// Of `activations`.
    package var activation: Mixture?
    /// Of `squeezes`.
    package var squeeze: Mixture?
    /// Of the block, then the skip.
    package var skip: Mixture?

    /// Gathers them.
    package init(
      output: Mixture? = nil,
      middle: Mixture? = nil,
      kernel: Mixture? = nil,
      activation: Mixture? = nil,
      squeeze: Mixture? = nil,
      skip: Mixture? = nil
    ) {
      self.output = output
      self.middle = middle
      self.kernel = kernel
      self.activation = activation
      self.squeeze = squeeze
      self.skip = skip
    }
  }

  /// What it is.
  package let description: MaskedBlockDescription
  private let widest: ComposedBlock
  private let engine: Engine

  /// Builds the widest block, whose arrays are called as those of a `Block` of this name.
  package init(
    _ description: MaskedBlockDescription,
    name: String,
    engine: Engine,
    initialiser: inout Initialiser
  ) {
    self.description = description
    self.engine = engine
    let block = description.widest
    switch block.kind {
    case .bottleneck(let middle):
      widest = ComposedBlock(
        block,
        middle,
        name: name,
        engine: engine,
        initialiser: &initialiser
      )
    case .convolution(let kernel, let padding, let activation):
      widest = ComposedBlock(
        ConvolutionNorm(
          name: name,
          input: block.input,
          output: block.output,
          geometry: .init(
            kernel: kernel,
            stride: block.stride,
            padding: padding ?? kernel / 2
          ),
          activation: activation,
          engine: engine,
          initialiser: &initialiser
        ),
        engine: engine
      )
    case .fused, .pool, .skip: preconditionFailure("MaskedBlock: \(block.kind)")
    }
  }

  /// The block's output with its shortcut, plain: [N, H, W, C] → [N, H', W', D].
  package func callAsFunction(_ x: Tensor, _ mixtures: Mixtures) -> Tensor {
    finish(residual(x, mixtures), x, skip: mixtures.skip)
  }

  /// The block's output but for its shortcut and for what is deferred.
  ///
  /// - Parameters:
  ///   - x: [N, H, W, C], masked by what made it; plain where the block has a shortcut.
  ///   - size: of the grid of x's pixels that the block reads; nil for all of them.
  ///   - expanded: what `expanded` makes of `x`, where it is made once for several sizes.
  ///   - mixtures: one for each list of options longer than one, and for the skip.
  /// - Returns: [N, H', W', D].
  package func residual(
    _ x: Tensor,
    at size: MapSize? = nil,
    expanded: Tensor? = nil,
    _ mixtures: Mixtures
  ) -> Tensor {
    guard let project = widest.project else {
      preconditionFailure("MaskedBlock: no inverted residual")
    }
    check(mixtures)
    var y: Tensor
    if let expanded, let size, let expand = widest.expand {
      y = activated(expand(raw: expanded, at: size), mixtures)
    } else {
      let read = reading(x, at: size)
      y = widest.expand.map { activated($0(read), mixtures) } ?? read
    }
    for (index, depthwise) in widest.depthwise.enumerated() {
      y = engine.depthwiseConvolution(
        y,
        filter: depthwise.filter,
        stride: depthwise.stride,
        padding: depthwise.padding,
        // The choice is that of the first one's kernel.
        taps: (index == 0 ? mixtures.kernel : nil).map {
          engine.tapMask($0.weights, sides: description.kernels, forward: $0.forward)
        },
        norm: depthwise.norm,
        activation: depthwise.activation
      )
    }
    y = activated(y, mixtures)
    // What a plain convolution reads is masked already.
    let mask = (description.form.isConvolution ? nil : mixtures.middle).map {
      engine.channelMask($0.weights, widths: description.middles, forward: $0.forward)
    }
    if let squeeze = widest.squeeze {
      y = engine.scaleChannels(y, by: gate(of: y, squeeze, mask: mask, mixtures))
    } else {
      y = masked(y, by: mask)
    }
    let output = mixtures.output.map {
      engine.channelMask($0.weights, widths: description.outputs, forward: $0.forward)
    }
    return masked(project(y), by: output)
  }

  /// `residual` with the block's shortcut from `x`, or with what is deferred on it: plain.
  package func finish(
    _ residual: Tensor,
    _ x: Tensor,
    at size: MapSize? = nil,
    skip: Mixture?
  ) -> Tensor {
    guard description.hasShortcut else {
      return residual.normalisation == nil ? residual : engine.materialise(residual)
    }
    let read = reading(x, at: size)
    guard let skip else {
      return engine.weightedSum(
        [(tensor: residual, isResidual: true)],
        shortcut: read,
        weights: engine.tensor([1], shape: [1])
      )
    }
    return engine.weightedSum(
      [(tensor: residual, isResidual: true), (tensor: read, isResidual: false)],
      shortcut: read,
      weights: skip.weights,
      forward: skip.forward
    )
  }

  /// Makes the raw output of the 1×1 convolution at the block's begin, which serves all sizes of
  /// `x`; nil where there is none.
  package func expanded(_ x: Tensor) -> (() -> Tensor)? {
    widest.expand.map { expand in { expand.raw(x) } }
  }

  /// Weights and batch-norm parameters, in a fixed order.
  package var parameters: [Parameter] { widest.parameters }

  /// Its batch-norms.
  package var norms: [BatchNorm] { widest.norms }

  /// What a state of the block holds.
  package var entries: [StateEntry] { parameters.map(\.entry) + norms.flatMap(\.entries) }

  // MARK: Parts

  private func reading(_ x: Tensor, at size: MapSize?) -> Tensor {
    size.map { engine.reading(x, at: $0) } ?? x
  }

  private func check(_ mixtures: Mixtures) {
    for (name, mixture, options) in [
      ("output", mixtures.output, description.outputs.count),
      ("middle", mixtures.middle, description.middles.count),
      ("kernel", mixtures.kernel, description.kernels.count),
      ("activation", mixtures.activation, description.activations.count),
      ("squeeze", mixtures.squeeze, description.squeezes.count),
      ("skip", mixtures.skip, description.canSkip ? 2 : 1),
    ] {
      precondition(
        mixture == nil ? options == 1 : mixture?.weights.channels == options,
        "MaskedBlock: \(mixture?.weights.shape ?? []) weights of \(options) options of \(name)"
      )
    }
  }

  private func masked(_ x: Tensor, by mask: Tensor?) -> Tensor {
    mask.map { engine.mask(x, by: $0) } ?? x
  }

  /// `x` with the chosen activation; a lone one is deferred on it already.
  private func activated(_ x: Tensor, _ mixtures: Mixtures) -> Tensor {
    guard let mixture = mixtures.activation else { return x }
    return engine.mixActivations(
      x,
      description.activations,
      weights: mixture.weights,
      forward: mixture.forward
    )
  }

  /// M ∘ (g·gate + g′): the gate of squeeze-and-excite, chosen by g, or 1, chosen by g′.
  ///
  /// The mask of the middle holds for both; the squeeze is as wide as the middle's option asks.
  private func gate(
    of x: Tensor,
    _ squeeze: ComposedBlock.Squeeze,
    mask: Tensor?,
    _ mixtures: Mixtures
  ) -> Tensor {
    let squeezeMask = mixtures.middle.map {
      engine.channelMask($0.weights, widths: description.squeezeWidths, forward: $0.forward)
    }
    // The mean of a masked map is the masked mean.
    let pooled = masked(engine.averagePool(x), by: mask)
    var inner = engine.convolution(pooled, filter: squeeze.reduce, bias: squeeze.reduceBias)
    inner =
      mixtures.activation == nil || description.form.squeezeActivation != nil
      ? engine.activate(inner, squeeze.inner) : activated(inner, mixtures)
    let excited = engine.convolution(
      masked(inner, by: squeezeMask),
      filter: squeeze.restore,
      bias: squeeze.restoreBias
    )
    var gate = engine.hsigmoid(excited)
    if let mixture = mixtures.squeeze {
      let one = engine.tensor([Float](repeating: 1, count: gate.count), shape: gate.shape)
      gate = engine.weightedSum(
        description.squeezes.map { (tensor: $0 ? gate : one, isResidual: false) },
        shortcut: nil,
        weights: mixture.weights,
        forward: mixture.forward
      )
    }
    return masked(gate, by: mask)
  }
}
