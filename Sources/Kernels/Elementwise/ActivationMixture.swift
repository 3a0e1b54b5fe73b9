/// The weights of the three activations in Σ wᵢ·fᵢ(z).
@usableFromInline
package struct ActivationWeights {
  /// Of z itself.
  @usableFromInline package var linear: Float
  /// Of max(z, 0).
  @usableFromInline package var relu: Float
  /// Of z·min(max(z + 3, 0), 6)/6.
  @usableFromInline package var hswish: Float

  /// Gathers them.
  @inlinable
  package init(linear: Float, relu: Float, hswish: Float) {
    self.linear = linear
    self.relu = relu
    self.hswish = hswish
  }
}

/// out = w₀·z + w₁·relu(z) + w₂·hswish(z), z = scale · x + shift, over the `rows` rows from `first`.
///
/// Rows of `out` follow one another.
@inlinable @inline(always)
package func mixActivations<L: Lanes>(
  _: L.Type,
  _ s: RowSource,
  weights: ActivationWeights,
  first: Int,
  rows: Int,
  out: Output
) {
  let linear = L.Vector(repeating: weights.linear)
  let relu = L.Vector(repeating: weights.relu)
  let hswish = L.Vector(repeating: weights.hswish)
  for r in first..<first + rows {
    let from = s.base + r * s.stride
    let to = out + r * s.channels
    var c = 0
    while c < s.channels {
      let n = min(L.count, s.channels - c)
      let a = if let p = s.scale { L.load(p + c, n) } else { L.Vector(repeating: 1) }
      let b = if let p = s.shift { L.load(p + c, n) } else { L.Vector.zero }
      let z = L.fma(L.load(from + c, n), a, b)
      let kinked = L.fma(L.relu(z), relu, L.activate(z, .hswish) * hswish)
      L.store(L.fma(z, linear, kinked), to + c, n)
      c += L.count
    }
  }
}

/// All gradients of `mixActivations` from one pass, for the gradient G of its output.
///
/// `out` gets g = G·(w₀ + w₁·relu′(z) + w₂·hswish′(z)) (its rows may be those of `gradient`), `sums`
/// and `products` Σ g and Σ g·x for the normalisation, and `dots` the three runs of `channels`
/// floats Σ G·z, Σ G·relu(z), Σ G·hswish(z). All sums are added to what is there.
@inlinable @inline(always)
package func mixActivationsBackward<L: Lanes>(
  _: L.Type,
  _ s: RowSource,
  weights: ActivationWeights,
  gradient: Input,
  first: Int,
  rows: Int,
  out: Output?,
  accumulate: Bool,
  sums: Output?,
  products: Output?,
  dots: Output
) {
  let relu = L.Vector(repeating: weights.relu)
  let hswish = L.Vector(repeating: weights.hswish)
  var row = first
  while row < first + rows {
    // Few rows at a time: a cache line that two vectors share is still there for the second.
    let last = min(first + rows, row + 16)
    let ahead = (last - row) * s.stride
    var c = 0
    while c < s.channels {
      let width = min(L.count, s.channels - c)
      let a = if let p = s.scale { L.load(p + c, width) } else { L.Vector(repeating: 1) }
      let b = if let p = s.shift { L.load(p + c, width) } else { L.Vector.zero }
      var sum = L.Vector.zero
      var product = L.Vector.zero
      var linearDot = L.Vector.zero
      var reluDot = L.Vector.zero
      var hswishDot = L.Vector.zero
      for r in row..<last {
        let at = r * s.stride + c
        // The same rows of the next block, which the hardware does not see coming.
        prefetch(gradient + at + ahead)
        prefetch(s.base + at + ahead)
        let upstream = L.load(gradient + at, width)
        let x = L.load(s.base + at, width)
        let z = L.fma(x, a, b)
        linearDot = L.fma(upstream, z, linearDot)
        reluDot = L.fma(upstream, L.relu(z), reluDot)
        hswishDot = L.fma(upstream, L.activate(z, .hswish), hswishDot)
        if let out {
          var g = L.activationGradient(upstream * hswish, at: z, .hswish)
          g += L.activationGradient(upstream * relu, at: z, .relu)
          g = L.fma(upstream, L.Vector(repeating: weights.linear), g)
          sum += g
          product = L.fma(g, x, product)
          L.store(accumulate ? L.load(out + at, width) + g : g, out + at, width)
        }
      }
      if let sums, let products {
        L.store(L.load(sums + c, width) + sum, sums + c, width)
        L.store(L.load(products + c, width) + product, products + c, width)
      }
      let reluDots = dots + s.channels
      let hswishDots = reluDots + s.channels
      L.store(L.load(dots + c, width) + linearDot, dots + c, width)
      L.store(L.load(reluDots + c, width) + reluDot, reluDots + c, width)
      L.store(L.load(hswishDots + c, width) + hswishDot, hswishDots + c, width)
      c += L.count
    }
    row = last
  }
}
