import Tensor

/// An inverted residual with choices of width, kernel, activation, squeeze-and-excite and skip,
/// whose options share the weights of the widest.
///
/// Every list holds the options of a choice, in the order of its weights; a list of one is no
/// choice. Source: FBNetV2 (arXiv 2004.05565) section 3; spec S20 to S22.
package struct MaskedBlockDescription: Sendable, Equatable {
  /// An option of each choice, by its place in the list.
  package struct Options: Sendable, Equatable {
    /// Of `outputs`.
    package var output: Int
    /// Of `middles`.
    package var middle: Int
    /// Of `kernels`.
    package var kernel: Int
    /// Of `activations`.
    package var activation: Int
    /// Of `squeezes`.
    package var squeeze: Int
    /// Whether the input passes as it is.
    package var skips: Bool

    /// Chooses; the first options where not told otherwise.
    package init(
      output: Int = 0,
      middle: Int = 0,
      kernel: Int = 0,
      activation: Int = 0,
      squeeze: Int = 0,
      skips: Bool = false
    ) {
      self.output = output
      self.middle = middle
      self.kernel = kernel
      self.activation = activation
      self.squeeze = squeeze
      self.skips = skips
    }
  }

  /// Channels in, of the widest option of what comes before.
  package var input: Int
  /// Widths out, ascending.
  package var outputs: [Int]
  /// Widths between the two 1×1 convolutions, ascending.
  package var middles: [Int]
  /// Sides of the depthwise convolution, odd and ascending.
  package var kernels: [Int]
  /// After the expansion, the depthwise convolution and the squeeze.
  package var activations: [Activation]
  /// Whether squeeze-and-excite stands behind the depthwise convolution.
  package var squeezes: [Bool]
  /// Whether the input is added to the output, which must then share its choice of width.
  package var hasShortcut: Bool
  /// Whether the block may be left out; only with a shortcut.
  package var canSkip: Bool
  /// What the options have in common; where nothing expands, `middles` are the widths of the input,
  /// and the choice of the middle is that of the input.
  package var form: MaskedBlockForm
  /// Step of the depthwise convolution.
  package var stride: Int
  /// Input height, pixels.
  package var height: Int
  /// Input width, pixels.
  package var width: Int

  /// Describes a block.
  package init(
    input: Int,
    outputs: [Int],
    middles: [Int],
    kernels: [Int] = [3],
    activations: [Activation] = [.relu],
    squeezes: [Bool] = [false],
    hasShortcut: Bool = false,
    canSkip: Bool = false,
    form: MaskedBlockForm = .init(),
    stride: Int = 1,
    height: Int,
    width: Int
  ) {
    precondition(
      [outputs.count, middles.count, kernels.count, activations.count, squeezes.count]
        .allSatisfy { $0 > 0 },
      "MaskedBlockDescription: a choice without options"
    )
    precondition(
      (!hasShortcut || stride == 1 && input == outputs.last) && (!canSkip || hasShortcut),
      "MaskedBlockDescription: a shortcut from \(input) to \(outputs) channels, stride \(stride)"
    )
    precondition(
      form.expands || middles.last == input,
      "MaskedBlockDescription: \(input) channels as a middle of \(middles)"
    )
    self.input = input
    self.outputs = outputs
    self.middles = middles
    self.kernels = kernels
    self.activations = activations
    self.squeezes = squeezes
    self.hasShortcut = hasShortcut
    self.canSkip = canSkip
    self.form = form
    self.stride = stride
    self.height = height
    self.width = width
  }

  /// The widths of the squeeze, one for each of `middles`.
  package var squeezeWidths: [Int] { middles.map { form.squeeze(middle: $0, of: widestMiddle) } }

  private var widestMiddle: Int { middles[middles.count - 1] }

  /// The block of the last options, whose weights all share; linear where the activation is chosen.
  package var widest: BlockDescription {
    block(
      Options(
        output: outputs.count - 1,
        middle: middles.count - 1,
        kernel: kernels.count - 1,
        squeeze: squeezes.firstIndex(of: true) ?? 0
      ),
      input: input,
      activation: activations.count == 1 ? activations[0] : .none
    )
  }

  /// The ordinary block of these options behind an input of `input` channels, as a network derived
  /// from the search has it.
  package func derived(_ options: Options, input: Int) -> BlockDescription {
    precondition(
      !options.skips || canSkip && input == outputs[options.output],
      "MaskedBlockDescription: a skip from \(input) to \(outputs[options.output]) channels"
    )
    return block(options, input: input, activation: activations[options.activation])
  }

  private func block(
    _ options: Options,
    input: Int,
    activation: Activation
  ) -> BlockDescription {
    let (kernel, middle) = (kernels[options.kernel], middles[options.middle])
    let squeezes = squeezes[options.squeeze]
    let kind = form.kind(
      kernel: kernel,
      middle: middle,
      of: widestMiddle,
      squeeze: squeezes,
      activation: activation,
      hasShortcut: hasShortcut
    )
    let name =
      "k\(kernel)_m\(middle)" + (squeezes ? "_se" : "") + (activation == .hswish ? "_hs" : "")
    return BlockDescription(
      name: options.skips ? "skip" : name,
      kind: options.skips ? .skip : kind,
      input: input,
      output: outputs[options.output],
      stride: stride,
      height: height,
      width: width
    )
  }
}
