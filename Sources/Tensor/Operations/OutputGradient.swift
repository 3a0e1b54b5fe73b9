import Kernels

extension Engine {
  /// The gradient of a raw output with the pieces that must stay alive while kernels read it.
  struct OutputGradient {
    let source: GradientSource
    let buffer: Buffer
    let coefficients: Buffer?
  }

  /// Takes the gradient of `y`, with batch-norm's backward folded into coefficients; nil if none
  /// came.
  func outputGradient(of y: Tensor) -> OutputGradient? {
    guard let gradient = y.gradient else { return nil }
    defer { y.gradient = nil }
    guard let normalisation = y.normalisation else {
      let buffer = ownGradient(of: y)
      return OutputGradient(
        source: GradientSource(
          gradient: buffer.pointer,
          raw: nil,
          stride: y.channels,
          channels: y.channels,
          coefficients: nil,
          coefficientStride: 0
        ),
        buffer: buffer,
        coefficients: nil
      )
    }
    let coefficients = normalisation.coefficients(
      factor: gradient.factor,
      trainNorm: trainsParameters,
      pool: pool
    )
    if let factors = gradient.channelFactors {
      for c in 0..<y.channels { coefficients.pointer[c] *= factors.pointer[c] }
    }
    let source = GradientSource(
      gradient: gradient.buffer.pointer,
      raw: y.buffer.pointer,
      stride: y.channels,
      channels: y.channels,
      coefficients: coefficients.pointer,
      coefficientStride: y.channels,
      scale: normalisation.scale.pointer,
      shift: normalisation.shift.pointer,
      activation: gradient.activated ? .none : normalisation.activation
    )
    return OutputGradient(source: source, buffer: gradient.buffer, coefficients: coefficients)
  }
}

extension GradientSource {
  /// The slice of `channels` channels from `offset` on.
  func slice(_ offset: Int, channels: Int) -> GradientSource {
    GradientSource(
      gradient: gradient + offset,
      raw: raw.map { $0 + offset },
      stride: stride,
      channels: channels,
      coefficients: coefficients.map { $0 + offset },
      coefficientStride: coefficientStride,
      scale: scale.map { $0 + offset },
      shift: shift.map { $0 + offset },
      activation: activation
    )
  }
}
