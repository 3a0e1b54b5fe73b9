import Tensor

/// What all options of a masked block have in common, beside the widths.
package struct MaskedBlockForm: Sendable, Equatable {
  /// Whether the block is a plain convolution with the kernel, the border and the activation, and
  /// none of what follows here.
  package var isConvolution: Bool
  /// Whether a 1×1 convolution goes before the depthwise one.
  package var expands: Bool
  /// Side of a second depthwise convolution behind the first; nil for none.
  package var secondKernel: Int?
  /// Zero border of the first depthwise convolution, pixels; nil for half its side.
  package var padding: Int?
  /// Channels inside the squeeze-and-excite of the widest block, of which a narrower one has its
  /// share; nil for a quarter of the middle, made divisible by 8.
  package var squeezeWidth: Int?
  /// Activation inside squeeze-and-excite; nil for the block's own.
  package var squeezeActivation: Activation?
  /// Whether the scale of the last batch-norm begins at 0.
  package var zeroGamma: Bool

  /// Describes a form; FBNetV2's where not told otherwise.
  package init(
    isConvolution: Bool = false,
    expands: Bool = true,
    secondKernel: Int? = nil,
    padding: Int? = nil,
    squeezeWidth: Int? = nil,
    squeezeActivation: Activation? = nil,
    zeroGamma: Bool = false
  ) {
    self.isConvolution = isConvolution
    self.expands = expands
    self.secondKernel = secondKernel
    self.padding = padding
    self.squeezeWidth = squeezeWidth
    self.squeezeActivation = squeezeActivation
    self.zeroGamma = zeroGamma
  }

  /// Channels inside squeeze-and-excite where `middle` channels of `widest` are left.
  package func squeeze(middle: Int, of widest: Int) -> Int {
    guard let most = squeezeWidth else { return divisible(Double(middle) / 4, by: 8) }
    let divisor = [8, 4, 2, 1].first { most % $0 == 0 } ?? 1
    return divisible(Double(most) * (Double(middle) / Double(widest)), by: divisor)
  }

  /// What a block of given options computes, of which the last have `widest` middle channels.
  package func kind(
    kernel: Int,
    middle: Int,
    of widest: Int,
    squeeze: Bool,
    activation: Activation,
    hasShortcut: Bool
  ) -> BlockDescription.Kind {
    if isConvolution {
      return .convolution(kernel: kernel, padding: padding, activation: activation)
    }
    return .bottleneck(
      BlockDescription.Bottleneck(
        kernels: [kernel] + (secondKernel.map { [$0] } ?? []),
        middle: middle,
        expands: expands,
        squeeze: squeeze
          ? .init(
            channels: self.squeeze(middle: middle, of: widest),
            inner: squeezeActivation ?? activation
          ) : nil,
        activation: activation,
        padding: padding,
        zeroGamma: zeroGamma,
        hasShortcut: hasShortcut
      )
    )
  }
}
