import Tensor

extension ConvolutionNorm {
  /// The convolution with its batch-norm's running statistics folded in.
  package var folded: FoldedConvolution {
    FoldedConvolution(filter, norm: norm, activation: activation)
  }
}

extension Block {
  /// The block for the inference path, with its shortcut; nil for one that passes its input on, or
  /// that the inference path does not have (see `isInferable`).
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
    case .composed(let block):
      guard case .bottleneck(let middle) = description.kind, let depthwise = block.depthwise.first,
        let norm = depthwise.norm, depthwise.groups == nil, block.squeeze == nil,
        middle.padding == nil, middle.expands || middle.groups == 1, let project = block.project
      else { return nil }
      return .invertedResidual(
        expand: block.expand.map {
          FoldedConvolution(
            $0.filter,
            norm: $0.norm,
            shuffles: middle.groups > 1,
            activation: $0.activation
          )
        },
        depthwise: FoldedConvolution(
          depthwise: depthwise.filter,
          norm: norm,
          activation: depthwise.activation
        ),
        project: project.folded,
        stride: description.stride,
        isResidual: description.isResidual
      )
    case .convolution(let convolution):
      return .convolution(convolution.folded, stride: description.stride)
    case .pool, .identity: return nil
    }
  }

  /// Whether the inference path has the block; where it has not, the operations of training run it.
  func isInferable(_ description: BlockDescription) -> Bool {
    if case .identity = self { return true }
    if case .convolution(let kernel, let padding, _) = description.kind {
      return padding == nil || padding == kernel / 2
    }
    return inferenceLayer(description) != nil
  }
}
