import Tensor

/// A whole network as data: stem, blocks, head and classifier, for images of one size.
package struct NetworkDescription: Sendable, Equatable {
  /// `fbnet_c`.
  package var name: String
  /// Image height, pixels.
  package var height: Int
  /// Image width, pixels.
  package var width: Int
  /// Image channels.
  package var channels: Int
  /// Channels of the stem, a 3×3 convolution.
  package var stemWidth: Int
  /// Its step.
  package var stemStride: Int
  /// The blocks, each fitting the one before.
  package var blocks: [BlockDescription]
  /// Channels of the 1×1 convolution before the mean over all pixels.
  package var head: Int
  /// Classes.
  package var classes: Int

  /// Describes a network; `add` puts the blocks in.
  package init(
    name: String,
    height: Int,
    width: Int,
    channels: Int,
    stemWidth: Int,
    stemStride: Int,
    head: Int,
    classes: Int
  ) {
    self.name = name
    self.height = height
    self.width = width
    self.channels = channels
    self.stemWidth = stemWidth
    self.stemStride = stemStride
    blocks = []
    self.head = head
    self.classes = classes
  }

  /// Puts a block behind the others, its input being their output.
  package mutating func add(
    _ kind: BlockDescription.Kind,
    output: Int,
    stride: Int,
    name: String = ""
  ) {
    let end = end
    blocks.append(
      BlockDescription(
        name: name,
        kind: kind,
        input: end.channels,
        output: output,
        stride: stride,
        height: end.height,
        width: end.width
      )
    )
  }

  /// The map behind the last block.
  package var end: (height: Int, width: Int, channels: Int) {
    guard let last = blocks.last else {
      return ((height - 1) / stemStride + 1, (width - 1) / stemStride + 1, stemWidth)
    }
    return (last.outputSize(last.height), last.outputSize(last.width), last.output)
  }

  /// Multiply–accumulates of one image (rule `madds`, see `BlockDescription`).
  package var flops: Double {
    let pixels = ((height - 1) / stemStride + 1) * ((width - 1) / stemStride + 1)
    let stem = Double(9 * channels * stemWidth * pixels)
    let head = Double(end.channels * head * end.height * end.width)
    return blocks.reduce(stem + head + Double(self.head * classes)) { $0 + $1.flops }
  }

  /// Weights of convolutions and the linear layer.
  package var params: Double {
    let fixed = 9 * channels * stemWidth + end.channels * head + head * classes
    return blocks.reduce(Double(fixed)) { $0 + $1.params }
  }
}

/// A network built from its description.
package final class Network {
  /// What it was built from.
  package let description: NetworkDescription
  /// Batch-norms, in order.
  package let norms: [BatchNorm]
  /// Weights and batch-norm parameters, in order.
  package let parameters: [Parameter]
  private let engine: Engine
  private let stem: ConvolutionNorm
  private let blocks: [Block]
  private let head: ConvolutionNorm
  private let classifier: Parameter
  private let classifierBias: Parameter

  /// Builds the network with fresh weights drawn from `seed`.
  package init(_ description: NetworkDescription, engine: Engine, seed: UInt64) {
    var initialiser = Initialiser(seed: seed)
    stem = ConvolutionNorm(
      name: "stem",
      input: description.channels,
      output: description.stemWidth,
      geometry: .init(kernel: 3, stride: description.stemStride, padding: 1),
      activation: .relu,
      engine: engine,
      initialiser: &initialiser
    )
    var blocks: [Block] = []
    for (index, block) in description.blocks.enumerated() {
      blocks.append(
        Block(block, name: "blocks.\(index + 1)", engine: engine, initialiser: &initialiser)
      )
    }
    self.blocks = blocks
    head = ConvolutionNorm(
      name: "head",
      input: description.end.channels,
      output: description.head,
      activation: .relu,
      engine: engine,
      initialiser: &initialiser
    )
    classifier = Parameter(
      name: "classifier.weight",
      shape: [description.head, description.classes],
      engine: engine
    )
    initialiser.normal(classifier, deviation: 0.01)
    classifierBias = Parameter(
      name: "classifier.bias",
      shape: [description.classes],
      engine: engine
    )
    norms = [stem.norm] + blocks.flatMap(\.norms) + [head.norm]
    parameters =
      stem.parameters + blocks.flatMap(\.parameters) + head.parameters
      + [classifier, classifierBias]
    self.description = description
    self.engine = engine
  }

  /// Class scores `[N, classes]` of images `[N, H, W, C]`, by the operations that training uses.
  package func callAsFunction(_ x: Tensor) -> Tensor {
    var x = engine.materialise(stem(x))
    let one = engine.tensor([1], shape: [1])
    for (block, description) in zip(blocks, description.blocks) {
      x = engine.weightedSum(
        [(tensor: block(x), isResidual: description.isResidual)],
        shortcut: description.isResidual ? x : nil,
        weights: one
      )
    }
    return engine.convolution(
      engine.averagePool(head(x)),
      filter: classifier,
      bias: classifierBias
    )
  }

  /// What the inference path runs: the layers with their batch-norms folded in.
  package var inferenceLayers: [InferenceLayer] {
    [.convolution(stem.folded, stride: description.stemStride)]
      + zip(blocks, description.blocks).compactMap { $0.inferenceLayer($1) }
  }

  /// Every convolution and the classifier, batch-norms folded in, in the order of their use.
  package var foldedConvolutions: [FoldedConvolution] {
    inferenceLayers.flatMap(\.convolutions)
      + [head.folded, FoldedConvolution(classifier, bias: classifierBias)]
  }

  /// The network for inference, with the weights and running statistics of now.
  package func inference() -> InferenceNetwork {
    InferenceNetwork(
      shape: [description.height, description.width, description.channels],
      layers: inferenceLayers,
      head: head.folded,
      classifier: FoldedConvolution(classifier, bias: classifierBias),
      engine: engine
    )
  }
}
