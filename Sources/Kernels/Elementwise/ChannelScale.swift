/// Rows of one image times a factor of each channel.
@usableFromInline
package struct ChannelScale {
  /// The rows.
  @usableFromInline package var source: RowSource
  /// The image's factors, [C].
  @usableFromInline package var gate: Input
  /// Where row 0 goes; rows follow one another.
  @usableFromInline package var out: Output

  /// Describes the work.
  @_alwaysEmitIntoClient
  package init(source: RowSource, gate: Input, out: Output) {
    self.source = source
    self.gate = gate
    self.out = out
  }
}

/// out = activation(scale · x + shift) · gate over `rows`.
@_alwaysEmitIntoClient @inline(always)
package func scaleRows<L: Lanes>(_: L.Type, _ p: ChannelScale, rows: Range<Int>) {
  let s = p.source
  for r in rows {
    let to = p.out + r * s.channels
    loadRow(L.self, s, from: s.base + r * s.stride, into: to)
    var c = 0
    while c < s.channels {
      let n = min(L.count, s.channels - c)
      L.store(L.load(to + c, n) * L.load(p.gate + c, n), to + c, n)
      c += L.count
    }
  }
}

/// Both gradients of `scaleRows`.
@usableFromInline
package struct ChannelScaleBackward {
  /// The rows, as forward.
  @usableFromInline package var source: RowSource
  /// The image's factors, [C].
  @usableFromInline package var gate: Input
  /// Gradient G of the result, rows as the source's.
  @usableFromInline package var gradient: Input
  /// Gradient of the source, or nil; may be where `gradient` stands.
  @usableFromInline package var out: Output?
  /// Whether it is added to what is there.
  @usableFromInline package var accumulate: Bool
  /// Gain Σ g and Σ g·x; nil where no normalisation wants them.
  @usableFromInline package var sums: PartialSums?
  /// Gains the gradient of the gate, [C], or nil.
  @usableFromInline package var dots: Output?

  /// Describes the work.
  @_alwaysEmitIntoClient
  package init(
    source: RowSource,
    gate: Input,
    gradient: Input,
    out: Output?,
    accumulate: Bool,
    sums: PartialSums?,
    dots: Output?
  ) {
    self.source = source
    self.gate = gate
    self.gradient = gradient
    self.out = out
    self.accumulate = accumulate
    self.sums = sums
    self.dots = dots
  }
}

/// Both gradients of `scaleRows` from one pass over `rows`.
///
/// With z = scale · x + shift: `out` gets g = G·gate·f′(z), `sums` Σ g and Σ g·x, and `dots` Σ
/// G·f(z).
@_alwaysEmitIntoClient @inline(always)
package func scaleRowsBackward<L: Lanes>(
  _: L.Type,
  _ p: ChannelScaleBackward,
  rows: Range<Int>
) {
  let s = p.source
  let activation = s.scale == nil ? Activation.none : s.activation
  var row = rows.lowerBound
  while row < rows.upperBound {
    // Few rows at a time: a cache line that two vectors share is still there for the second.
    let last = min(rows.upperBound, row + 16)
    let ahead = (last - row) * s.stride
    var c = 0
    while c < s.channels {
      let width = min(L.count, s.channels - c)
      let a = if let scale = s.scale { L.load(scale + c, width) } else { L.Vector(repeating: 1) }
      let b = if let shift = s.shift { L.load(shift + c, width) } else { L.Vector.zero }
      let factor = L.load(p.gate + c, width)
      var sum = L.Vector.zero
      var product = L.Vector.zero
      var dot = L.Vector.zero
      for r in row..<last {
        let at = r * s.stride + c
        // The same rows of the next block, which the hardware does not see coming.
        prefetch(p.gradient + at + ahead)
        prefetch(s.base + at + ahead)
        let upstream = L.load(p.gradient + at, width)
        let x = L.load(s.base + at, width)
        let z = L.fma(x, a, b)
        dot = L.fma(upstream, L.activate(z, activation), dot)
        if let out = p.out {
          let g = L.activationGradient(upstream * factor, at: z, activation)
          sum += g
          product = L.fma(g, x, product)
          L.store(p.accumulate ? L.load(out + at, width) + g : g, out + at, width)
        }
      }
      p.sums?.add(L.self, sum, product, at: c, width)
      if let dots = p.dots { L.store(L.load(dots + c, width) + dot, dots + c, width) }
      c += L.count
    }
    row = last
  }
}
