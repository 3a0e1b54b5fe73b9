import Networks
import Runs
import Tensor

/// The shared weights of FBNetV1: every layer runs its candidates and mixes their outputs (spec
/// S1–S6).
final class LayerwiseNetwork: SharedNetwork {
  let parameters: [Parameter]
  let norms: [BatchNorm]
  private let space: LayerwiseSpace
  private let stem: ConvolutionNorm
  private let layers: [[Block]]
  private let head: ConvolutionNorm
  private let classifier: Parameter
  private let classifierBias: Parameter
  private let engine: Engine

  /// Builds the network with fresh weights; `aligned` if the candidates of a layer are to start
  /// alike.
  init(
    _ space: LayerwiseSpace,
    aligned: Bool,
    engine: Engine,
    initialiser: inout Initialiser
  ) {
    self.space = space
    self.engine = engine
    stem = ConvolutionNorm(
      name: "stem",
      input: space.channels,
      output: space.stem.width,
      geometry: .init(kernel: 3, stride: space.stem.stride, padding: 1),
      activation: .relu,
      engine: engine,
      initialiser: &initialiser
    )
    var layers: [[Block]] = []
    for (index, candidates) in space.layers.enumerated() {
      var blocks: [Block] = []
      for description in candidates {
        blocks.append(
          Block(
            description,
            name: "layers.\(index + 1).\(description.name)",
            engine: engine,
            initialiser: &initialiser
          )
        )
      }
      if aligned { Block.align(blocks, initialiser: &initialiser) }
      layers.append(blocks)
    }
    self.layers = layers
    head = ConvolutionNorm(
      name: "head",
      input: space.lastWidth,
      output: space.head,
      activation: .relu,
      engine: engine,
      initialiser: &initialiser
    )
    classifier = Parameter(
      name: "classifier.weight",
      shape: [space.head, space.classes],
      engine: engine
    )
    initialiser.normal(classifier, deviation: 0.01)
    classifierBias = Parameter(name: "classifier.bias", shape: [space.classes], engine: engine)
    parameters =
      stem.parameters + layers.flatMap { $0.flatMap(\.parameters) } + head.parameters
      + [classifier, classifierBias]
    norms = [stem.norm] + layers.flatMap { $0.flatMap(\.norms) } + [head.norm]
  }

  func scores(_ image: Tensor, _ mixtures: [Mixture]) -> Tensor {
    var x = engine.materialise(stem(image))
    for (layer, mixture) in zip(layers.indices, mixtures) {
      x = mix(layer, x, mixture.needed, mixture)
    }
    return classify(x)
  }

  func scores(_ image: Tensor, of architecture: Architecture) -> Tensor {
    var x = engine.materialise(stem(image))
    for (layer, candidate) in zip(layers.indices, architecture) {
      x = mix(layer, x, [candidate], Mixture(weights: engine.tensor([1], shape: [1])))
    }
    return classify(x)
  }

  /// On the inference path.
  func alone(_ architecture: Architecture) -> (Tensor) -> Tensor {
    let blocks = zip(layers.indices, architecture).compactMap { layer, candidate in
      layers[layer][candidate].inferenceLayer(space.layers[layer][candidate])
    }
    let network = InferenceNetwork(
      shape: [space.height, space.width, space.channels],
      layers: [stem.layer] + blocks + [head.layer],
      tail: [FoldedConvolution(classifier, bias: classifierBias)],
      engine: engine
    )
    return { network($0) }
  }

  func state(of architecture: Architecture) -> StateDictionary {
    func entries(_ part: ConvolutionNorm) -> [StateEntry] {
      part.parameters.map(\.entry) + part.norm.entries
    }
    let blocks = zip(layers.indices, architecture).flatMap { layer, candidate in
      let block = layers[layer][candidate]
      let name = "layers.\(layer + 1).\(space.layers[layer][candidate].name)"
      return (block.parameters.map(\.entry) + block.norms.flatMap(\.entries)).map { entry in
        NamedArray(
          name: "blocks.\(layer + 1)" + entry.name.dropFirst(name.count),
          shape: entry.shape,
          values: entry.read()
        )
      }
    }
    let ends = entries(stem) + entries(head) + [classifier.entry, classifierBias.entry]
    return StateDictionary(
      ends.map { NamedArray(name: $0.name, shape: $0.shape, values: $0.read()) } + blocks
    )
  }

  /// Runs candidates of a layer and mixes them; of the others nothing is computed.
  private func mix(
    _ layer: Int,
    _ x: Tensor,
    _ candidates: [Int],
    _ mixture: Mixture
  ) -> Tensor {
    let outputs = Block.outputs(of: candidates.map { layers[layer][$0] }, on: x)
    let branches = zip(candidates, outputs).map {
      (tensor: $1, isResidual: space.layers[layer][$0].isResidual)
    }
    return engine.weightedSum(
      branches,
      shortcut: branches.contains { $0.isResidual } ? x : nil,
      weights: mixture.weights,
      forward: mixture.forward,
      places: mixture.weights.channels == candidates.count ? nil : candidates
    )
  }

  private func classify(_ x: Tensor) -> Tensor {
    engine.convolution(
      engine.averagePool(head(x)),
      filter: classifier,
      bias: classifierBias
    )
  }
}
