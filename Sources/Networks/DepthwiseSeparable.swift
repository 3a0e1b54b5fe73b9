import Tensor

/// k×k depthwise convolution and 1×1 linear projection.
///
/// Source: MobileNetV1 (arXiv 1704.04861) with the linear end of MobileNetV2; published FBNets have it
/// where the expansion is 1.
package struct DepthwiseSeparable {
  let depthwise: Parameter
  let depthwiseNorm: BatchNorm
  let project: ConvolutionNorm
  let activation: Activation
  private let stride: Int
  private let engine: Engine

  init(
    name: String,
    input: Int,
    output: Int,
    kernel: Int,
    stride: Int,
    activation: Activation,
    engine: Engine,
    initialiser: inout Initialiser
  ) {
    depthwise = Parameter(
      name: name + ".depthwise.weight",
      shape: [kernel, kernel, input],
      engine: engine
    )
    initialiser.kaiming(depthwise, fanOut: kernel * kernel)
    depthwiseNorm = BatchNorm(name: name + ".depthwise", channels: input, engine: engine)
    project = ConvolutionNorm(
      name: name + ".project",
      input: input,
      output: output,
      activation: .none,
      engine: engine,
      initialiser: &initialiser
    )
    self.stride = stride
    self.activation = activation
    self.engine = engine
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    project(
      engine.depthwiseConvolution(
        x,
        filter: depthwise,
        stride: stride,
        norm: depthwiseNorm,
        activation: activation
      )
    )
  }

  var parameters: [Parameter] {
    [depthwise, depthwiseNorm.gamma, depthwiseNorm.beta] + project.parameters
  }

  var norms: [BatchNorm] { [depthwiseNorm, project.norm] }
}
