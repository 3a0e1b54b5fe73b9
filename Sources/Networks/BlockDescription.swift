import Tensor

/// A searched block as data: what it is, where it stands, and what it costs.
///
/// Costs follow the counting rule `madds`: multiply–accumulates of convolutions and linear layers, and
/// their weights; biases, batch-norm and activations count for nothing.
package struct BlockDescription: Sendable, Equatable {
  /// An inverted residual, or passing the input on.
  package enum Kind: Sendable, Equatable {
    /// 1×1 expand, k×k depthwise, 1×1 project (spec S3); the activation follows the first two.
    case invertedResidual(kernel: Int, middle: Int, groups: Int, activation: Activation)
    /// k×k depthwise, 1×1 project: an inverted residual without expansion, as published networks have it
    /// where the factor is 1.
    case depthwiseSeparable(kernel: Int, activation: Activation)
    /// Identity; 1×1 convolution, batch-norm and ReLU where the shape changes.
    case skip
  }

  /// Candidate name, `k3_e6`.
  package var name: String
  /// What the block computes.
  package var kind: Kind
  /// Channels in.
  package var input: Int
  /// Channels out.
  package var output: Int
  /// Step of the depthwise convolution, or of the skip's 1×1.
  package var stride: Int
  /// Input height, pixels.
  package var height: Int
  /// Input width, pixels.
  package var width: Int

  /// Describes a block.
  package init(
    name: String,
    kind: Kind,
    input: Int,
    output: Int,
    stride: Int,
    height: Int,
    width: Int
  ) {
    self.name = name
    self.kind = kind
    self.input = input
    self.output = output
    self.stride = stride
    self.height = height
    self.width = width
  }

  /// Whether input and output agree in shape.
  package var keepsShape: Bool { stride == 1 && input == output }
  /// Whether the input is added to the output.
  package var isResidual: Bool { keepsShape && kind != .skip }
  /// Output size along a side of `n` pixels.
  package func outputSize(_ n: Int) -> Int { (n - 1) / stride + 1 }

  /// Multiply–accumulates of one image.
  package var flops: Double {
    let inPixels = Double(height * width)
    let outPixels = Double(outputSize(height) * outputSize(width))
    return switch kind {
    case .invertedResidual(let kernel, let middle, let groups, _):
      Double(input * middle / groups) * inPixels + Double(kernel * kernel * middle) * outPixels
        + Double(middle * output / groups) * outPixels
    case .depthwiseSeparable(let kernel, _):
      Double(kernel * kernel * input + input * output) * outPixels
    case .skip: keepsShape ? 0 : Double(input * output) * outPixels
    }
  }

  /// Weights of convolutions.
  package var params: Double {
    switch kind {
    case .invertedResidual(let kernel, let middle, let groups, _):
      Double(input * middle / groups + kernel * kernel * middle + middle * output / groups)
    case .depthwiseSeparable(let kernel, _): Double(kernel * kernel * input + input * output)
    case .skip: keepsShape ? 0 : Double(input * output)
    }
  }
}
