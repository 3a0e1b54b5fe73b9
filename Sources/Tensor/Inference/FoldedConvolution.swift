/// A convolution whose batch-norm is part of its weights, as plain numbers.
///
/// y = activation(x ∗ filter + bias) with filter = w·γ/√(σ² + ε) and bias = β − μ·γ/√(σ² + ε), σ²
/// and μ the running statistics.
package struct FoldedConvolution {
  /// `[K, K, C, D]`, groups of a 1×1 filled with zeros; `[K, K, C]` of a depthwise convolution;
  /// `[g, K, K, C/g, D/g]` of one with wider groups.
  package let filter: [Float]
  /// `[D]`.
  package let bias: [Float]
  /// Side, step and border; the groups of a depthwise convolution are its channels.
  package let geometry: ConvolutionGeometry
  /// Channels in.
  package let input: Int
  /// Channels out.
  package let output: Int
  /// What follows.
  package let activation: Activation

  /// Folds `norm` into a dense filter, or into that of a 1×1 with groups.
  ///
  /// - Parameters:
  ///   - filter: `[K, K, C, D]`; of a 1×1 with groups `[g, C/g, D/g]`.
  ///   - norm: the batch-norm behind it.
  ///   - geometry: side, step and border.
  ///   - shuffle: groups of the channel shuffle that follows, which becomes an order of columns; 1
  ///     for none.
  ///   - activation: what follows.
  package init(
    _ filter: Parameter,
    norm: BatchNorm,
    geometry: ConvolutionGeometry = .init(),
    shuffle: Int = 1,
    activation: Activation
  ) {
    let groups = filter.shape.count == 3 ? filter.shape[0] : 1
    let depth = filter.shape[filter.shape.count - 2]
    let width = filter.shape[filter.shape.count - 1]
    let output = groups * width
    let taps = geometry.kernel * geometry.kernel
    let (scale, shift) = norm.folded
    var folded = [Float](repeating: 0, count: taps * groups * depth * output)
    var bias = [Float](repeating: 0, count: output)
    for c in 0..<output {
      let group = c / width
      let column = FoldedConvolution.shuffled(c, of: output, groups: shuffle)
      bias[column] = Float(shift[c])
      for tap in 0..<taps {
        let from = (group * taps + tap) * depth
        let to = (tap * groups + group) * depth
        for k in 0..<depth {
          let weight = Double(filter.value.pointer[(from + k) * width + c % width])
          folded[(to + k) * output + column] = Float(weight * scale[c])
        }
      }
    }
    self.filter = folded
    self.bias = bias
    self.geometry = ConvolutionGeometry(
      kernel: geometry.kernel,
      stride: geometry.stride,
      padding: geometry.padding
    )
    input = groups * depth
    self.output = output
    self.activation = activation
  }

  /// Folds `norm`, if there is one, into a depthwise filter, `[K, K, C]`, or into one of wider
  /// groups, `[g, K, K, C/g, D/g]`, where a group of everything stands without its 1.
  package init(
    grouped filter: Parameter,
    norm: BatchNorm?,
    geometry: ConvolutionGeometry,
    activation: Activation
  ) {
    let isPlain = filter.shape.count == 3
    let sizes = isPlain ? [1, 1] : Array(filter.shape.suffix(2))
    let (depth, width) = (sizes[0], sizes[1])
    let taps = geometry.kernel * geometry.kernel
    let output = geometry.groups * width
    let scale = norm?.folded.scale ?? [Double](repeating: 1, count: output)
    let weights = filter.value.elements
    if isPlain {
      self.filter = weights.enumerated().map { Float(Double($1) * scale[$0 % output]) }
    } else if depth == 1 && width == 1 {
      self.filter = (0..<weights.count).map {
        let (tap, c) = ($0 / output, $0 % output)
        return Float(Double(weights[c * taps + tap]) * scale[c])
      }
    } else {
      self.filter = weights.enumerated().map {
        let group = $0 / (taps * depth * width)
        return Float(Double($1) * scale[group * width + $0 % width])
      }
    }
    bias = norm?.folded.shift.map { Float($0) } ?? [Float](repeating: 0, count: output)
    self.geometry = geometry
    input = geometry.groups * depth
    self.output = output
    self.activation = activation
  }

  /// A linear layer.
  ///
  /// - Parameters:
  ///   - filter: `[C, D]`.
  ///   - bias: `[D]`, nil for zeros.
  ///   - activation: what follows.
  package init(_ filter: Parameter, bias: Parameter?, activation: Activation = .none) {
    self.filter = Array(filter.value.elements)
    input = filter.shape[0]
    output = filter.shape[1]
    self.bias = bias.map { Array($0.value.elements) } ?? [Float](repeating: 0, count: output)
    geometry = .init()
    self.activation = activation
  }

  /// The channel shuffle by itself, as a 1×1; with one group the identity.
  package init(shuffling channels: Int, groups: Int) {
    var filter = [Float](repeating: 0, count: channels * channels)
    for c in 0..<channels {
      filter[c * channels + FoldedConvolution.shuffled(c, of: channels, groups: groups)] = 1
    }
    self.filter = filter
    bias = [Float](repeating: 0, count: channels)
    geometry = .init()
    input = channels
    output = channels
    activation = .none
  }

  /// Whether every channel has a filter of its own.
  var isDepthwise: Bool {
    geometry.groups > 1 && geometry.groups == input && geometry.groups == output
  }

  /// Whether it is one matrix for every pixel.
  var isPointwise: Bool { geometry == .init() }

  /// Where `Engine.channelShuffle` moves channel i·(C/g) + j: to j·g + i.
  private static func shuffled(_ c: Int, of channels: Int, groups: Int) -> Int {
    c % (channels / groups) * groups + c / (channels / groups)
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
