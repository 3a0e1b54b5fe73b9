import Tensor

/// Convolution, batch-norm and activation, the activation deferred to the reader.
package struct ConvolutionNorm {
  /// [K, K, C, D], or [g, C/g, D/g] with groups.
  package let filter: Parameter
  /// The batch-norm behind the convolution.
  package let norm: BatchNorm
  let geometry: ConvolutionGeometry
  let activation: Activation
  private let engine: Engine

  /// Makes the layer with Kaiming weights.
  package init(
    name: String,
    input: Int,
    output: Int,
    geometry: ConvolutionGeometry = .init(),
    activation: Activation,
    engine: Engine,
    initialiser: inout Initialiser
  ) {
    let k = geometry.kernel
    let g = geometry.groups
    filter = Parameter(
      name: name + ".weight",
      shape: g > 1 ? [g, input / g, output / g] : [k, k, input, output],
      engine: engine
    )
    initialiser.kaiming(filter, outputs: k * k * output, groups: g)
    norm = BatchNorm(name: name, channels: output, engine: engine)
    self.geometry = geometry
    self.activation = activation
    self.engine = engine
  }

  /// [N, H, W, C] → [N, H', W', D].
  package func callAsFunction(_ x: Tensor) -> Tensor {
    engine.convolution(x, filter: filter, geometry: geometry, norm: norm, activation: activation)
  }

  /// The convolution alone, [N, H, W, C] → [N, H', W', D].
  package func raw(_ x: Tensor) -> Tensor {
    engine.convolution(x, filter: filter, geometry: geometry)
  }

  /// What the layer makes of `x` at a smaller size, from its `raw` of the whole map; for 1×1
  /// convolutions.
  package func callAsFunction(raw: Tensor, at size: MapSize) -> Tensor {
    engine.subsample(raw, to: size, norm: norm, activation: activation)
  }

  /// Weights and batch-norm parameters, in a fixed order.
  package var parameters: [Parameter] { [filter, norm.gamma, norm.beta] }
}
