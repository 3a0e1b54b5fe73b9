import Tensor

extension ConvolutionNorm {
  /// The convolution with its batch-norm's running statistics folded in.
  package var folded: FoldedConvolution {
    FoldedConvolution(filter, norm: norm, activation: activation)
  }
}

extension Block {
  /// The block for the inference path, with its shortcut; nil for one that passes its input on.
  ///
  /// `description` is the one that the block was built from.
  package func inferenceLayer(_ description: BlockDescription) -> InferenceLayer? {
    switch self {
    case .invertedResidual(let block):
      let weights = block.weights
      return .invertedResidual(
        expand: FoldedConvolution(
          weights.expand,
          norm: weights.expandNorm,
          shuffles: weights.groups > 1,
          activation: weights.activation
        ),
        depthwise: FoldedConvolution(
          depthwise: weights.depthwise,
          norm: weights.depthwiseNorm,
          activation: weights.activation
        ),
        project: FoldedConvolution(
          weights.project,
          norm: weights.projectNorm,
          activation: .none
        ),
        stride: description.stride,
        isResidual: description.isResidual
      )
    case .depthwiseSeparable(let block):
      return .invertedResidual(
        expand: nil,
        depthwise: FoldedConvolution(
          depthwise: block.depthwise,
          norm: block.depthwiseNorm,
          activation: block.activation
        ),
        project: block.project.folded,
        stride: description.stride,
        isResidual: description.isResidual
      )
    case .projection(let convolution):
      return .convolution(convolution.folded, stride: description.stride)
    case .identity: return nil
    }
  }
}
