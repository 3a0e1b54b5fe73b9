import Networks
import Tensor

/// The shared weights of FBNetV2: one block a place at its widest, whose options are masks (spec
/// S20–S23).
final class MaskedNetwork: SharedNetwork {
  let parameters: [Parameter]
  let norms: [BatchNorm]
  private let space: MaskedSpace
  private let stem: ConvolutionNorm
  private let blocks: [MaskedBlock]
  private let middles: [Middle]
  private let head: ConvolutionNorm
  private let classifier: Parameter
  private let classifierBias: Parameter
  private let engine: Engine

  /// The middle widths of a block: an option for each pair of expansion and input width, ascending.
  private struct Middle {
    /// Place of the expansion and of the input's width.
    let pairs: [(expansion: Int, input: Int)]
    /// Channels, an option each.
    let channels: [Int]

    init(_ block: MaskedSpace.Block, of space: MaskedSpace) {
      let options = block.expansions.enumerated().flatMap { expansion, ratio in
        space.widths[block.input].channels.enumerated().map { input, channels in
          (
            pair: (expansion: expansion, input: input),
            channels: space.middle(ratio, input: channels)
          )
        }
      }
      // A stable order: equal widths follow one another as they come.
      let order = options.indices.sorted {
        (options[$0].channels, $0) < (options[$1].channels, $1)
      }
      pairs = order.map { options[$0].pair }
      channels = order.map { options[$0].channels }
    }
  }

  /// Builds the network with fresh weights.
  init(_ space: MaskedSpace, engine: Engine, initialiser: inout Initialiser) {
    self.space = space
    self.engine = engine
    func widest(_ width: Int) -> Int { space.widths[width].channels.last ?? 0 }
    stem = ConvolutionNorm(
      name: "stem",
      input: space.channels,
      output: widest(0),
      geometry: .init(kernel: 3, stride: space.stemStride, padding: 1),
      activation: .relu,
      engine: engine,
      initialiser: &initialiser
    )
    middles = space.blocks.map { Middle($0, of: space) }
    var size = space.sizes[space.sizes.count - 1].behind(space.stemStride)
    var blocks: [MaskedBlock] = []
    for (index, block) in space.blocks.enumerated() {
      blocks.append(
        MaskedBlock(
          MaskedBlockDescription(
            input: widest(block.input),
            outputs: space.widths[block.output].channels,
            middles: middles[index].channels,
            kernels: block.kernels,
            activations: block.activations,
            squeezes: block.squeezes,
            hasShortcut: block.isResidual,
            canSkip: block.skip.count > 1,
            stride: block.stride,
            height: size.height,
            width: size.width
          ),
          name: "blocks.\(index + 1)",
          engine: engine,
          initialiser: &initialiser
        )
      )
      size = size.behind(block.stride)
    }
    self.blocks = blocks
    head = ConvolutionNorm(
      name: "head",
      input: widest(space.widths.count - 1),
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
    classifierBias = Parameter(
      name: "classifier.bias",
      shape: [space.classes],
      decays: false,
      engine: engine
    )
    parameters =
      stem.parameters + blocks.flatMap(\.parameters) + head.parameters
      + [classifier, classifierBias]
    norms = [stem.norm] + blocks.flatMap(\.norms) + [head.norm]
  }

  /// Every operator runs on the map of each resolution, and the results meet on one map (spec S23).
  func scores(_ image: Tensor, _ mixtures: [Mixture]) -> Tensor {
    func mixture(_ axis: MaskedSpace.Axis) -> Mixture? { axis.choice.map { mixtures[$0] } }
    let resolution = mixture(space.resolution)
    var sizes = space.sizes
    /// An operator of this step on all resolutions.
    func onAll(
      _ x: Tensor,
      stride: Int,
      inputs: [Tensor?],
      _ body: @escaping (Tensor) -> Tensor
    ) -> Tensor {
      let inner = sizes.map { MapSize(height: $0.height, width: $0.width) }
      sizes = sizes.map { $0.behind(stride) }
      guard let resolution else { return body(x) }
      let outer = sizes[sizes.count - 1]
      return engine.resolutionSum(
        x,
        sizes: inner,
        weights: resolution.weights,
        forward: resolution.forward,
        inputs: inputs.compactMap { $0 },
        to: MapSize(height: outer.height, width: outer.width),
        body
      )
    }
    let stemMask = mixture(space.widths[0].axis).map { mask($0, of: space.widths[0]) }
    var x = onAll(image, stride: space.stemStride, inputs: [stemMask]) { [engine, stem] in
      let y = stem($0)
      return engine.materialise(stemMask.map { engine.mask(y, by: $0) } ?? y)
    }
    for (index, block) in space.blocks.enumerated() {
      let parts = MaskedBlock.Mixtures(
        output: mixture(space.widths[block.output].axis),
        middle: middle(index, mixture),
        kernel: mixture(block.kernel),
        activation: mixture(block.activation),
        squeeze: mixture(block.squeeze),
        skip: mixture(block.skip)
      )
      let inputs = [
        parts.output, parts.middle, parts.kernel, parts.activation, parts.squeeze, parts.skip,
      ]
      x = onAll(x, stride: block.stride, inputs: inputs.map { $0?.weights }) { [blocks] in
        blocks[index]($0, parts)
      }
    }
    let last = sizes
    let pooled: Tensor
    if let resolution {
      pooled = engine.resolutionSum(
        x,
        sizes: last.map { MapSize(height: $0.height, width: $0.width) },
        weights: resolution.weights,
        forward: resolution.forward,
        to: MapSize(height: 1, width: 1)
      ) { [engine, head] in engine.averagePool(head($0)) }
    } else {
      pooled = engine.averagePool(head(x))
    }
    return engine.convolution(pooled, filter: classifier, bias: classifierBias)
  }

  func scores(_ image: Tensor, of architecture: Architecture) -> Tensor {
    scores(
      image,
      zip(space.optionCounts, architecture).map { count, option in
        let weights = (0..<count).map { $0 == option ? Float(1) : 0 }
        return Mixture(weights: engine.tensor(weights, shape: [count]))
      }
    )
  }

  /// On the inference path, or by the operations of training where that lacks one of the blocks.
  func alone(_ architecture: Architecture) -> (Tensor) -> Tensor {
    let network = derived(architecture)
    let size = MapSize(height: network.description.height, width: network.description.width)
    let whole = space.sizes[space.sizes.count - 1]
    let isWhole = size.height == whole.height && size.width == whole.width
    let inference = network.inference()
    return { [engine] image in
      let image = isWhole ? image : engine.subsample(image, to: size)
      return inference.map { $0(image) } ?? network(image)
    }
  }

  /// The network alone, its weights and statistics cut from the shared ones (spec S26).
  func derived(_ architecture: Architecture) -> Network {
    let network = Network(space.network(of: architecture, name: ""), engine: engine, seed: 0)
    // Places behind a block that is left out move up.
    let kept = space.blocks.indices.filter { space.blocks[$0].skip.option(architecture) == 0 }
    let names = Dictionary(
      uniqueKeysWithValues: kept.enumerated().map { ("blocks.\($1 + 1)", "blocks.\($0 + 1)") }
    )
    let arrays = (parameters.map(\.entry) + norms.flatMap(\.entries)).compactMap { entry in
      let block = entry.name.split(separator: ".").prefix(2).joined(separator: ".")
      guard entry.name.hasPrefix("blocks.") else {
        return NamedArray(name: entry.name, shape: entry.shape, values: entry.read())
      }
      return names[block].map {
        NamedArray(
          name: $0 + entry.name.dropFirst(block.count),
          shape: entry.shape,
          values: entry.read()
        )
      }
    }
    do {
      try network.restore(StateDictionary(arrays).sliced(to: network.entries))
    } catch {
      preconditionFailure("MaskedNetwork: a derived network \(error.problem)")
    }
    return network
  }

  private func mask(_ mixture: Mixture, of width: MaskedSpace.Width) -> Tensor {
    engine.channelMask(mixture.weights, widths: width.channels, forward: mixture.forward)
  }

  /// The mixture of a block's middle widths: the products of expansion and input width.
  private func middle(_ index: Int, _ mixture: (MaskedSpace.Axis) -> Mixture?) -> Mixture? {
    let block = space.blocks[index]
    let expansion = mixture(block.expansion)
    let input = mixture(space.widths[block.input].axis)
    guard let expansion, let input else { return expansion ?? input }
    let pairs = middles[index].pairs.map { ($0.expansion, $0.input) }
    let forward = expansion.forward.flatMap { a in
      input.forward.map { b in
        (0..<expansion.samples).flatMap { row in
          pairs.map {
            a[row * block.expansions.count + $0] * b[row * b.count / input.samples + $1]
          }
        }
      }
    }
    return Mixture(
      weights: engine.pairs(expansion.weights, input.weights, pairs),
      forward: forward
    )
  }
}
