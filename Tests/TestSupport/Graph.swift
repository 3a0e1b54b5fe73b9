import Tensor

/// A value of a `Graph`, by its number there.
package struct Node: Sendable {
  let index: Int
}

/// What is between a convolution and its readers.
package enum Norm: Sendable, CaseIterable {
  /// No batch-norm.
  case off
  /// Batch-norm alone.
  case linear
  /// Batch-norm and ReLU.
  case relu
  /// Batch-norm and hswish.
  case hswish
}

/// Functions of one tensor, element by element unless named otherwise.
package enum Unary: Sendable {
  /// Over the last dimension.
  case softmax
  case exponential
  case logarithm
  case positivePart
  case relu
  case hswish
  case hsigmoid
  case affine(factor: Float, constant: Float)
  /// Of all elements, a scalar.
  case sum
}

/// An inverted residual of a layer.
package struct Residual: Sendable {
  /// Of its parameters.
  package var name: String
  /// Side of the depthwise filter.
  package var kernel: Int
  /// Expanded channels.
  package var middle: Int
  /// Groups of the 1×1 convolutions.
  package var groups: Int
  /// After expansion and depthwise convolution; not `off`.
  package var norm: Norm

  /// Describes it.
  package init(_ name: String, kernel: Int, middle: Int, groups: Int = 1, norm: Norm = .relu) {
    self.name = name
    self.kernel = kernel
    self.middle = middle
    self.groups = groups
    self.norm = norm
  }
}

/// Operations of the engine by name, so that one text describes a test for the engine and for the
/// reference that it is compared with.
///
/// A leaf whose name stands already is that leaf: bodies that run more than once share theirs.
package protocol Graph: AnyObject {
  /// A leaf that a gradient is wanted for.
  func input(_ name: String, _ shape: [Int], _ fill: Fill) -> Node
  /// Dense convolution with parameters `name.filter`, `name.bias`, `name.gamma`, `name.beta`.
  func convolution(
    _ x: Node,
    _ name: String,
    to channels: Int,
    geometry: ConvolutionGeometry,
    bias: Bool,
    norm: Norm
  ) -> Node
  /// Depthwise convolution with parameters `name.filter`, `name.gamma`, `name.beta`; `padding` nil
  /// is half the kernel.
  func depthwise(
    _ x: Node,
    _ name: String,
    kernel: Int,
    stride: Int,
    padding: Int?,
    norm: Norm
  ) -> Node
  /// The same under a mask of its filter, `taps` [kernel·kernel].
  func depthwise(
    _ x: Node,
    _ name: String,
    kernel: Int,
    stride: Int,
    taps: Node,
    norm: Norm
  ) -> Node
  /// See `Engine.channelMask`.
  func channelMask(_ weights: Node, widths: [Int], forward: [Float]?) -> Node
  /// See `Engine.tapMask`.
  func tapMask(_ weights: Node, sides: [Int], forward: [Float]?) -> Node
  /// See `Engine.mask`.
  func mask(_ x: Node, by mask: Node) -> Node
  /// See `Engine.mixActivations`.
  func mixActivations(
    _ x: Node,
    _ activations: [Norm],
    weights: Node,
    forward: [Float]?
  ) -> Node
  /// See `Engine.subsample`.
  func subsample(_ x: Node, to size: MapSize) -> Node
  /// The same with a batch-norm of parameters `name.gamma`, `name.beta` on the pixels; not `off`.
  func subsample(_ x: Node, to size: MapSize, _ name: String, norm: Norm) -> Node
  /// See `Engine.scatter`.
  func scatter(_ x: Node, to size: MapSize) -> Node
  /// See `Engine.resolutionSum`.
  func resolutionSum(
    _ x: Node,
    sizes: [MapSize],
    weights: Node,
    forward: [Float]?,
    inputs: [Node],
    to size: MapSize,
    _ body: @escaping (Node) -> Node
  ) -> Node
  /// See `Engine.checkpoint`.
  func checkpoint(_ inputs: [Node], _ body: @escaping () -> Node) -> Node
  /// See `Engine.invertedResiduals`; parameters `name.expand`, `name.depthwise` and `name.project`,
  /// each with its filter and norm.
  func invertedResiduals(_ x: Node, _ branches: [Residual], to channels: Int, stride: Int) -> [Node]
  /// See `Engine.weightedSum`.
  func weightedSum(
    _ branches: [(Node, isResidual: Bool)],
    shortcut: Node?,
    weights: Node,
    forward: [Float]?
  ) -> Node
  /// See `Engine.averagePool`.
  func averagePool(_ x: Node) -> Node
  /// See `Engine.materialise`.
  func materialise(_ x: Node) -> Node
  /// See `Engine.channelShuffle`.
  func channelShuffle(_ x: Node, groups: Int) -> Node
  /// See `Engine.padChannels`.
  func padChannels(_ x: Node, to channels: Int) -> Node
  /// See `Engine.scaleChannels`.
  func scaleChannels(_ x: Node, by gate: Node) -> Node
  /// See `Engine.squeezeExcite`; parameters `name.reduce` and `name.restore`, each with filter and
  /// bias.
  func squeezeExcite(_ x: Node, _ name: String, through channels: Int, inner: Unary) -> Node
  /// See `Engine.crossEntropy`.
  func crossEntropy(
    _ x: Node,
    labels: [Int32],
    smoothing: Float,
    mixed: (labels: [Int32], share: Float)?
  ) -> Node
  /// See `Unary`.
  func unary(_ x: Node, _ operation: Unary) -> Node
  /// See `Engine.repeatRows`.
  func repeatRows(_ x: Node, count: Int) -> Node
  /// a + b.
  func add(_ a: Node, _ b: Node) -> Node
  /// a · b.
  func multiply(_ a: Node, _ b: Node) -> Node
  /// a · values.
  func multiply(_ a: Node, constant values: [Float]) -> Node
}

extension Graph {
  /// A depthwise convolution with the border that keeps the size.
  package func depthwise(
    _ x: Node,
    _ name: String,
    kernel: Int,
    stride: Int,
    norm: Norm
  ) -> Node {
    depthwise(x, name, kernel: kernel, stride: stride, padding: nil, norm: norm)
  }

  /// The cross-entropy of one label a row.
  package func crossEntropy(_ x: Node, labels: [Int32], smoothing: Float) -> Node {
    crossEntropy(x, labels: labels, smoothing: smoothing, mixed: nil)
  }

  /// A 1×1 convolution, in `groups` groups.
  package func pointwise(
    _ x: Node,
    _ name: String,
    to channels: Int,
    groups: Int = 1,
    bias: Bool = false,
    norm: Norm = .off
  ) -> Node {
    convolution(
      x,
      name,
      to: channels,
      geometry: .init(groups: groups),
      bias: bias,
      norm: norm
    )
  }

  /// A leaf, or with `norm` a 1×1 convolution of one that leaves its normalisation deferred.
  package func deferred(_ shape: [Int], _ norm: Norm) -> Node {
    let x = input("x", shape, .normal)
    return norm == .off ? x : pointwise(x, "before", to: shape[shape.count - 1], norm: norm)
  }
}

/// How the values of a leaf are distributed.
package enum Fill: Sendable {
  /// Standard normal.
  case normal
  /// Normal with variance 1/fan-in.
  case filter(fanIn: Int)
  /// Uniform in (0.5, 1.5).
  case positive
  /// Normal of deviation 0.3.
  case small
}

/// The values of leaves: given ones, or random ones that depend on seed and name alone.
package struct Leaves: Sendable {
  /// Tells apart cases with equal names.
  package var seed: UInt64
  /// Values by name that replace the random ones.
  package var given: [String: [Float]] = [:]
  /// Moves every leaf, or the one named, by `step` along its random direction of ±1.
  package var step = 0.0
  /// The only leaf that `step` moves; nil moves all.
  package var moved: String?

  /// Makes the leaves of a case.
  package init(seed: UInt64 = 1, given: [String: [Float]] = [:]) {
    self.seed = seed
    self.given = given
  }

  /// The values of a leaf, in double precision; exact in single precision when `step` is 0.
  func values(_ name: String, count: Int, _ fill: Fill) -> [Double] {
    var random = Philox(seed: seed &+ Leaves.hash(name), purpose: .test)
    var values =
      given[name]?.map { Double($0) }
      ?? (0..<count).map { _ in
        switch fill {
        case .normal: Double(random.normal())
        case .filter(let fanIn): Double(random.normal() / Float(fanIn).squareRoot())
        case .positive: Double(random.uniform() + 0.5)
        case .small: Double(random.normal() * 0.3)
        }
      }
    precondition(values.count == count, "leaf \(name): \(values.count) values for \(count)")
    values = values.map { Double(Float($0)) }
    if step != 0 && (moved == nil || moved == name) {
      let direction = direction(name, count: count)
      for i in 0..<count { values[i] += step * direction[i] }
    }
    return values
  }

  /// The direction of ±1 that `step` moves a leaf along.
  package func direction(_ name: String, count: Int) -> [Double] {
    var random = Philox(seed: seed &+ Leaves.hash(name), purpose: .test, step: 1)
    return (0..<count).map { _ in random.next() & 1 == 0 ? 1 : -1 }
  }

  /// Weights w of the loss Σ w·output that gradients are taken of.
  package func outputWeights(_ count: Int) -> [Double] {
    if let given = given["output"] { return given.map { Double($0) } }
    var random = Philox(seed: seed, purpose: .test, step: 2)
    return (0..<count).map { _ in Double(random.normal()) }
  }

  /// FNV-1a.
  private static func hash(_ name: String) -> UInt64 {
    name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}

/// What a graph computed: the output, and the gradient of Σ w·output for every leaf by name.
package struct Outcome: Sendable {
  /// Elements of the output.
  package var output: [Double]
  /// Gradients by leaf.
  package var gradients: [String: [Double]]
  /// Σ w·output.
  package var loss: Double

  /// Makes an outcome.
  package init(output: [Double], gradients: [String: [Double]], loss: Double = 0) {
    self.output = output
    self.gradients = gradients
    self.loss = loss
  }
}
