// The panels are unrolled by hand, so that every sum is a variable and stays in a register.

/// Whether a product with `columns` columns passes over the zeros of its left operand, if a ReLU
/// made it.
///
/// Half of what a ReLU leaves is zeros, and so is half of the gradient before it. A row of C then
/// needs half of the multiply–adds, but one row at a time: enough columns are needed to hide their
/// latency, and as many registers as AVX-512 has to hold them. Two narrow rows at a time pass over
/// what is zero in both, a quarter.
@_alwaysEmitIntoClient @inline(always)
package func skipsZeros<L: Lanes>(_: L.Type, columns: Int) -> Bool {
  L.count == 16 && columns > 3 * L.count
}

/// Whether rows of C are too narrow to be taken one by one.
@_alwaysEmitIntoClient @inline(always)
package func takesPairs<L: Lanes>(_: L.Type, columns: Int) -> Bool { columns <= 6 * L.count }

/// Terms whose zeros are told by one mask.
@_alwaysEmitIntoClient @inline(always)
package var maskedTerms: Int { 64 }

/// The left side of one or two rows of a masked product, and where they go.
@usableFromInline
package struct MaskedRows {
  /// The terms that count.
  @usableFromInline package var mask: UInt64
  /// The left side.
  @usableFromInline package var a: Input
  /// Floats from term to term of a row.
  @usableFromInline package var aStride: Int
  /// Floats from a row to the other.
  @usableFromInline package var aNext: Int
  /// The right side, in whole vectors.
  @usableFromInline package var b: Input
  /// Floats from row to row of it.
  @usableFromInline package var bStride: Int
  /// Where the products go, in whole vectors.
  @usableFromInline package var c: Output
  /// Floats from a row to the other there.
  @usableFromInline package var cNext: Int
  /// Whether they are added to what is there.
  @usableFromInline package var accumulate: Bool

  /// Describes them.
  @_alwaysEmitIntoClient @inline(always)
  package init(
    mask: UInt64,
    a: Input,
    aStride: Int,
    aNext: Int,
    b: Input,
    bStride: Int,
    c: Output,
    cNext: Int,
    accumulate: Bool
  ) {
    self.mask = mask
    self.a = a
    self.aStride = aStride
    self.aNext = aNext
    self.b = b
    self.bStride = bStride
    self.c = c
    self.cNext = cNext
    self.accumulate = accumulate
  }

  /// The same from column `j` on.
  @_alwaysEmitIntoClient @inline(always)
  package func from(_ j: Int) -> MaskedRows {
    var it = self
    it.b += j
    it.c += j
    return it
  }
}

/// C[1, columns] (+)= Σ a[i] · B[i, columns], over the i whose bits are set in the mask.
@_alwaysEmitIntoClient @inline(always)
package func maskedRow<L: Lanes>(_: L.Type, columns: Int, _ p: MaskedRows) {
  var left = (columns + L.count - 1) / L.count
  var j = 0
  while left > 0 {
    // As many as there are registers for, and about as many each time.
    let vectors = left <= 12 ? left : left / ((left + 11) / 12)
    switch vectors {
    case 12: maskedPanel(L.self, 12, p.from(j))
    case 11: maskedPanel(L.self, 11, p.from(j))
    case 10: maskedPanel(L.self, 10, p.from(j))
    case 9: maskedPanel(L.self, 9, p.from(j))
    case 8: maskedPanel(L.self, 8, p.from(j))
    case 7: maskedPanel(L.self, 7, p.from(j))
    default: maskedPanel(L.self, 6, p.from(j))
    }
    left -= vectors
    j += vectors * L.count
  }
}

/// The same for two rows of 4 to 6 vectors with one mask.
@_alwaysEmitIntoClient @inline(always)
package func maskedPair<L: Lanes>(_: L.Type, columns: Int, _ p: MaskedRows) {
  switch (columns + L.count - 1) / L.count {
  case 6: maskedPairPanel(L.self, 6, p)
  case 5: maskedPairPanel(L.self, 5, p)
  default: maskedPairPanel(L.self, 4, p)
  }
}

/// The same for `vectors` vectors, 6 to 12; a constant where this is inlined.
@_alwaysEmitIntoClient @inline(always)
package func maskedPanel<L: Lanes>(
  _: L.Type,
  _ vectors: Int,
  _ p: MaskedRows
) {
  typealias V = L.Vector
  let n = L.count
  let c = p.c
  var c0 = V.zero, c1 = V.zero, c2 = V.zero, c3 = V.zero, c4 = V.zero, c5 = V.zero
  var c6 = V.zero, c7 = V.zero, c8 = V.zero, c9 = V.zero, c10 = V.zero, c11 = V.zero
  if p.accumulate {
    c0 = L.load(c)
    c1 = L.load(c + n)
    c2 = L.load(c + 2 * n)
    c3 = L.load(c + 3 * n)
    c4 = L.load(c + 4 * n)
    c5 = L.load(c + 5 * n)
    if vectors > 6 { c6 = L.load(c + 6 * n) }
    if vectors > 7 { c7 = L.load(c + 7 * n) }
    if vectors > 8 { c8 = L.load(c + 8 * n) }
    if vectors > 9 { c9 = L.load(c + 9 * n) }
    if vectors > 10 { c10 = L.load(c + 10 * n) }
    if vectors > 11 { c11 = L.load(c + 11 * n) }
  }
  var left = p.mask
  while left != 0 {
    let i = left.trailingZeroBitCount
    left &= left &- 1
    let x = V(repeating: p.a[i * p.aStride])
    let row = p.b + i * p.bStride
    c0 = L.fma(x, L.load(row), c0)
    c1 = L.fma(x, L.load(row + n), c1)
    c2 = L.fma(x, L.load(row + 2 * n), c2)
    c3 = L.fma(x, L.load(row + 3 * n), c3)
    c4 = L.fma(x, L.load(row + 4 * n), c4)
    c5 = L.fma(x, L.load(row + 5 * n), c5)
    if vectors > 6 { c6 = L.fma(x, L.load(row + 6 * n), c6) }
    if vectors > 7 { c7 = L.fma(x, L.load(row + 7 * n), c7) }
    if vectors > 8 { c8 = L.fma(x, L.load(row + 8 * n), c8) }
    if vectors > 9 { c9 = L.fma(x, L.load(row + 9 * n), c9) }
    if vectors > 10 { c10 = L.fma(x, L.load(row + 10 * n), c10) }
    if vectors > 11 { c11 = L.fma(x, L.load(row + 11 * n), c11) }
  }
  L.store(c0, c)
  L.store(c1, c + n)
  L.store(c2, c + 2 * n)
  L.store(c3, c + 3 * n)
  L.store(c4, c + 4 * n)
  L.store(c5, c + 5 * n)
  if vectors > 6 { L.store(c6, c + 6 * n) }
  if vectors > 7 { L.store(c7, c + 7 * n) }
  if vectors > 8 { L.store(c8, c + 8 * n) }
  if vectors > 9 { L.store(c9, c + 9 * n) }
  if vectors > 10 { L.store(c10, c + 10 * n) }
  if vectors > 11 { L.store(c11, c + 11 * n) }
}

/// Two rows of `vectors` vectors, 4 to 6; a constant where this is inlined.
@_alwaysEmitIntoClient @inline(always)
package func maskedPairPanel<L: Lanes>(_: L.Type, _ vectors: Int, _ p: MaskedRows) {
  typealias V = L.Vector
  let n = L.count
  let c = p.c
  let d = c + p.cNext
  var c0 = V.zero, c1 = V.zero, c2 = V.zero, c3 = V.zero, c4 = V.zero, c5 = V.zero
  var d0 = V.zero, d1 = V.zero, d2 = V.zero, d3 = V.zero, d4 = V.zero, d5 = V.zero
  if p.accumulate {
    c0 = L.load(c)
    c1 = L.load(c + n)
    c2 = L.load(c + 2 * n)
    c3 = L.load(c + 3 * n)
    if vectors > 4 { c4 = L.load(c + 4 * n) }
    if vectors > 5 { c5 = L.load(c + 5 * n) }
    d0 = L.load(d)
    d1 = L.load(d + n)
    d2 = L.load(d + 2 * n)
    d3 = L.load(d + 3 * n)
    if vectors > 4 { d4 = L.load(d + 4 * n) }
    if vectors > 5 { d5 = L.load(d + 5 * n) }
  }
  var left = p.mask
  while left != 0 {
    let i = left.trailingZeroBitCount
    left &= left &- 1
    let x = V(repeating: p.a[i * p.aStride])
    let y = V(repeating: p.a[i * p.aStride + p.aNext])
    let row = p.b + i * p.bStride
    let b0 = L.load(row)
    c0 = L.fma(x, b0, c0)
    d0 = L.fma(y, b0, d0)
    let b1 = L.load(row + n)
    c1 = L.fma(x, b1, c1)
    d1 = L.fma(y, b1, d1)
    let b2 = L.load(row + 2 * n)
    c2 = L.fma(x, b2, c2)
    d2 = L.fma(y, b2, d2)
    let b3 = L.load(row + 3 * n)
    c3 = L.fma(x, b3, c3)
    d3 = L.fma(y, b3, d3)
    if vectors > 4 {
      let b4 = L.load(row + 4 * n)
      c4 = L.fma(x, b4, c4)
      d4 = L.fma(y, b4, d4)
    }
    if vectors > 5 {
      let b5 = L.load(row + 5 * n)
      c5 = L.fma(x, b5, c5)
      d5 = L.fma(y, b5, d5)
    }
  }
  L.store(c0, c)
  L.store(c1, c + n)
  L.store(c2, c + 2 * n)
  L.store(c3, c + 3 * n)
  if vectors > 4 { L.store(c4, c + 4 * n) }
  if vectors > 5 { L.store(c5, c + 5 * n) }
  L.store(d0, d)
  L.store(d1, d + n)
  L.store(d2, d + 2 * n)
  L.store(d3, d + 3 * n)
  if vectors > 4 { L.store(d4, d + 4 * n) }
  if vectors > 5 { L.store(d5, d + 5 * n) }
}
