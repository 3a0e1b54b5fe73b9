/// Adam with L2 weight decay added to the gradient, as PyTorch's `Adam` (Kingma and Ba 2015; spec
/// S9).
///
/// Plain loops: it trains architecture parameters, a few hundred numbers.
package final class Adam: Optimiser {
  /// What it trains, in a fixed order.
  package let parameters: [Parameter]
  /// Steps taken.
  package private(set) var steps = 0
  /// Means of the gradients, one for each parameter.
  private let firstMoments: [Buffer]
  /// Means of the squared gradients.
  private let secondMoments: [Buffer]
  /// β₁ and β₂ to the power of `steps`.
  private var powers = (first: 1.0, second: 1.0)
  private let name: String
  private let beta1: Float
  private let beta2: Float
  private let weightDecay: Float
  private let epsilon: Float = 1e-8

  /// Makes an optimiser without a history.
  ///
  /// - Parameters:
  ///   - parameters: what it trains.
  ///   - name: leads the name of its counter in a state, `theta.steps`.
  ///   - beta1: share of the old mean gradient that stays.
  ///   - beta2: share of the old mean square that stays.
  ///   - weightDecay: times the weight, added to the gradient where the parameter decays.
  ///   - engine: whose memory it takes.
  package init(
    _ parameters: [Parameter],
    name: String,
    beta1: Float,
    beta2: Float,
    weightDecay: Float,
    engine: Engine
  ) {
    self.parameters = parameters
    self.name = name
    self.beta1 = beta1
    self.beta2 = beta2
    self.weightDecay = weightDecay
    firstMoments = parameters.map { engine.pool.takeZeros($0.value.count) }
    secondMoments = parameters.map { engine.pool.takeZeros($0.value.count) }
  }

  /// m = β₁·m + (1 − β₁)·g, v = β₂·v + (1 − β₂)·g², w −= rate·m̂/(√v̂ + ε); clears the gradients.
  ///
  /// m̂ = m/(1 − β₁ᵗ) and v̂ = v/(1 − β₂ᵗ) after t steps: both means start at 0.
  package func step(learningRate: Float) {
    advance()
    let correction1 = 1 - Float(powers.first)
    let correction2 = 1 - Float(powers.second)
    for (i, parameter) in parameters.enumerated() {
      let (m, v) = (firstMoments[i].pointer, secondMoments[i].pointer)
      let (w, gradient) = (parameter.value.pointer, parameter.gradient.pointer)
      let decay = parameter.decays ? weightDecay : 0
      for j in 0..<parameter.value.count {
        let g = gradient[j] + decay * w[j]
        m[j] = beta1 * m[j] + (1 - beta1) * g
        v[j] = beta2 * v[j] + (1 - beta2) * g * g
        let root = (v[j] / correction2).squareRoot() + epsilon
        w[j] -= learningRate * (m[j] / correction1) / root
      }
      parameter.gradient.clear()
    }
  }

  private func advance() {
    steps += 1
    powers.first *= Double(beta1)
    powers.second *= Double(beta2)
  }

  /// The moments of each parameter under its name, `theta.3.m` and `theta.3.v`, and the steps.
  package var entries: [StateEntry] {
    zip(parameters, zip(firstMoments, secondMoments)).flatMap { parameter, moments in
      [
        StateEntry(name: parameter.name + ".m", shape: parameter.shape, buffer: moments.0),
        StateEntry(name: parameter.name + ".v", shape: parameter.shape, buffer: moments.1),
      ]
    } + [
      StateEntry(name: name + ".steps") {
        self.steps
      } restore: { saved in
        (self.steps, self.powers) = (0, (1, 1))
        // Multiplied as the steps did: a power taken at once may differ in its last bit.
        for _ in 0..<saved { self.advance() }
      }
    ]
  }
}
