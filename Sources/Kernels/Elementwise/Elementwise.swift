/// y += a · x.
@inlinable @inline(always)
package func addScaled<L: Lanes>(_: L.Type, count: Int, _ a: Float, _ x: Input, into y: Output) {
  let factor = L.Vector(repeating: a)
  var i = 0
  while i + L.count <= count {
    L.store(L.fma(L.load(x + i), factor, L.load(y + i)), y + i)
    i += L.count
  }
  if i < count {
    L.store(L.fma(L.load(x + i, count - i), factor, L.load(y + i, count - i)), y + i, count - i)
  }
}

/// y = a · x.
@inlinable @inline(always)
package func scale<L: Lanes>(_: L.Type, count: Int, _ a: Float, _ x: Input, into y: Output) {
  let factor = L.Vector(repeating: a)
  var i = 0
  while i + L.count <= count {
    L.store(L.load(x + i) * factor, y + i)
    i += L.count
  }
  if i < count { L.store(L.load(x + i, count - i) * factor, y + i, count - i) }
}

/// Writes normalised and activated rows `first..<last` of `source` to `out`, rows of `channels`
/// floats.
@inlinable @inline(always)
package func materialise<L: Lanes>(
  _: L.Type,
  _ source: RowSource,
  first: Int,
  last: Int,
  out: Output
) {
  loadRows(
    L.self,
    source,
    first: first,
    count: last - first,
    into: out + first * source.channels,
    outStride: source.channels
  )
}

/// Mean over the `rows` rows from `first` on of the activated source, one image of global average
/// pooling.
@inlinable @inline(always)
package func averageRows<L: Lanes>(_: L.Type, _ s: RowSource, first: Int, rows: Int, out: Output) {
  let factor = L.Vector(repeating: 1 / Float(rows))
  let activation = s.scale == nil ? Activation.none : s.activation
  var c = 0
  while c < s.channels {
    let width = min(L.count, s.channels - c)
    let a = if let p = s.scale { L.load(p + c, width) } else { L.Vector(repeating: 1) }
    let b = if let p = s.shift { L.load(p + c, width) } else { L.Vector.zero }
    var sum = L.Vector.zero
    for r in first..<first + rows {
      sum += L.activate(L.fma(L.load(s.base + r * s.stride + c, width), a, b), activation)
    }
    L.store(sum * factor, out + c, width)
    c += L.count
  }
}

/// Spreads the gradient of a mean back over `rows` rows, through the activation; takes Σ g and Σ
/// g·x.
@inlinable @inline(always)
package func averageRowsBackward<L: Lanes>(
  _: L.Type,
  _ s: RowSource,
  gradient: Input,
  first: Int,
  rows: Int,
  out: Output,
  accumulate: Bool,
  sums: Output?,
  products: Output?
) {
  let factor = L.Vector(repeating: 1 / Float(rows))
  let activation = s.scale == nil ? Activation.none : s.activation
  var c = 0
  while c < s.channels {
    let width = min(L.count, s.channels - c)
    let a = if let p = s.scale { L.load(p + c, width) } else { L.Vector(repeating: 1) }
    let b = if let p = s.shift { L.load(p + c, width) } else { L.Vector.zero }
    let upstream = L.load(gradient + c, width) * factor
    var sum = L.Vector.zero
    var product = L.Vector.zero
    for r in first..<first + rows {
      let x = L.load(s.base + r * s.stride + c, width)
      let g = L.activationGradient(upstream, at: L.fma(x, a, b), activation)
      sum += g
      product = L.fma(g, x, product)
      let at = out + r * s.stride + c
      L.store(accumulate ? L.load(at, width) + g : g, at, width)
    }
    if let sums, let products {
      L.store(L.load(sums + c, width) + sum, sums + c, width)
      L.store(L.load(products + c, width) + product, products + c, width)
    }
    c += L.count
  }
}

/// SGD with momentum and L2 decay, as PyTorch: g += decay·w; v = momentum·v + g; w −= rate·v.
@inlinable @inline(always)
package func stochasticGradientDescent<L: Lanes>(
  _: L.Type,
  count: Int,
  weights: Output,
  gradient: Input,
  velocity: Output,
  rate: Float,
  momentum: Float,
  decay: Float
) {
  let step = L.Vector(repeating: -rate)
  let keep = L.Vector(repeating: momentum)
  let shrink = L.Vector(repeating: decay)
  var i = 0
  while i < count {
    let n = min(L.count, count - i)
    let w = L.load(weights + i, n)
    let g = L.fma(w, shrink, L.load(gradient + i, n))
    let v = L.fma(L.load(velocity + i, n), keep, g)
    L.store(v, velocity + i, n)
    L.store(L.fma(v, step, w), weights + i, n)
    i += L.count
  }
}

/// RMSProp with momentum and L2 decay, as PyTorch: g += decay·w; s = α·s + (1 − α)·g²;
/// v = momentum·v + g / (√s + ε); w −= rate·v.
@inlinable @inline(always)
package func rootMeanSquareStep<L: Lanes>(
  _: L.Type,
  count: Int,
  weights: Output,
  gradient: Input,
  square: Output,
  velocity: Output,
  _ p: RootMeanSquare
) {
  let step = L.Vector(repeating: -p.rate)
  let keep = L.Vector(repeating: p.momentum)
  let shrink = L.Vector(repeating: p.decay)
  let alpha = L.Vector(repeating: p.alpha)
  let rest = L.Vector(repeating: 1 - p.alpha)
  let epsilon = L.Vector(repeating: p.epsilon)
  var i = 0
  while i < count {
    let n = min(L.count, count - i)
    let w = L.load(weights + i, n)
    let g = L.fma(w, shrink, L.load(gradient + i, n))
    let s = L.fma(L.load(square + i, n), alpha, g * g * rest)
    let v = L.fma(L.load(velocity + i, n), keep, g / (L.squareRoot(s) + epsilon))
    L.store(s, square + i, n)
    L.store(v, velocity + i, n)
    L.store(L.fma(v, step, w), weights + i, n)
    i += L.count
  }
}

/// The numbers of a step of RMSProp.
@usableFromInline
package struct RootMeanSquare {
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

  /// Gathers them.
  @inlinable
  package init(rate: Float, alpha: Float, epsilon: Float, momentum: Float, decay: Float) {
    self.rate = rate
    self.alpha = alpha
    self.epsilon = epsilon
    self.momentum = momentum
    self.decay = decay
  }
}

/// y += a · (x − y).
@inlinable @inline(always)
package func blend<L: Lanes>(_: L.Type, count: Int, _ a: Float, _ x: Input, into y: Output) {
  let factor = L.Vector(repeating: a)
  var i = 0
  while i < count {
    let n = min(L.count, count - i)
    let old = L.load(y + i, n)
    L.store(L.fma(L.load(x + i, n) - old, factor, old), y + i, n)
    i += L.count
  }
}

/// Copies or adds rows of `columns` floats, `stride` apart, to rows that follow one another.
@inlinable @inline(always)
package func copyRows<L: Lanes>(
  _: L.Type,
  rows: Int,
  columns: Int,
  from: Input,
  stride: Int,
  to: Output,
  accumulate: Bool
) {
  for r in 0..<rows {
    let x = from + r * stride
    let y = to + r * columns
    if accumulate {
      addScaled(L.self, count: columns, 1, x, into: y)
    } else {
      y.update(from: x, count: columns)
    }
  }
}
