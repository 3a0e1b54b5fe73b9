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
  /// The 1×1 convolution before the mean over all pixels.
  private let head: ConvolutionNorm
  /// With the one behind it, where there is one; `head` is its first part.
  private let tail: PoolingTail?
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
      let options = block.expansions.indices.flatMap { expansion in
        space.widths[block.input].channels.enumerated().map { input, channels in
          (
            pair: (expansion: expansion, input: input),
            channels: space.middle(of: block, expansion, input: channels)
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
      geometry: .init(
        kernel: space.stemKernel,
        stride: space.stemStride,
        padding: space.stemKernel / 2
      ),
      activation: space.stemActivation,
      engine: engine,
      initialiser: &initialiser
    )
    middles = space.blocks.map { Middle($0, of: space) }
    var blocks: [MaskedBlock] = []
    for (index, block) in space.blocks.enumerated() {
      let size = space.maps[space.sizes.count - 1][index]
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
            form: block.form,
            stride: block.stride,
            height: size.height,
            width: size.width
          ),
          name: "blocks.\(index + 1)",
          engine: engine,
          initialiser: &initialiser
        )
      )
    }
    self.blocks = blocks
    let (last, end) = (space.lastWidth, space.end)
    if end.pools {
      let tail = PoolingTail(
        name: "blocks.\(blocks.count + 1)",
        input: widest(last),
        middle: widest(last + 1),
        output: widest(last + 2),
        bias: end.bias,
        activation: end.activation,
        engine: engine,
        initialiser: &initialiser
      )
      (head, self.tail) = (tail.expand, tail)
    } else {
      head = ConvolutionNorm(
        name: "head",
        input: widest(last),
        output: widest(last + 1),
        activation: end.activation,
        engine: engine,
        initialiser: &initialiser
      )
      tail = nil
    }
    classifier = Parameter(
      name: "classifier.weight",
      shape: [widest(space.widths.count - 1), space.classes],
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
      stem.parameters + blocks.flatMap(\.parameters) + (tail?.parameters ?? head.parameters)
      + [classifier, classifierBias]
    norms = [stem.norm] + blocks.flatMap(\.norms) + [head.norm]
  }

  /// Every operator runs on the map of each resolution, and the results meet on one map (spec S23).
  ///
  /// The 1×1 convolutions at the begin of blocks and in the head run once for all resolutions.
  func scores(_ image: Tensor, _ mixtures: [Mixture]) -> Tensor {
    func mixture(_ axis: MaskedSpace.Axis) -> Mixture? { axis.choice.map { mixtures[$0] } }
    let resolution = mixture(space.resolution)
    let sharesPointwise =
      resolution.map { engine.runsManyOptions(weights: $0.weights, forward: $0.forward) } ?? false
    var sizes = space.sizes
    /// An operator of this step on all resolutions; it hears of the size where there is a choice,
    /// and of what is shared by many of them.
    func onAll(
      stride: Int,
      inputs: [Tensor?],
      shared: (() -> Tensor)? = nil,
      finish: @escaping (Tensor, MapSize?) -> Tensor,
      _ body: @escaping (MapSize?, Tensor?) -> Tensor
    ) -> Tensor {
      let inner = sizes
      sizes = sizes.map { $0.behind(stride) }
      guard let resolution else { return finish(body(nil, nil), nil) }
      return engine.resolutionSum(
        of: image.shape[0],
        sizes: inner,
        weights: resolution.weights,
        forward: resolution.forward,
        inputs: inputs.compactMap { $0 },
        to: sizes[sizes.count - 1],
        shared: sharesPointwise ? shared : nil,
        finish: finish,
        body
      )
    }
    let stemMask = mixture(space.widths[0].axis).map { mask($0, of: space.widths[0]) }
    var x = onAll(
      stride: space.stemStride,
      inputs: [image, stemMask],
      finish: { [engine] y, _ in engine.materialise(y) }
    ) { [engine, stem] size, _ in
      let y = stem(size.map { engine.reading(image, at: $0) } ?? image)
      return stemMask.map { engine.mask(y, by: $0) } ?? y
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
      let choices = [
        parts.output, parts.middle, parts.kernel, parts.activation, parts.squeeze, parts.skip,
      ]
      let (masked, input) = (blocks[index], x)
      x = onAll(
        stride: space.blocks[index].stride,
        inputs: [input] + choices.map { $0?.weights },
        shared: masked.expanded(input),
        finish: { masked.finish($0, input, at: $1, skip: parts.skip) }
      ) { masked.residual(input, at: $0, expanded: $1, parts) }
    }
    let pooled: Tensor
    if let resolution {
      let input = x
      pooled = engine.resolutionSum(
        of: image.shape[0],
        sizes: sizes,
        weights: resolution.weights,
        forward: resolution.forward,
        inputs: [input],
        to: MapSize(height: 1, width: 1),
        shared: sharesPointwise ? { [head] in head.raw(input) } : nil,
        finish: { [engine] y, _ in engine.averagePool(y) }
      ) { [engine, head] size, raw in
        raw.map { head(raw: $0, at: size) } ?? head(engine.reading(input, at: size))
      }
    } else {
      pooled = engine.averagePool(head(x))
    }
    return scores(pooled: pooled, mixture)
  }

  /// What follows the mean over all pixels; that of a masked map is the masked mean.
  private func scores(pooled: Tensor, _ mixture: (MaskedSpace.Axis) -> Mixture?) -> Tensor {
    func masked(_ x: Tensor, _ width: MaskedSpace.Width) -> Tensor {
      mixture(width.axis).map { engine.mask(x, by: mask($0, of: width)) } ?? x
    }
    var x = masked(pooled, space.widths[space.lastWidth + 1])
    if let tail { x = masked(tail.projected(x), space.widths[space.lastWidth + 2]) }
    return engine.convolution(x, filter: classifier, bias: classifierBias)
  }

  func scores(_ image: Tensor, of architecture: Architecture) -> Tensor {
    scores(
      image,
      zip(space.optionCounts, architecture).map { .alone($1, of: $0, on: engine) }
    )
  }

  func state(of architecture: Architecture) -> StateDictionary { derived(architecture).state() }

  /// On the inference path.
  func alone(_ architecture: Architecture) -> (Tensor) -> Tensor {
    let network = derived(architecture)
    let size = MapSize(height: network.description.height, width: network.description.width)
    let whole = space.sizes[space.sizes.count - 1]
    let isWhole = size.height == whole.height && size.width == whole.width
    let inference = network.inference()
    return { [engine] image in
      inference(isWhole ? image : engine.subsample(image, to: size))
    }
  }

  /// The network alone, its weights and statistics cut from the shared ones (spec S26).
  func derived(_ architecture: Architecture) -> Network {
    let network = Network(space.network(of: architecture, name: ""), engine: engine, seed: 0)
    // Places behind a block that is left out move up, that of a pooling tail too.
    let kept =
      space.blocks.indices.filter { space.blocks[$0].skip.option(architecture) == 0 }
      + [space.blocks.count]
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
