import Tensor

/// A block of a network as data: what it is, where it is, and what it costs.
package struct BlockDescription: Sendable, Hashable {
  /// What a block computes.
  package enum Kind: Sendable, Hashable {
    /// k×k convolution, batch-norm, activation; `padding` nil is half the kernel.
    case convolution(kernel: Int, padding: Int?, activation: Activation)
    /// Inverted residual (spec S3, S61).
    case bottleneck(Bottleneck)
    /// A dense k×k convolution in the place of expansion and depthwise convolution.
    case fused(Bottleneck)
    /// 1×1 to `middle` channels with batch-norm and activation, mean over all pixels, 1×1 (with a
    /// bias or not) and activation: the tail of FBNetV2 and V3.
    case pool(middle: Int, bias: Bool, activation: Activation)
    /// Identity; 1×1 convolution, batch-norm and ReLU where the shape changes.
    case skip

    /// 1×1 expand, k×k depthwise, 1×1 project (spec S3); the activation follows the first two.
    package static func invertedResidual(
      kernel: Int,
      middle: Int,
      groups: Int,
      activation: Activation
    ) -> Kind {
      .bottleneck(
        Bottleneck(kernels: [kernel], middle: middle, groups: groups, activation: activation)
      )
    }
  }

  /// Candidate name, `k3_e6`.
  package var name: String
  /// What the block computes.
  package var kind: Kind
  /// Channels in.
  package var input: Int
  /// Channels out.
  package var output: Int
  /// Step of the (first) k×k convolution, or of the skip's 1×1.
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
  package var keepsShape: Bool {
    input == output && stride == 1 && outputSize(height) == height && outputSize(width) == width
  }

  /// Whether the input is added to the output.
  package var isResidual: Bool {
    switch kind {
    case .bottleneck(let block), .fused(let block): keepsShape && block.hasShortcut
    case .convolution, .pool, .skip: false
    }
  }

  /// Output size along a side of `n` pixels; below 1 where the block does not fit on it.
  package func outputSize(_ n: Int) -> Int {
    switch kind {
    case .convolution(let kernel, let padding, _):
      size(n, kernel: kernel, padding: padding)
    case .bottleneck(let block):
      // Only the first of several depthwise convolutions has the stride and the padding.
      size(n, kernel: block.kernels[0], padding: block.padding)
    case .fused(let block): size(n, kernel: block.kernels[0], padding: block.padding)
    case .pool: 1
    case .skip: size(n, kernel: 1, padding: 0)
    }
  }

  /// The smallest map, in pixels, whose values one of its batch-norms takes together for an image;
  /// nil without any.
  package var normalisedPixels: Int? {
    switch kind {
    case .skip where keepsShape: nil
    // Its batch-norm precedes the mean.
    case .pool: height * width
    case .bottleneck(let block) where block.expands: min(height * width, outputPixels)
    case .convolution, .bottleneck, .fused, .skip: outputPixels
    }
  }

  private var outputPixels: Int { outputSize(height) * outputSize(width) }

  private func size(_ n: Int, kernel: Int, padding: Int?) -> Int {
    let room = n + 2 * (padding ?? kernel / 2) - kernel
    return room < 0 ? 0 : room / stride + 1
  }

  /// The middle of an inverted residual: what is between its input and output.
  package struct Bottleneck: Sendable, Hashable {
    /// Sides of the k×k convolutions, nearly always one; of several only the last has a batch-norm.
    package var kernels: [Int]
    /// Channels between the two 1×1 convolutions.
    package var middle: Int
    /// Whether a 1×1 convolution goes before; if not, `middle` is the input's width.
    package var expands: Bool
    /// Groups of both 1×1 convolutions; more than one brings a channel shuffle.
    package var groups: Int
    /// Groups of the k×k convolution, nil for one a channel.
    package var depthwiseGroups: Int?
    /// Squeeze-and-excite behind the k×k convolution.
    package var squeeze: Squeeze?
    /// After the expansion and after the last k×k convolution.
    package var activation: Activation
    /// Zero border of the first k×k convolution, nil for half its side.
    package var padding: Int?
    /// Whether a 1×1 convolution leads to the output; only fused blocks go without.
    package var projects: Bool
    /// Whether the scale of the last batch-norm begins at 0, so that a residual block begins as
    /// identity.
    package var zeroGamma: Bool
    /// Whether the input is added to an output of the same shape.
    package var hasShortcut: Bool

    /// Channels and activation between the two layers of a squeeze-and-excite; its gate is
    /// hsigmoid.
    package struct Squeeze: Sendable, Hashable {
      /// Channels.
      package var channels: Int
      /// Activation.
      package var inner: Activation

      /// Describes a squeeze-and-excite.
      package init(channels: Int, inner: Activation) {
        self.channels = channels
        self.inner = inner
      }
    }

    /// Describes a middle.
    package init(
      kernels: [Int],
      middle: Int,
      expands: Bool = true,
      groups: Int = 1,
      depthwiseGroups: Int? = nil,
      squeeze: Squeeze? = nil,
      activation: Activation,
      padding: Int? = nil,
      projects: Bool = true,
      zeroGamma: Bool = false,
      hasShortcut: Bool = true
    ) {
      self.kernels = kernels
      self.middle = middle
      self.expands = expands
      self.groups = groups
      self.depthwiseGroups = depthwiseGroups
      self.squeeze = squeeze
      self.activation = activation
      self.padding = padding
      self.projects = projects
      self.zeroGamma = zeroGamma
      self.hasShortcut = hasShortcut
    }

    /// Whether it is the plain form of FBNetV1's candidates, which a supernet's fused operation
    /// runs.
    package var isPlain: Bool {
      expands && kernels.count == 1 && depthwiseGroups == nil && squeeze == nil && padding == nil
        && projects
    }
  }
}
