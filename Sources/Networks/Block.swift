import Tensor

/// A block built from its description.
package enum Block {
  /// The plain form of `BlockDescription.Kind.bottleneck`, one fused operation.
  case invertedResidual(InvertedResidual)
  /// Any other `bottleneck`, and `fused`.
  case composed(ComposedBlock)
  /// See `BlockDescription.Kind.convolution`; a skip that changes the shape is one as well.
  case convolution(ConvolutionNorm)
  /// See `BlockDescription.Kind.pool`.
  case pool(PoolingTail)
  /// A skip that keeps the shape.
  case identity

  /// Builds the block that `description` describes.
  package init(
    _ description: BlockDescription,
    name: String,
    engine: Engine,
    initialiser: inout Initialiser
  ) {
    func convolution(
      _ name: String,
      _ geometry: ConvolutionGeometry,
      _ activation: Activation
    ) -> Block {
      .convolution(
        ConvolutionNorm(
          name: name,
          input: description.input,
          output: description.output,
          geometry: geometry,
          activation: activation,
          engine: engine,
          initialiser: &initialiser
        )
      )
    }
    switch description.kind {
    case .bottleneck(let middle) where middle.isPlain && !middle.zeroGamma:
      self = .invertedResidual(
        InvertedResidual(
          name: name,
          input: description.input,
          middle: middle.middle,
          output: description.output,
          kernel: middle.kernels[0],
          stride: description.stride,
          groups: middle.groups,
          activation: middle.activation,
          engine: engine,
          initialiser: &initialiser
        )
      )
    case .bottleneck(let middle), .fused(let middle):
      self = .composed(
        ComposedBlock(
          description,
          middle,
          name: name,
          engine: engine,
          initialiser: &initialiser
        )
      )
    case .convolution(let kernel, let padding, let activation):
      self = convolution(
        name,
        .init(kernel: kernel, stride: description.stride, padding: padding ?? kernel / 2),
        activation
      )
    case .pool(let middle, let bias, let activation):
      self = .pool(
        PoolingTail(
          name: name,
          input: description.input,
          middle: middle,
          output: description.output,
          bias: bias,
          activation: activation,
          engine: engine,
          initialiser: &initialiser
        )
      )
    case .skip where description.keepsShape: self = .identity
    case .skip:
      self = convolution(name + ".project", .init(stride: description.stride), .relu)
    }
  }

  /// The outputs of the candidates of one layer, whose inverted residuals share passes over `x`.
  package static func outputs(of blocks: [Block], on x: Tensor) -> [Tensor] {
    var outputs = InvertedResidual.outputs(of: inverted(blocks), on: x)[...]
    return blocks.map {
      if case .invertedResidual = $0 { outputs.removeFirst() } else { $0(x) }
    }
  }

  /// The inverted residuals among `blocks`.
  static func inverted(_ blocks: [Block]) -> [InvertedResidual] {
    blocks.compactMap { if case .invertedResidual(let block) = $0 { block } else { nil } }
  }

  /// [N, H, W, C] → [N, H', W', D] ([N, D] for a pooling tail), without the shortcut, which the
  /// caller adds.
  package func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .invertedResidual(let block): block(x)
    case .composed(let block): block(x)
    case .convolution(let convolution): convolution(x)
    case .pool(let tail): tail(x)
    case .identity: x
    }
  }

  /// Weights and batch-norm parameters, in a fixed order.
  package var parameters: [Parameter] {
    switch self {
    case .invertedResidual(let block): block.parameters
    case .composed(let block): block.parameters
    case .convolution(let convolution): convolution.parameters
    case .pool(let tail): tail.parameters
    case .identity: []
    }
  }

  /// Its batch-norms.
  package var norms: [BatchNorm] {
    switch self {
    case .invertedResidual(let block): block.norms
    case .composed(let block): block.norms
    case .convolution(let convolution): [convolution.norm]
    case .pool(let tail): [tail.expand.norm]
    case .identity: []
    }
  }
}

/// Inverted residual: 1×1 expand, channel shuffle with groups, k×k depthwise, 1×1 linear project.
///
/// Source: FBNetV1 (arXiv 1812.03443) figure 3; spec S3.
package struct InvertedResidual {
  private let expand: ConvolutionNorm
  private let depthwise: Parameter
  private let depthwiseNorm: BatchNorm
  private let project: ConvolutionNorm
  private let stride: Int
  private let groups: Int
  private let activation: Activation
  private let engine: Engine

  init(
    name: String,
    input: Int,
    middle: Int,
    output: Int,
    kernel: Int,
    stride: Int,
    groups: Int,
    activation: Activation,
    engine: Engine,
    initialiser: inout Initialiser
  ) {
    expand = ConvolutionNorm(
      name: name + ".expand",
      input: input,
      output: middle,
      geometry: .init(groups: groups),
      activation: activation,
      engine: engine,
      initialiser: &initialiser
    )
    depthwise = Parameter(
      name: name + ".depthwise.weight",
      shape: [kernel, kernel, middle],
      engine: engine
    )
    initialiser.kaiming(depthwise, outputs: kernel * kernel * middle, groups: middle)
    depthwiseNorm = BatchNorm(name: name + ".depthwise", channels: middle, engine: engine)
    project = ConvolutionNorm(
      name: name + ".project",
      input: middle,
      output: output,
      geometry: .init(groups: groups),
      activation: .none,
      engine: engine,
      initialiser: &initialiser
    )
    self.stride = stride
    self.groups = groups
    self.activation = activation
    self.engine = engine
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    engine.invertedResiduals(x, [weights], stride: stride)[0]
  }

  /// The arrays, as the engine takes them.
  var weights: InvertedResidualWeights {
    InvertedResidualWeights(
      expand: expand.filter,
      expandNorm: expand.norm,
      depthwise: depthwise,
      depthwiseNorm: depthwiseNorm,
      project: project.filter,
      projectNorm: project.norm,
      groups: groups,
      activation: activation
    )
  }

  /// The outputs of several blocks on one input, in one pass; all have one stride.
  fileprivate static func outputs(of blocks: [InvertedResidual], on x: Tensor) -> [Tensor] {
    guard let first = blocks.first else { return [] }
    return first.engine.invertedResiduals(x, blocks.map(\.weights), stride: first.stride)
  }

  var parameters: [Parameter] {
    expand.parameters + [depthwise, depthwiseNorm.gamma, depthwiseNorm.beta] + project.parameters
  }

  var norms: [BatchNorm] { [expand.norm, depthwiseNorm, project.norm] }
}
