import Kernels

/// SGD with momentum and L2 weight decay (spec S9), as PyTorch's.
package final class StochasticGradientDescent: Optimiser {
  /// What it trains, in a fixed order.
  package let parameters: [Parameter]
  /// Velocities, one for each parameter.
  package let velocities: [Buffer]
  private let momentum: Float
  private let weightDecay: Float
  private let engine: Engine

  /// Makes an optimiser without a history.
  package init(_ parameters: [Parameter], momentum: Float, weightDecay: Float, engine: Engine) {
    self.parameters = parameters
    self.momentum = momentum
    self.weightDecay = weightDecay
    self.engine = engine
    velocities = parameters.map { engine.pool.takeZeros($0.value.count) }
  }

  /// v = momentum·v + g + decay·w; w −= rate·v; then clears the gradients.
  package func step(learningRate: Float) {
    let engine = engine
    engine.threadPool.run(
      Work(
        "optimiser",
        .update,
        arithmetic: 6 * parameters.reduce(0) { $0 + $1.value.count },
        floats: 6 * parameters.reduce(0) { $0 + $1.value.count }
      ),
      chunks: parameters.count
    ) { i, _ in
      let p = parameters[i]
      engine.kernels.momentumStep(
        MomentumStep(
          count: p.value.count,
          weights: p.value.pointer,
          gradient: p.gradient.pointer,
          velocity: velocities[i].pointer,
          rate: learningRate,
          momentum: momentum,
          decay: p.decays ? weightDecay : 0
        )
      )
      p.gradient.clear()
    }
  }

  /// The velocities.
  package var entries: [StateEntry] { entries("velocity", velocities) }
}
