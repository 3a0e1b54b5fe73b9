/// Rows of a gradient that still lacks the derivative of the source's activation.
@usableFromInline
package struct GradientFinish {
  /// The rows whose gradient it is.
  @usableFromInline package var source: RowSource
  /// Gradient after the activation; its first row is the first that is done.
  @usableFromInline package var gradient: Input
  /// Floats from row to row of it.
  @usableFromInline package var gradientStride: Int
  /// Where row 0 goes, rows as the source's; may be where the gradient stands.
  @usableFromInline package var out: Output
  /// Whether rows are added to what is there.
  @usableFromInline package var accumulate: Bool
  /// Gain Σ g and Σ g·x, x the raw source; nil where no normalisation wants them.
  @usableFromInline package var sums: PartialSums?

  /// Describes the work.
  @_alwaysEmitIntoClient
  package init(
    source: RowSource,
    gradient: Input,
    gradientStride: Int,
    out: Output,
    accumulate: Bool,
    sums: PartialSums?
  ) {
    self.source = source
    self.gradient = gradient
    self.gradientStride = gradientStride
    self.out = out
    self.accumulate = accumulate
    self.sums = sums
  }

  /// Describes rows of `out` that are finished in place, from row `first` on.
  @_alwaysEmitIntoClient
  package init(inPlace out: Output, source: RowSource, first: Int, sums: PartialSums?) {
    self.init(
      source: source,
      gradient: out + first * source.stride,
      gradientStride: source.stride,
      out: out,
      accumulate: false,
      sums: sums
    )
  }
}

/// Applies the activation's derivative to `rows` of a gradient, writes them, and takes the sums.
///
/// Without `scale` in the source the rows pass unchanged.
@_alwaysEmitIntoClient @inline(always)
package func finishGradientRows<L: Lanes>(_: L.Type, _ p: GradientFinish, rows: Range<Int>) {
  let s = p.source
  let count = rows.count
  let x = s.base + rows.lowerBound * s.stride
  let to = p.out + rows.lowerBound * s.stride
  var j = 0
  while j < s.channels {
    let width = min(L.count, s.channels - j)
    var sum = L.Vector.zero
    var product = L.Vector.zero
    if let scale = s.scale, let shift = s.shift {
      let a = L.load(scale + j, width)
      let b = L.load(shift + j, width)
      for r in 0..<count {
        let raw = L.load(x + r * s.stride + j, width)
        let g = L.activationGradient(
          L.load(p.gradient + r * p.gradientStride + j, width),
          at: L.fma(raw, a, b),
          s.activation
        )
        sum += g
        product = L.fma(g, raw, product)
        let at = to + r * s.stride + j
        L.store(p.accumulate ? L.load(at, width) + g : g, at, width)
      }
    } else {
      for r in 0..<count {
        let g = L.load(p.gradient + r * p.gradientStride + j, width)
        let at = to + r * s.stride + j
        L.store(p.accumulate ? L.load(at, width) + g : g, at, width)
      }
    }
    p.sums?.add(L.self, sum, product, at: j, width)
    j += L.count
  }
}
