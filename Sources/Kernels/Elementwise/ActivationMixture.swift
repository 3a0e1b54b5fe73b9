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
  @_alwaysEmitIntoClient
  package init(linear: Float, relu: Float, hswish: Float) {
    self.linear = linear
    self.relu = relu
    self.hswish = hswish
  }
}

/// Rows whose activation is a mixture.
@usableFromInline
package struct ActivationMixture {
  /// The rows.
  @usableFromInline package var source: RowSource
  /// The mixture.
  @usableFromInline package var weights: ActivationWeights
  /// Where row 0 goes; rows follow one another.
  @usableFromInline package var out: Output

  /// Describes the work.
  @_alwaysEmitIntoClient
  package init(source: RowSource, weights: ActivationWeights, out: Output) {
    self.source = source
    self.weights = weights
    self.out = out
  }
}

/// out = w₀·z + w₁·relu(z) + w₂·hswish(z), z = scale · x + shift, over `rows`.
@_alwaysEmitIntoClient @inline(always)
package func mixActivations<L: Lanes>(_: L.Type, _ p: ActivationMixture, rows: Range<Int>) {
  let (s, weights) = (p.source, p.weights)
  let linear = L.Vector(repeating: weights.linear)
  let relu = L.Vector(repeating: weights.relu)
  let hswish = L.Vector(repeating: weights.hswish)
  for r in rows {
    let from = s.base + r * s.stride
    let to = p.out + r * s.channels
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

/// All gradients of `mixActivations`.
@usableFromInline
package struct ActivationMixtureBackward {
  /// The rows, as forward.
  @usableFromInline package var source: RowSource
  /// The mixture.
  @usableFromInline package var weights: ActivationWeights
  /// Gradient G of the result, rows as the source's.
  @usableFromInline package var gradient: Input
  /// Gradient of the source, or nil; may be where `gradient` stands.
  @usableFromInline package var out: Output?
  /// Whether it is added to what is there.
  @usableFromInline package var accumulate: Bool
  /// Gain Σ g and Σ g·x; nil where no normalisation wants them.
  @usableFromInline package var sums: PartialSums?
  /// Gain Σ G·z, Σ G·relu(z) and Σ G·hswish(z), [3, C].
  @usableFromInline package var dots: Output

  /// Describes the work.
  @_alwaysEmitIntoClient
  package init(
    source: RowSource,
    weights: ActivationWeights,
    gradient: Input,
    out: Output?,
    accumulate: Bool,
    sums: PartialSums?,
    dots: Output
  ) {
    self.source = source
    self.weights = weights
    self.gradient = gradient
    self.out = out
    self.accumulate = accumulate
    self.sums = sums
    self.dots = dots
  }
}

/// All gradients of `mixActivations` from one pass over `rows`.
///
/// `out` gets g = G·(w₀ + w₁·relu′(z) + w₂·hswish′(z)).
@_alwaysEmitIntoClient @inline(always)
package func mixActivationsBackward<L: Lanes>(
  _: L.Type,
  _ p: ActivationMixtureBackward,
  rows: Range<Int>
) {
  let (s, weights, gradient, dots) = (p.source, p.weights, p.gradient, p.dots)
  let relu = L.Vector(repeating: weights.relu)
  let hswish = L.Vector(repeating: weights.hswish)
  var row = rows.lowerBound
  while row < rows.upperBound {
    // Few rows at a time: a cache line that two vectors share is still there for the second.
    let last = min(rows.upperBound, row + 16)
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
        if let out = p.out {
          var g = L.activationGradient(upstream * hswish, at: z, .hswish)
          g += L.activationGradient(upstream * relu, at: z, .relu)
          g = L.fma(upstream, L.Vector(repeating: weights.linear), g)
          sum += g
          product = L.fma(g, x, product)
          L.store(p.accumulate ? L.load(out + at, width) + g : g, out + at, width)
        }
      }
      p.sums?.add(L.self, sum, product, at: c, width)
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
