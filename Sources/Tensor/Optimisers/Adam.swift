/// Adam with L2 weight decay added to the gradient, as PyTorch's `Adam` (Kingma and Ba 2015; spec S9).
///
/// Plain loops: it trains architecture parameters, a few hundred numbers.
package final class Adam {
  /// First moments, one array for each parameter.
  package var firstMoments: [[Float]]
  /// Second moments.
  package var secondMoments: [[Float]]
  /// Steps taken.
  package var steps = 0
  private let beta1: Float
  private let beta2: Float
  private let weightDecay: Float
  private let epsilon: Float = 1e-8

  /// Makes an optimiser for arrays of the given sizes.
  package init(sizes: [Int], beta1: Float, beta2: Float, weightDecay: Float) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.weightDecay = weightDecay
    firstMoments = sizes.map { [Float](repeating: 0, count: $0) }
    secondMoments = firstMoments
  }

  /// One step on all arrays.
  package func step(_ parameters: inout [[Float]], gradients: [[Float]], learningRate: Float) {
    precondition(
      parameters.map(\.count) == firstMoments.map(\.count)
        && gradients.map(\.count) == firstMoments.map(\.count),
      "Adam.step: arrays of other sizes"
    )
    steps += 1
    let correction1 = 1 - Adam.power(beta1, steps)
    let correction2 = 1 - Adam.power(beta2, steps)
    for i in parameters.indices {
      for j in parameters[i].indices {
        let g = gradients[i][j] + weightDecay * parameters[i][j]
        firstMoments[i][j] = beta1 * firstMoments[i][j] + (1 - beta1) * g
        secondMoments[i][j] = beta2 * secondMoments[i][j] + (1 - beta2) * g * g
        let root = (secondMoments[i][j] / correction2).squareRoot() + epsilon
        parameters[i][j] -= learningRate * (firstMoments[i][j] / correction1) / root
      }
    }
  }

  private static func power(_ base: Float, _ exponent: Int) -> Float {
    var result = 1.0
    for _ in 0..<exponent { result *= Double(base) }
    return Float(result)
  }
}
