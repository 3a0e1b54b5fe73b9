/// y += a · x.
@_alwaysEmitIntoClient @inline(always)
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
@_alwaysEmitIntoClient @inline(always)
package func scale<L: Lanes>(_: L.Type, count: Int, _ a: Float, _ x: Input, into y: Output) {
  let factor = L.Vector(repeating: a)
  var i = 0
  while i + L.count <= count {
    L.store(L.load(x + i) * factor, y + i)
    i += L.count
  }
  if i < count { L.store(L.load(x + i, count - i) * factor, y + i, count - i) }
}

/// Writes the normalised and activated rows `rows` of `source` to `out`, rows of `channels` floats.
@_alwaysEmitIntoClient @inline(always)
package func materialise<L: Lanes>(
  _: L.Type,
  _ source: RowSource,
  rows: Range<Int>,
  out: Output
) {
  loadRows(
    L.self,
    source,
    rows: rows,
    into: out + rows.lowerBound * source.channels,
    outStride: source.channels
  )
}

/// y += a · (x − y).
@_alwaysEmitIntoClient @inline(always)
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

/// Rows that are copied, or added, to rows that follow one another.
@usableFromInline
package struct RowCopy {
  /// Floats of a row.
  @usableFromInline package var columns: Int
  /// The first row.
  @usableFromInline package var source: Input
  /// Floats from row to row there.
  @usableFromInline package var stride: Int
  /// Where the first row goes.
  @usableFromInline package var out: Output
  /// Whether rows are added to what is there.
  @usableFromInline package var accumulate: Bool

  /// Describes the copy.
  @_alwaysEmitIntoClient
  package init(columns: Int, source: Input, stride: Int, out: Output, accumulate: Bool) {
    self.columns = columns
    self.source = source
    self.stride = stride
    self.out = out
    self.accumulate = accumulate
  }
}

/// Copies or adds `rows` rows.
@_alwaysEmitIntoClient @inline(always)
package func copyRows<L: Lanes>(_: L.Type, _ p: RowCopy, rows: Int) {
  for r in 0..<rows {
    let x = p.source + r * p.stride
    let y = p.out + r * p.columns
    if p.accumulate {
      addScaled(L.self, count: p.columns, 1, x, into: y)
    } else {
      y.update(from: x, count: p.columns)
    }
  }
}
