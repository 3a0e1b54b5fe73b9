import Tensor

extension ConvolutionNorm {
  /// The convolution with its batch-norm's running statistics folded in, and `shuffle` groups of
  /// channels shuffled behind it.
  fileprivate func folded(shuffle: Int = 1) -> FoldedConvolution {
    FoldedConvolution(
      filter,
      norm: norm,
      geometry: geometry,
      shuffle: shuffle,
      activation: activation
    )
  }

  /// The convolution as a layer of the inference path.
  package var layer: InferenceLayer { InferenceLayer([.convolution(folded())]) }
}

extension Block {
  /// The block for the inference path, with its shortcut; nil for one that passes its input on.
  ///
  /// Of a pooling tail it is the part before the mean. `description` is the one that the block was
  /// built from.
  package func inferenceLayer(_ description: BlockDescription) -> InferenceLayer? {
    switch self {
    case .invertedResidual(let block):
      InferenceLayer(block.weights.steps(description), isResidual: description.isResidual)
    case .composed(let block): InferenceLayer(block.steps, isResidual: description.isResidual)
    case .convolution(let convolution): convolution.layer
    case .pool(let tail): tail.expand.layer
    case .identity: nil
    }
  }
}

extension InvertedResidualWeights {
  fileprivate func steps(_ description: BlockDescription) -> [InferenceLayer.Step] {
    let kernel = depthwise.shape[0]
    return [
      FoldedConvolution(expand, norm: expandNorm, shuffle: groups, activation: activation),
      FoldedConvolution(
        grouped: depthwise,
        norm: depthwiseNorm,
        geometry: .init(
          kernel: kernel,
          stride: description.stride,
          padding: kernel / 2,
          groups: depthwise.shape[2]
        ),
        activation: activation
      ),
      FoldedConvolution(project, norm: projectNorm, activation: .none),
    ].map { .convolution($0) }
  }
}

extension ComposedBlock {
  fileprivate var steps: [InferenceLayer.Step] {
    var steps: [InferenceLayer.Step] = []
    if let expand {
      steps.append(.convolution(expand.folded(shuffle: shuffleGroups)))
    } else if shuffleGroups > 1, let channels = depthwise.first?.channels {
      steps.append(
        .convolution(FoldedConvolution(shuffling: channels, groups: shuffleGroups))
      )
    }
    steps += depthwise.map { .convolution($0.folded) }
    if let squeeze {
      steps.append(
        .squeeze(
          reduce: FoldedConvolution(
            squeeze.reduce,
            bias: squeeze.reduceBias,
            activation: squeeze.inner
          ),
          restore: FoldedConvolution(squeeze.restore, bias: squeeze.restoreBias)
        )
      )
    }
    if let project { steps.append(.convolution(project.folded())) }
    return steps
  }
}

extension ComposedBlock.Depthwise {
  fileprivate var folded: FoldedConvolution {
    FoldedConvolution(grouped: filter, norm: norm, geometry: geometry, activation: activation)
  }
}

extension Network {
  /// The network for inference, with the present weights and running statistics.
  package func inference() -> InferenceNetwork {
    InferenceNetwork(
      shape: [description.height, description.width, description.channels],
      layers: inferenceLayers,
      tail: inferenceTail,
      engine: engine
    )
  }

  /// Every convolution and linear layer, batch-norms folded in, in the order of their use.
  package var foldedConvolutions: [FoldedConvolution] {
    inferenceLayers.flatMap(\.convolutions) + inferenceTail
  }

  private var inferenceLayers: [InferenceLayer] {
    zip(blocks, description.blocks).compactMap { $0.inferenceLayer($1) }
  }

  /// What follows the mean over all pixels.
  private var inferenceTail: [FoldedConvolution] {
    var tail = [FoldedConvolution(classifier, bias: classifierBias)]
    if case .pool(let block) = blocks.last {
      tail.insert(
        FoldedConvolution(block.project, bias: block.bias, activation: block.activation),
        at: 0
      )
    }
    return tail
  }
}
