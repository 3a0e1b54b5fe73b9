extension Engine {
  package func squeezeExcite(
    _ x: Tensor,
    reduce: Parameter,
    reduceBias: Parameter,
    restore: Parameter,
    restoreBias: Parameter,
    inner: Activation
  ) -> Tensor { fatalError() }
  package func activate(_ x: Tensor, _ a: Activation) -> Tensor { fatalError() }
  package func multiply(_ x: Tensor, constant: [Float]) -> Tensor { fatalError() }
  package func depthwiseConvolution(
    _ x: Tensor,
    filter: Parameter,
    stride: Int,
    padding: Int?,
    norm: BatchNorm? = nil,
    activation: Activation = .none
  ) -> Tensor {
    depthwiseConvolution(x, filter: filter, stride: stride, norm: norm, activation: activation)
  }
}
