import Tensor

/// A block built of plain operations: whatever an inverted residual of published networks may have,
/// with or without expansion, squeeze-and-excite, several or grouped k×k convolutions, or a dense
/// one instead.
///
/// Source: mobile-vision's block rules (spec S61).
package struct ComposedBlock {
  /// 1×1, or k×k in a fused block; nil without expansion.
  let expand: ConvolutionNorm?
  let depthwise: [Depthwise]
  let squeeze: Squeeze?
  /// Nil where the k×k convolution is the last.
  let project: ConvolutionNorm?
  let shuffleGroups: Int
  private let engine: Engine

  /// A depthwise or grouped k×k convolution with its batch-norm, if it is the last.
  struct Depthwise {
    let filter: Parameter
    let norm: BatchNorm?
    let activation: Activation
    let stride: Int
    let padding: Int
    /// Nil for one a channel.
    let groups: Int?

    /// Channels, in and out.
    var channels: Int { (filter.shape.last ?? 1) * (groups ?? 1) }

    /// A depthwise convolution has as many groups as channels.
    var geometry: ConvolutionGeometry {
      ConvolutionGeometry(
        kernel: filter.shape[filter.shape.count - (groups == nil ? 2 : 3)],
        stride: stride,
        padding: padding,
        groups: groups ?? channels
      )
    }
  }

  /// The two layers of a squeeze-and-excite.
  struct Squeeze {
    let reduce: Parameter
    let reduceBias: Parameter
    let restore: Parameter
    let restoreBias: Parameter
    let inner: Activation
  }

  init(
    _ block: BlockDescription,
    _ middle: BlockDescription.Bottleneck,
    name: String,
    engine: Engine,
    initialiser: inout Initialiser
  ) {
    self.engine = engine
    let isFused = if case .fused = block.kind { true } else { false }
    shuffleGroups = middle.groups
    if isFused {
      let kernel = middle.kernels[0]
      expand = ConvolutionNorm(
        name: name + ".expand",
        input: block.input,
        output: middle.middle,
        geometry: .init(
          kernel: kernel,
          stride: block.stride,
          padding: middle.padding ?? kernel / 2
        ),
        activation: middle.activation,
        engine: engine,
        initialiser: &initialiser
      )
    } else if middle.expands {
      expand = ConvolutionNorm(
        name: name + ".expand",
        input: block.input,
        output: middle.middle,
        geometry: .init(groups: middle.groups),
        activation: middle.activation,
        engine: engine,
        initialiser: &initialiser
      )
    } else {
      expand = nil
    }
    var convolutions: [Depthwise] = []
    for (index, kernel) in middle.kernels.enumerated() where !isFused {
      convolutions.append(
        Depthwise(
          middle,
          kernel: kernel,
          stride: index == 0 ? block.stride : 1,
          padding: index == 0 ? middle.padding ?? kernel / 2 : kernel / 2,
          name: name + ".depthwise" + (index == 0 ? "" : "\(index + 1)"),
          isLast: index == middle.kernels.count - 1,
          engine: engine,
          initialiser: &initialiser
        )
      )
    }
    depthwise = convolutions
    squeeze = middle.squeeze.map {
      Squeeze(
        $0,
        channels: middle.middle,
        name: name + ".squeeze",
        engine: engine,
        initialiser: &initialiser
      )
    }
    project =
      middle.projects
      ? ConvolutionNorm(
        name: name + ".project",
        input: middle.middle,
        output: block.output,
        geometry: .init(groups: middle.groups),
        activation: .none,
        engine: engine,
        initialiser: &initialiser
      ) : nil
    if middle.zeroGamma { norms.last?.gamma.value.clear() }
  }

  /// A convolution alone.
  init(_ convolution: ConvolutionNorm, engine: Engine) {
    self.engine = engine
    (expand, depthwise, squeeze, project) = (nil, [], nil, convolution)
    shuffleGroups = 1
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    var x = expand.map { $0(x) } ?? x
    if shuffleGroups > 1 { x = engine.channelShuffle(x, groups: shuffleGroups) }
    for convolution in depthwise { x = convolution(x, on: engine) }
    if let squeeze {
      x = engine.squeezeExcite(
        x,
        reduce: squeeze.reduce,
        reduceBias: squeeze.reduceBias,
        restore: squeeze.restore,
        restoreBias: squeeze.restoreBias,
        inner: squeeze.inner
      )
    }
    return project.map { $0(x) } ?? x
  }

  var parameters: [Parameter] {
    (expand?.parameters ?? [])
      + depthwise.flatMap { [$0.filter, $0.norm?.gamma, $0.norm?.beta].compactMap { $0 } }
      + (squeeze.map { [$0.reduce, $0.reduceBias, $0.restore, $0.restoreBias] } ?? [])
      + (project?.parameters ?? [])
  }

  var norms: [BatchNorm] {
    ([expand?.norm] + depthwise.map(\.norm) + [project?.norm]).compactMap { $0 }
  }
}

extension ComposedBlock.Depthwise {
  fileprivate init(
    _ middle: BlockDescription.Bottleneck,
    kernel: Int,
    stride: Int,
    padding: Int,
    name: String,
    isLast: Bool,
    engine: Engine,
    initialiser: inout Initialiser
  ) {
    let channels = middle.middle
    groups = middle.depthwiseGroups
    let width = channels / (groups ?? channels)
    filter = Parameter(
      name: name + ".weight",
      shape: groups.map {
        $0 > 1 ? [$0, kernel, kernel, width, width] : [kernel, kernel, width, width]
      }
        ?? [kernel, kernel, channels],
      engine: engine
    )
    initialiser.kaiming(filter, outputs: kernel * kernel * channels, groups: groups ?? channels)
    norm = isLast ? BatchNorm(name: name, channels: channels, engine: engine) : nil
    activation = isLast ? middle.activation : .none
    self.stride = stride
    self.padding = padding
  }

  fileprivate func callAsFunction(_ x: Tensor, on engine: Engine) -> Tensor {
    guard groups != nil else {
      return engine.depthwiseConvolution(
        x,
        filter: filter,
        stride: stride,
        padding: padding,
        norm: norm,
        activation: activation
      )
    }
    return engine.convolution(
      x,
      filter: filter,
      geometry: geometry,
      norm: norm,
      activation: activation
    )
  }
}

extension ComposedBlock.Squeeze {
  fileprivate init(
    _ squeeze: BlockDescription.Bottleneck.Squeeze,
    channels: Int,
    name: String,
    engine: Engine,
    initialiser: inout Initialiser
  ) {
    let width = squeeze.channels
    reduce = Parameter(name: name + ".reduce.weight", shape: [channels, width], engine: engine)
    initialiser.kaiming(reduce, outputs: width)
    reduceBias = Parameter(
      name: name + ".reduce.bias",
      shape: [width],
      decays: false,
      engine: engine
    )
    restore = Parameter(name: name + ".restore.weight", shape: [width, channels], engine: engine)
    initialiser.kaiming(restore, outputs: channels)
    restoreBias = Parameter(
      name: name + ".restore.bias",
      shape: [channels],
      decays: false,
      engine: engine
    )
    inner = squeeze.inner
  }
}
