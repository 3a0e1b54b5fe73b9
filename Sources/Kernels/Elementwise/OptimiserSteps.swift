/// A step of SGD with momentum over one parameter.
@usableFromInline
package struct MomentumStep {
  /// Numbers in each array.
  @usableFromInline package var count: Int
  /// What is trained.
  @usableFromInline package var weights: Output
  /// Their gradient.
  @usableFromInline package var gradient: Input
  /// Their velocity.
  @usableFromInline package var velocity: Output
  /// Learning rate.
  @usableFromInline package var rate: Float
  /// Share of the old velocity that stays.
  @usableFromInline package var momentum: Float
  /// L2 decay, added to the gradient.
  @usableFromInline package var decay: Float

  /// Describes the step.
  @_alwaysEmitIntoClient
  package init(
    count: Int,
    weights: Output,
    gradient: Input,
    velocity: Output,
    rate: Float,
    momentum: Float,
    decay: Float
  ) {
    self.count = count
    self.weights = weights
    self.gradient = gradient
    self.velocity = velocity
    self.rate = rate
    self.momentum = momentum
    self.decay = decay
  }
}

/// SGD with momentum and L2 decay, as PyTorch: g += decay·w; v = momentum·v + g; w −= rate·v.
@_alwaysEmitIntoClient @inline(always)
package func momentumStep<L: Lanes>(_: L.Type, _ p: MomentumStep) {
  let step = L.Vector(repeating: -p.rate)
  let keep = L.Vector(repeating: p.momentum)
  let shrink = L.Vector(repeating: p.decay)
  var i = 0
  while i < p.count {
    let n = min(L.count, p.count - i)
    let w = L.load(p.weights + i, n)
    let g = L.fma(w, shrink, L.load(p.gradient + i, n))
    let v = L.fma(L.load(p.velocity + i, n), keep, g)
    L.store(v, p.velocity + i, n)
    L.store(L.fma(v, step, w), p.weights + i, n)
    i += L.count
  }
}

/// A step of RMSProp over one parameter.
@usableFromInline
package struct RootMeanSquareStep {
  /// Numbers in each array.
  @usableFromInline package var count: Int
  /// What is trained.
  @usableFromInline package var weights: Output
  /// Their gradient.
  @usableFromInline package var gradient: Input
  /// Mean of its squares.
  @usableFromInline package var square: Output
  /// Velocity of the weights.
  @usableFromInline package var velocity: Output
  /// Learning rate.
  @usableFromInline package var rate: Float
  /// Share of the old mean square that stays.
  @usableFromInline package var alpha: Float
  /// Added to the root.
  @usableFromInline package var epsilon: Float
  /// Share of the old velocity that stays.
  @usableFromInline package var momentum: Float
  /// L2 decay, added to the gradient.
  @usableFromInline package var decay: Float

  /// Describes the step.
  @_alwaysEmitIntoClient
  package init(
    count: Int,
    weights: Output,
    gradient: Input,
    square: Output,
    velocity: Output,
    rate: Float,
    alpha: Float,
    epsilon: Float,
    momentum: Float,
    decay: Float
  ) {
    self.count = count
    self.weights = weights
    self.gradient = gradient
    self.square = square
    self.velocity = velocity
    self.rate = rate
    self.alpha = alpha
    self.epsilon = epsilon
    self.momentum = momentum
    self.decay = decay
  }
}

/// RMSProp with momentum and L2 decay, as PyTorch: g += decay·w; s = α·s + (1 − α)·g²;
/// v = momentum·v + g / (√s + ε); w −= rate·v.
@_alwaysEmitIntoClient @inline(always)
package func rootMeanSquareStep<L: Lanes>(_: L.Type, _ p: RootMeanSquareStep) {
  let step = L.Vector(repeating: -p.rate)
  let keep = L.Vector(repeating: p.momentum)
  let shrink = L.Vector(repeating: p.decay)
  let alpha = L.Vector(repeating: p.alpha)
  let rest = L.Vector(repeating: 1 - p.alpha)
  let epsilon = L.Vector(repeating: p.epsilon)
  var i = 0
  while i < p.count {
    let n = min(L.count, p.count - i)
    let w = L.load(p.weights + i, n)
    let g = L.fma(w, shrink, L.load(p.gradient + i, n))
    let s = L.fma(L.load(p.square + i, n), alpha, g * g * rest)
    let v = L.fma(L.load(p.velocity + i, n), keep, g / (L.squareRoot(s) + epsilon))
    L.store(s, p.square + i, n)
    L.store(v, p.velocity + i, n)
    L.store(L.fma(v, step, w), p.weights + i, n)
    i += L.count
  }
}
