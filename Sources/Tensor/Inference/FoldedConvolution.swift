/// A convolution whose batch-norm is part of its weights, as plain numbers.
///
/// y = activation(x ∗ filter + bias) with filter = w·γ/√(σ² + ε) and bias = β − μ·γ/√(σ² + ε), σ²
/// and μ the running statistics.
package struct FoldedConvolution {
  /// `[K, K, C, D]`, groups filled with zeros; `[K, K, C]` of a depthwise convolution.
  package let filter: [Float]
  /// `[D]`.
  package let bias: [Float]
  /// Side of the filter.
  package let kernel: Int
  /// Channels in.
  package let input: Int
  /// Channels out.
  package let output: Int
  /// What follows.
  package let activation: Activation

  /// Folds `norm` into a dense or grouped filter.
  ///
  /// - Parameters:
  ///   - filter: `[K, K, C, D]`, or with groups `[g, K, K, C/g, D/g]` or, of a 1×1, `[g, C/g,
  ///     D/g]`.
  ///   - norm: the batch-norm behind it.
  ///   - shuffles: whether a channel shuffle over the groups follows; it becomes an order of
  ///     columns.
  ///   - activation: what follows.
  package init(
    _ filter: Parameter,
    norm: BatchNorm,
    shuffles: Bool = false,
    activation: Activation
  ) {
    let dimensions = filter.shape.count
    let groups = dimensions == 4 ? 1 : filter.shape[0]
    let depth = filter.shape[filter.shape.count - 2]
    let width = filter.shape[filter.shape.count - 1]
    let kernel = dimensions == 3 ? 1 : filter.shape[dimensions - 4]
    let output = groups * width
    let (scale, shift) = norm.folded
    var folded = [Float](repeating: 0, count: kernel * kernel * groups * depth * output)
    var bias = [Float](repeating: 0, count: output)
    for c in 0..<output {
      let group = c / width
      // Channel i·(D/g) + j moves to j·g + i, as in `Engine.channelShuffle`.
      let column = shuffles ? c % width * groups + group : c
      bias[column] = Float(shift[c])
      for tap in 0..<kernel * kernel {
        let from = (group * kernel * kernel + tap) * depth
        let to = (tap * groups + group) * depth
        for k in 0..<depth {
          let weight = Double(filter.value.pointer[(from + k) * width + c % width])
          folded[(to + k) * output + column] = Float(weight * scale[c])
        }
      }
    }
    self.filter = folded
    self.bias = bias
    self.kernel = kernel
    self.input = groups * depth
    self.output = output
    self.activation = activation
  }

  /// Folds `norm` into a depthwise filter, `[K, K, C]`.
  package init(depthwise filter: Parameter, norm: BatchNorm, activation: Activation) {
    let channels = filter.shape[2]
    let (scale, shift) = norm.folded
    self.filter = filter.value.elements.enumerated().map {
      Float(Double($0.element) * scale[$0.offset % channels])
    }
    bias = shift.map { Float($0) }
    kernel = filter.shape[0]
    input = channels
    output = channels
    self.activation = activation
  }

  /// A linear layer.
  ///
  /// - Parameters:
  ///   - filter: `[C, D]`.
  ///   - bias: `[D]`.
  package init(_ filter: Parameter, bias: Parameter) {
    self.filter = Array(filter.value.elements)
    self.bias = Array(bias.value.elements)
    kernel = 1
    input = filter.shape[0]
    output = filter.shape[1]
    activation = .none
  }
}

extension BatchNorm {
  /// Scale and shift of a channel with the running statistics.
  fileprivate var folded: (scale: [Double], shift: [Double]) {
    let scale = runningVariance.enumerated().map {
      Double(gamma.value.pointer[$0.offset]) / ($0.element + epsilon).squareRoot()
    }
    let shift = scale.enumerated().map {
      Double(beta.value.pointer[$0.offset]) - runningMean[$0.offset] * $0.element
    }
    return (scale, shift)
  }
}

/// A part of a network as the inference path runs it, between narrow maps.
package enum InferenceLayer {
  /// A k×k convolution with its border and step; k > 1 only on the image.
  case convolution(FoldedConvolution, stride: Int)
  /// 1×1 expansion (if any), depthwise k×k with its step, 1×1 projection, and the shortcut.
  case invertedResidual(
    expand: FoldedConvolution?,
    depthwise: FoldedConvolution,
    project: FoldedConvolution,
    stride: Int,
    isResidual: Bool
  )
}
