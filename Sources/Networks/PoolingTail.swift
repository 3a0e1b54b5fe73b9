import Tensor

/// 1×1 convolution, mean over all pixels, 1×1 convolution without batch-norm: the wide last layer
/// of FBNetV2 and V3, whose order spares its products on all pixels but one.
package struct PoolingTail {
  /// The 1×1 convolution before the mean.
  package let expand: ConvolutionNorm
  let project: Parameter
  let bias: Parameter?
  let activation: Activation
  private let engine: Engine

  /// Makes the layer with Kaiming weights.
  package init(
    name: String,
    input: Int,
    middle: Int,
    output: Int,
    bias hasBias: Bool,
    activation: Activation,
    engine: Engine,
    initialiser: inout Initialiser
  ) {
    expand = ConvolutionNorm(
      name: name + ".expand",
      input: input,
      output: middle,
      activation: activation,
      engine: engine,
      initialiser: &initialiser
    )
    project = Parameter(name: name + ".project.weight", shape: [middle, output], engine: engine)
    initialiser.kaiming(project, outputs: output)
    bias =
      hasBias
      ? Parameter(name: name + ".project.bias", shape: [output], decays: false, engine: engine)
      : nil
    self.activation = activation
    self.engine = engine
  }

  /// [N, H, W, C] → [N, D].
  func callAsFunction(_ x: Tensor) -> Tensor { projected(engine.averagePool(expand(x))) }

  /// What follows the mean, [N, M] → [N, D].
  package func projected(_ pooled: Tensor) -> Tensor {
    engine.activate(engine.convolution(pooled, filter: project, bias: bias), activation)
  }

  /// Weights and batch-norm parameters, in a fixed order.
  package var parameters: [Parameter] { expand.parameters + [project] + [bias].compactMap { $0 } }
}
