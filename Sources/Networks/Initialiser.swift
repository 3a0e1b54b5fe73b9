import Tensor

/// Fills parameters with their first values, each from a random stream of its own.
package struct Initialiser {
  private let seed: UInt64
  private var index: UInt32 = 0

  /// Starts the streams of a seed.
  package init(seed: UInt64) {
    self.seed = seed
  }

  /// Kaiming's normal distribution over the fan-out.
  ///
  /// σ = √(2 / fanOut), He and others 2015.
  package mutating func kaiming(_ parameter: Parameter, fanOut: Int) {
    normal(parameter, deviation: (2 / Float(fanOut)).squareRoot())
  }

  /// Normal with the given standard deviation.
  package mutating func normal(_ parameter: Parameter, deviation: Float) {
    var random = Philox(seed: seed, purpose: .initialisation, index: index)
    index += 1
    for i in 0..<parameter.value.count {
      parameter.value.pointer[i] = deviation * random.normal()
    }
  }
}
