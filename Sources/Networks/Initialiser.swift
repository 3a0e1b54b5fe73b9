import Tensor

/// Fills parameters with their first values, each from a random stream of its own.
package struct Initialiser {
  /// Whose outputs are the fan-out of a convolution with groups; without groups both are one rule.
  package enum FanOut: Sendable {
    /// K²·D/g: the outputs that an input reaches; timm's rule, and TensorFlow's.
    case ofGroup
    /// K²·D: all outputs of the layer, whatever its groups; torchvision's `kaiming_normal_`. A
    /// depthwise convolution of C channels starts √C times smaller than by the other rule.
    case ofLayer
  }

  private let seed: UInt64
  private let fanOut: FanOut
  private var index: UInt32 = 0

  /// Starts the streams of a seed.
  package init(seed: UInt64, fanOut: FanOut = .ofGroup) {
    self.seed = seed
    self.fanOut = fanOut
  }

  /// Kaiming's normal distribution over the fan-out of a convolution.
  ///
  /// σ = √(2 / (outputs / groups)) or √(2 / outputs), as `FanOut` says; He and others 2015.
  ///
  /// - Parameters:
  ///   - parameter: the filter.
  ///   - outputs: K²·D of a K×K convolution with D outputs in all groups together.
  ///   - groups: of the convolution; as many as channels for a depthwise one.
  package mutating func kaiming(_ parameter: Parameter, outputs: Int, groups: Int = 1) {
    let fan = fanOut == .ofGroup ? outputs / groups : outputs
    normal(parameter, deviation: (2 / Float(fan)).squareRoot())
  }

  /// Normal with the given standard deviation.
  package mutating func normal(_ parameter: Parameter, deviation: Float) {
    for (i, value) in normals(parameter.value.count).enumerated() {
      parameter.value.pointer[i] = deviation * value
    }
  }

  /// Standard normal numbers of the next stream.
  mutating func normals(_ count: Int) -> [Float] {
    var random = Philox(seed: seed, purpose: .initialisation, index: index)
    index += 1
    return (0..<count).map { _ in random.normal() }
  }
}
