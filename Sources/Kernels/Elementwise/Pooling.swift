/// Mean over the rows `rows` of the activated source, one image of global average pooling.
@_alwaysEmitIntoClient @inline(always)
package func averageRows<L: Lanes>(_: L.Type, _ s: RowSource, rows: Range<Int>, out: Output) {
  let factor = L.Vector(repeating: 1 / Float(rows.count))
  let activation = s.scale == nil ? Activation.none : s.activation
  var c = 0
  while c < s.channels {
    let width = min(L.count, s.channels - c)
    let a = if let p = s.scale { L.load(p + c, width) } else { L.Vector(repeating: 1) }
    let b = if let p = s.shift { L.load(p + c, width) } else { L.Vector.zero }
    var sum = L.Vector.zero
    for r in rows {
      sum += L.activate(L.fma(L.load(s.base + r * s.stride + c, width), a, b), activation)
    }
    L.store(sum * factor, out + c, width)
    c += L.count
  }
}

/// The gradient of a mean over rows.
@usableFromInline
package struct AverageBackward {
  /// The rows, as forward.
  @usableFromInline package var source: RowSource
  /// Gradient of the mean, [C].
  @usableFromInline package var gradient: Input
  /// Gradient of the source, rows as there.
  @usableFromInline package var out: Output
  /// Whether it is added to what is there.
  @usableFromInline package var accumulate: Bool
  /// Gain Σ g and Σ g·x; nil where no normalisation wants them.
  @usableFromInline package var sums: PartialSums?

  /// Describes the work.
  @_alwaysEmitIntoClient
  package init(
    source: RowSource,
    gradient: Input,
    out: Output,
    accumulate: Bool,
    sums: PartialSums?
  ) {
    self.source = source
    self.gradient = gradient
    self.out = out
    self.accumulate = accumulate
    self.sums = sums
  }
}

/// Spreads the gradient of a mean back over `rows`, through the activation.
@_alwaysEmitIntoClient @inline(always)
package func averageRowsBackward<L: Lanes>(
  _: L.Type,
  _ p: AverageBackward,
  rows: Range<Int>
) {
  let s = p.source
  let factor = L.Vector(repeating: 1 / Float(rows.count))
  let activation = s.scale == nil ? Activation.none : s.activation
  var c = 0
  while c < s.channels {
    let width = min(L.count, s.channels - c)
    let a = if let scale = s.scale { L.load(scale + c, width) } else { L.Vector(repeating: 1) }
    let b = if let shift = s.shift { L.load(shift + c, width) } else { L.Vector.zero }
    let upstream = L.load(p.gradient + c, width) * factor
    var sum = L.Vector.zero
    var product = L.Vector.zero
    for r in rows {
      let x = L.load(s.base + r * s.stride + c, width)
      let g = L.activationGradient(upstream, at: L.fma(x, a, b), activation)
      sum += g
      product = L.fma(g, x, product)
      let at = p.out + r * s.stride + c
      L.store(p.accumulate ? L.load(at, width) + g : g, at, width)
    }
    p.sums?.add(L.self, sum, product, at: c, width)
    c += L.count
  }
}
