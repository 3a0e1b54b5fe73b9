import Tensor

/// A law of counting FLOPs and parameters; there are several, and published figures follow each
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

/// What a block or network costs, in parts that the rules of counting add up.
package struct Cost: Sendable, Equatable {
  /// Multiply–accumulates of convolutions and linear layers for one image.
  package var multiplies = 0
  /// Values that means over all pixels read.
  package var pooled = 0
  /// Values that batch-norms scale.
  package var normalised = 0
  /// Weights of convolutions and linear layers.
  package var weights = 0
  /// Their biases.
  package var biases = 0
  /// Scales and shifts of batch-norms.
  package var affine = 0

  /// FLOPs of one image by a rule.
  package func flops(_ rule: CountingRule) -> Int {
    switch rule {
    case .zoo: multiplies + pooled
    case .madds: multiplies
    case .withBatchNorm: multiplies + pooled + normalised
    }
  }

  /// Parameters by a rule.
  package func params(_ rule: CountingRule) -> Int {
    switch rule {
    case .zoo, .madds: weights
    case .withBatchNorm: weights + biases + affine
    }
  }

  /// Adds a convolution to `output` channels over `pixels` output pixels, each of `fanIn` products.
  mutating func convolution(_ fanIn: Int, to output: Int, pixels: Int, norm: Bool = true) {
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

extension BlockDescription {
  /// What the block costs.
  package var cost: Cost {
    var cost = Cost()
    let inPixels = height * width
    let outPixels = outputSize(height) * outputSize(width)
    switch kind {
    case .convolution(let kernel, _, _):
      cost.convolution(kernel * kernel * input, to: output, pixels: outPixels)
    case .bottleneck(let block):
      if block.expands {
        cost.convolution(input / block.groups, to: block.middle, pixels: inPixels)
      }
      let width = block.middle / (block.depthwiseGroups ?? block.middle)
      for (index, kernel) in block.kernels.enumerated() {
        cost.convolution(
          kernel * kernel * width,
          to: block.middle,
          pixels: outPixels,
          norm: index == block.kernels.count - 1
        )
      }
      if let squeeze = block.squeeze { cost += squeeze.cost(block.middle, pixels: outPixels) }
      cost.convolution(block.middle / block.groups, to: output, pixels: outPixels)
    case .fused(let block):
      let kernel = block.kernels[0]
      cost.convolution(kernel * kernel * input, to: block.middle, pixels: outPixels)
      if let squeeze = block.squeeze { cost += squeeze.cost(block.middle, pixels: outPixels) }
      if block.projects { cost.convolution(block.middle, to: output, pixels: outPixels) }
    case .pool(let middle, let bias, _):
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

extension BlockDescription.Bottleneck.Squeeze {
  fileprivate func cost(_ middle: Int, pixels: Int) -> Cost {
    var cost = Cost()
    cost.pooled = middle * pixels
    cost.convolution(middle, to: channels, pixels: 1, norm: false)
    cost.convolution(channels, to: middle, pixels: 1, norm: false)
    cost.biases = middle + channels
    return cost
  }
}
