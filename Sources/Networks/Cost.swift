import Tensor

/// A rule for counting FLOPs and parameters; there are several, and published figures follow each
/// (spec S60).
package enum CountingRule: String, Sendable, CaseIterable {
  /// The FBNet zoo's: multiply–accumulates, and one for each value that a mean over pixels reads;
  /// of the parameters the weights of convolutions and linear layers alone.
  case zoo
  /// Multiply–accumulates of convolutions and linear layers, and their weights.
  case madds
  /// `zoo`, with one multiply–accumulate for each value that a batch-norm scales, and with
  /// batch-norm's scale and shift and all biases among the parameters: what is trained.
  case withBatchNorm = "with-batch-norm"
}

/// A number that costs are counted in: whole, or real where sizes are means over several networks.
package protocol CountingNumber: Numeric, Sendable {
  /// A whole number, exactly.
  init(_ value: Int)
  /// A share; of whole numbers one without a remainder.
  static func / (a: Self, b: Self) -> Self
}

extension Int: CountingNumber {}
extension Double: CountingNumber {}

/// What a block or network costs, in parts that the rules of counting add up.
package struct Cost<Number: CountingNumber>: Sendable, Equatable {
  /// Multiply–accumulates of convolutions and linear layers for one image.
  package var multiplies: Number = 0
  /// Values that means over all pixels read.
  package var pooled: Number = 0
  /// Values that batch-norms scale.
  package var normalised: Number = 0
  /// Weights of convolutions and linear layers.
  package var weights: Number = 0
  /// Their biases.
  package var biases: Number = 0
  /// Scales and shifts of batch-norms.
  package var affine: Number = 0

  /// Nothing yet.
  package init() {}

  /// FLOPs of one image by a rule.
  package func flops(_ rule: CountingRule) -> Number {
    switch rule {
    case .zoo: multiplies + pooled
    case .madds: multiplies
    case .withBatchNorm: multiplies + pooled + normalised
    }
  }

  /// Parameters by a rule.
  package func params(_ rule: CountingRule) -> Number {
    switch rule {
    case .zoo, .madds: weights
    case .withBatchNorm: weights + biases + affine
    }
  }

  /// Takes all parts times `factor`.
  package mutating func scale(by factor: Number) {
    multiplies *= factor
    pooled *= factor
    normalised *= factor
    weights *= factor
    biases *= factor
    affine *= factor
  }

  /// Adds a convolution to `output` channels over `pixels` output pixels, each of `fanIn` products.
  package mutating func convolution(
    _ fanIn: Number,
    to output: Number,
    pixels: Number,
    norm: Bool = true
  ) {
    multiplies += fanIn * output * pixels
    weights += fanIn * output
    if norm {
      normalised += output * pixels
      affine += 2 * output
    }
  }

  /// Adds the parts of another cost.
  package static func += (total: inout Cost, part: Cost) {
    total.multiplies += part.multiplies
    total.pooled += part.pooled
    total.normalised += part.normalised
    total.weights += part.weights
    total.biases += part.biases
    total.affine += part.affine
  }
}

/// The sizes that a block's cost follows from: those of a description, or effective ones, which
/// need not be whole (FBNetV2: a mean over masked widths and over resolutions).
package struct BlockShape<Number: CountingNumber>: Sendable, Equatable {
  /// Channels in.
  package var input: Number
  /// Channels between the two 1×1 convolutions, or before the mean of a tail; 0 in blocks without.
  package var middle: Number
  /// Channels out.
  package var output: Number
  /// Channels in the middle of a squeeze-and-excite; 0 without one.
  package var squeeze: Number
  /// Pixels of the input map.
  package var inputPixels: Number
  /// Pixels of the output map.
  package var outputPixels: Number

  /// Sizes; those that a block does not have are 0.
  package init(
    input: Number,
    middle: Number = 0,
    output: Number,
    squeeze: Number = 0,
    inputPixels: Number,
    outputPixels: Number
  ) {
    self.input = input
    self.middle = middle
    self.output = output
    self.squeeze = squeeze
    self.inputPixels = inputPixels
    self.outputPixels = outputPixels
  }

  /// The sizes that `block` describes.
  package init(_ block: BlockDescription) {
    input = Number(block.input)
    output = Number(block.output)
    inputPixels = Number(block.height * block.width)
    outputPixels = Number(block.outputSize(block.height) * block.outputSize(block.width))
    switch block.kind {
    case .bottleneck(let inner), .fused(let inner):
      middle = Number(inner.middle)
      squeeze = Number(inner.squeeze?.channels ?? 0)
    case .pool(let channels, _, _): (middle, squeeze) = (Number(channels), 0)
    case .convolution, .skip: (middle, squeeze) = (0, 0)
    }
  }
}

extension BlockDescription {
  /// What the block costs.
  package var cost: Cost<Int> { cost(BlockShape(self)) }

  /// What the block would cost with other sizes: one text counts whole shapes and effective ones.
  ///
  /// - Precondition: whole channels divide by the block's groups.
  package func cost<Number>(_ shape: BlockShape<Number>) -> Cost<Number> {
    var cost = Cost<Number>()
    let (input, middle, output) = (shape.input, shape.middle, shape.output)
    let (inPixels, outPixels) = (shape.inputPixels, shape.outputPixels)
    switch kind {
    case .convolution(let kernel, _, _):
      cost.convolution(Number(kernel * kernel) * input, to: output, pixels: outPixels)
    case .bottleneck(let block):
      let groups = Number(block.groups)
      if block.expands { cost.convolution(input / groups, to: middle, pixels: inPixels) }
      // Channels that a k×k filter reads: one where each channel has a group of its own.
      let width = block.depthwiseGroups.map { middle / Number($0) } ?? 1
      for (index, kernel) in block.kernels.enumerated() {
        cost.convolution(
          Number(kernel * kernel) * width,
          to: middle,
          pixels: outPixels,
          norm: index == block.kernels.count - 1
        )
      }
      if block.squeeze != nil { cost.squeeze(middle, shape.squeeze, pixels: outPixels) }
      cost.convolution(middle / groups, to: output, pixels: outPixels)
    case .fused(let block):
      let kernel = block.kernels[0]
      cost.convolution(Number(kernel * kernel) * input, to: middle, pixels: outPixels)
      if block.squeeze != nil { cost.squeeze(middle, shape.squeeze, pixels: outPixels) }
      if block.projects { cost.convolution(middle, to: output, pixels: outPixels) }
    case .pool(_, let bias, _):
      cost.convolution(input, to: middle, pixels: inPixels)
      cost.pooled += middle * inPixels
      cost.convolution(middle, to: output, pixels: 1, norm: false)
      if bias { cost.biases += output }
    case .skip where keepsShape: break
    case .skip: cost.convolution(input, to: output, pixels: outPixels)
    }
    return cost
  }

  /// Multiply–accumulates of one image, rule `madds`.
  package var flops: Double { Double(cost.flops(.madds)) }
  /// Weights of convolutions, rule `madds`.
  package var params: Double { Double(cost.params(.madds)) }
}

extension Cost {
  /// Adds a squeeze-and-excite of `middle` channels on maps of `pixels`, with `inner` between its
  /// layers.
  fileprivate mutating func squeeze(_ middle: Number, _ inner: Number, pixels: Number) {
    pooled += middle * pixels
    convolution(middle, to: inner, pixels: 1, norm: false)
    convolution(inner, to: middle, pixels: 1, norm: false)
    biases += middle + inner
  }
}
