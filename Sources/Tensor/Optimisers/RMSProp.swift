import Kernels

/// RMSProp with momentum and L2 weight decay, as PyTorch's `RMSprop` (not centred).
package final class RMSProp: Optimiser {
  /// What it trains, in a fixed order.
  package let parameters: [Parameter]
  /// Means of the squared gradients, one for each parameter.
  package let squares: [Buffer]
  /// Velocities, one for each parameter.
  package let velocities: [Buffer]
  private let alpha: Float
  private let epsilon: Float
  private let momentum: Float
  private let weightDecay: Float
  private let engine: Engine

  /// Makes an optimiser without a history.
  ///
  /// - Parameters:
  ///   - parameters: what it trains.
  ///   - alpha: share of the old mean square that stays.
  ///   - epsilon: added to the root of the mean square.
  ///   - momentum: share of the old velocity that stays; 0 for none.
  ///   - weightDecay: times the weight, added to the gradient where the parameter decays.
  ///   - engine: whose workers do it.
  package init(
    _ parameters: [Parameter],
    alpha: Float,
    epsilon: Float,
    momentum: Float,
    weightDecay: Float,
    engine: Engine
  ) {
    self.parameters = parameters
    self.alpha = alpha
    self.epsilon = epsilon
    self.momentum = momentum
    self.weightDecay = weightDecay
    self.engine = engine
    squares = parameters.map { engine.pool.takeZeros($0.value.count) }
    velocities = parameters.map { engine.pool.takeZeros($0.value.count) }
  }

  /// s = α·s + (1 − α)·g²; v = momentum·v + g/(√s + ε); w −= rate·v; then clears the gradients.
  package func step(learningRate: Float) {
    let engine = engine
    let count = parameters.reduce(0) { $0 + $1.value.count }
    engine.threadPool.run(
      Work("optimiser", .update, arithmetic: 11 * count, floats: 8 * count),
      chunks: parameters.count
    ) { i, _ in
      let p = parameters[i]
      engine.kernels.rootMeanSquareStep(
        RootMeanSquareStep(
          count: p.value.count,
          weights: p.value.pointer,
          gradient: p.gradient.pointer,
          square: squares[i].pointer,
          velocity: velocities[i].pointer,
          rate: learningRate,
          alpha: alpha,
          epsilon: epsilon,
          momentum: momentum,
          decay: p.decays ? weightDecay : 0
        )
      )
      p.gradient.clear()
    }
  }

  /// The velocities, then the squares.
  package var entries: [StateEntry] {
    entries("velocity", velocities) + entries("square", squares)
  }
}
