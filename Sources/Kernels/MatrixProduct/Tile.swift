// The micro-kernel is unrolled by hand: an array of sums would not stay in registers.

/// What a tile multiplies: A[rows, depth] · B[depth, n].
@usableFromInline
package struct TileOperands {
  /// Terms of a sum; of each slice, if there are several.
  @usableFromInline package var depth: Int
  /// Element (r, k) of A stands at `a[r · rowStride + k · depthStride]`: one text serves A and its
  /// transpose.
  @usableFromInline package var a: Input
  /// Floats from row to row of A.
  @usableFromInline package var rowStride: Int
  /// Floats from term to term of A.
  @usableFromInline package var depthStride: Int
  /// First element of B, whose rows are whole vectors.
  @usableFromInline package var b: Input
  /// Floats from row to row of B.
  @usableFromInline package var bStride: Int

  /// Describes them.
  @_alwaysEmitIntoClient @inline(always)
  package init(depth: Int, a: Input, rowStride: Int, depthStride: Int, b: Input, bStride: Int) {
    self.depth = depth
    self.a = a
    self.rowStride = rowStride
    self.depthStride = depthStride
    self.b = b
    self.bStride = bStride
  }
}

/// A depth that is cut into slices of A that stand apart.
@usableFromInline
package struct Slices {
  /// How many.
  @usableFromInline package var count: Int
  /// Floats of A from the end of a slice to the next.
  @usableFromInline package var jump: Int

  /// Describes them; one by default.
  @_alwaysEmitIntoClient @inline(always)
  package init(count: Int = 1, jump: Int = 0) {
    self.count = count
    self.jump = jump
  }
}

/// Cache lines that are asked for while the arithmetic runs, `rows` of them before each slice.
@usableFromInline
package struct Prefetches {
  /// Those of the first slice, 64 bytes from row to row; nil for none.
  @usableFromInline package var first: UnsafeRawPointer?
  /// Bytes from slice to slice.
  @usableFromInline package var stride: Int

  /// Describes them; none by default.
  @_alwaysEmitIntoClient @inline(always)
  package init(first: UnsafeRawPointer? = nil, stride: Int = 0) {
    self.first = first
    self.stride = stride
  }
}

/// The matrix micro-kernel: A[rows, depth] · B[depth, n], n being `vectors` (1 to 3) whole ones, to
/// `epilogue`.
///
/// The text is this loop, unrolled so that every sum is a variable and stays in a register:
///
///     for _ in 0..<slices.count {
///       for _ in 0..<depth {
///         for r in 0..<L.rows, v in 0..<vectors {
///           sum[r, v] = fma(a[r * rowStride], b[v], sum[r, v])
///         }
///         a += depthStride
///         b += bStride
///       }
///       a += slices.jump
///     }
///     for v in 0..<vectors, r in 0..<L.rows {
///       epilogue.finish(sum[r, v], row: first + r, vector: v)
///     }
///
/// `rows` is `L.rows`; all pointers must allow whole tiles (callers pad their workspace). The sums
/// start from the tile at `start`, if there is one, whose rows are `startStride` floats apart.
/// `epilogue` hears of row r of the tile as `first` + r, of those from `from` on. Register budget:
/// `vectors` · rows accumulators, `vectors` of B, one broadcast; three need 28 registers.
@_alwaysEmitIntoClient @inline(always)
package func tile<L, E: Epilogue>(
  _: L.Type,
  vectors: Int,
  _ p: TileOperands,
  start: Input?,
  startStride: Int,
  slices: Slices = Slices(),
  prefetches: Prefetches = Prefetches(),
  first: Int = 0,
  from: Int = 0,
  epilogue: inout E
) where E.L == L {
  typealias V = L.Vector
  let two = vectors > 1
  let three = vectors > 2
  let (depth, rowStride) = (p.depth, p.rowStride)
  var ahead = prefetches.first
  var c00 = V.zero, c10 = V.zero, c20 = V.zero, c30 = V.zero
  var c40 = V.zero, c50 = V.zero, c60 = V.zero, c70 = V.zero
  var c01 = V.zero, c11 = V.zero, c21 = V.zero, c31 = V.zero
  var c41 = V.zero, c51 = V.zero, c61 = V.zero, c71 = V.zero
  var c02 = V.zero, c12 = V.zero, c22 = V.zero, c32 = V.zero
  var c42 = V.zero, c52 = V.zero, c62 = V.zero, c72 = V.zero
  if let start {
    c00 = L.load(start)
    c10 = L.load(start + startStride)
    c20 = L.load(start + 2 * startStride)
    c30 = L.load(start + 3 * startStride)
    c40 = L.load(start + 4 * startStride)
    c50 = L.load(start + 5 * startStride)
    if L.rows > 6 {
      c60 = L.load(start + 6 * startStride)
      c70 = L.load(start + 7 * startStride)
    }
    if two {
      c01 = L.load(start + L.count)
      c11 = L.load(start + startStride + L.count)
      c21 = L.load(start + 2 * startStride + L.count)
      c31 = L.load(start + 3 * startStride + L.count)
      c41 = L.load(start + 4 * startStride + L.count)
      c51 = L.load(start + 5 * startStride + L.count)
      if L.rows > 6 {
        c61 = L.load(start + 6 * startStride + L.count)
        c71 = L.load(start + 7 * startStride + L.count)
      }
    }
    if three {
      c02 = L.load(start + 2 * L.count)
      c12 = L.load(start + startStride + 2 * L.count)
      c22 = L.load(start + 2 * startStride + 2 * L.count)
      c32 = L.load(start + 3 * startStride + 2 * L.count)
      c42 = L.load(start + 4 * startStride + 2 * L.count)
      c52 = L.load(start + 5 * startStride + 2 * L.count)
      if L.rows > 6 {
        c62 = L.load(start + 6 * startStride + 2 * L.count)
        c72 = L.load(start + 7 * startStride + 2 * L.count)
      }
    }
  }
  var a = p.a
  var b = p.b
  for _ in 0..<slices.count {
    if let line = ahead {
      for r in 0..<L.rows { prefetch(line + r * 64) }
      ahead = line + prefetches.stride
    }
    for _ in 0..<depth {
      let b0 = L.load(b)
      let b1 = two ? L.load(b + L.count) : V.zero
      let b2 = three ? L.load(b + 2 * L.count) : V.zero
      let x0 = V(repeating: a[0])
      c00 = L.fma(x0, b0, c00)
      if two { c01 = L.fma(x0, b1, c01) }
      if three { c02 = L.fma(x0, b2, c02) }
      let x1 = V(repeating: a[rowStride])
      c10 = L.fma(x1, b0, c10)
      if two { c11 = L.fma(x1, b1, c11) }
      if three { c12 = L.fma(x1, b2, c12) }
      let x2 = V(repeating: a[2 * rowStride])
      c20 = L.fma(x2, b0, c20)
      if two { c21 = L.fma(x2, b1, c21) }
      if three { c22 = L.fma(x2, b2, c22) }
      let x3 = V(repeating: a[3 * rowStride])
      c30 = L.fma(x3, b0, c30)
      if two { c31 = L.fma(x3, b1, c31) }
      if three { c32 = L.fma(x3, b2, c32) }
      let x4 = V(repeating: a[4 * rowStride])
      c40 = L.fma(x4, b0, c40)
      if two { c41 = L.fma(x4, b1, c41) }
      if three { c42 = L.fma(x4, b2, c42) }
      let x5 = V(repeating: a[5 * rowStride])
      c50 = L.fma(x5, b0, c50)
      if two { c51 = L.fma(x5, b1, c51) }
      if three { c52 = L.fma(x5, b2, c52) }
      if L.rows > 6 {
        let x6 = V(repeating: a[6 * rowStride])
        c60 = L.fma(x6, b0, c60)
        if two { c61 = L.fma(x6, b1, c61) }
        if three { c62 = L.fma(x6, b2, c62) }
        let x7 = V(repeating: a[7 * rowStride])
        c70 = L.fma(x7, b0, c70)
        if two { c71 = L.fma(x7, b1, c71) }
        if three { c72 = L.fma(x7, b2, c72) }
      }
      a += p.depthStride
      b += p.bStride
    }
    a += slices.jump
  }
  if from <= first + 0 { epilogue.finish(c00, row: first + 0, vector: 0) }
  if from <= first + 1 { epilogue.finish(c10, row: first + 1, vector: 0) }
  if from <= first + 2 { epilogue.finish(c20, row: first + 2, vector: 0) }
  if from <= first + 3 { epilogue.finish(c30, row: first + 3, vector: 0) }
  if from <= first + 4 { epilogue.finish(c40, row: first + 4, vector: 0) }
  if from <= first + 5 { epilogue.finish(c50, row: first + 5, vector: 0) }
  if L.rows > 6 {
    if from <= first + 6 { epilogue.finish(c60, row: first + 6, vector: 0) }
    if from <= first + 7 { epilogue.finish(c70, row: first + 7, vector: 0) }
  }
  if two {
    if from <= first + 0 { epilogue.finish(c01, row: first + 0, vector: 1) }
    if from <= first + 1 { epilogue.finish(c11, row: first + 1, vector: 1) }
    if from <= first + 2 { epilogue.finish(c21, row: first + 2, vector: 1) }
    if from <= first + 3 { epilogue.finish(c31, row: first + 3, vector: 1) }
    if from <= first + 4 { epilogue.finish(c41, row: first + 4, vector: 1) }
    if from <= first + 5 { epilogue.finish(c51, row: first + 5, vector: 1) }
    if L.rows > 6 {
      if from <= first + 6 { epilogue.finish(c61, row: first + 6, vector: 1) }
      if from <= first + 7 { epilogue.finish(c71, row: first + 7, vector: 1) }
    }
  }
  if three {
    if from <= first + 0 { epilogue.finish(c02, row: first + 0, vector: 2) }
    if from <= first + 1 { epilogue.finish(c12, row: first + 1, vector: 2) }
    if from <= first + 2 { epilogue.finish(c22, row: first + 2, vector: 2) }
    if from <= first + 3 { epilogue.finish(c32, row: first + 3, vector: 2) }
    if from <= first + 4 { epilogue.finish(c42, row: first + 4, vector: 2) }
    if from <= first + 5 { epilogue.finish(c52, row: first + 5, vector: 2) }
    if L.rows > 6 {
      if from <= first + 6 { epilogue.finish(c62, row: first + 6, vector: 2) }
      if from <= first + 7 { epilogue.finish(c72, row: first + 7, vector: 2) }
    }
  }
}

/// The micro-kernel with C[rows, n] (+)= A · B as its epilogue.
@_alwaysEmitIntoClient @inline(always)
package func tile<L: Lanes>(
  _: L.Type,
  vectors: Int,
  _ p: TileOperands,
  c: Output,
  cStride: Int,
  accumulate: Bool,
  slices: Slices = Slices(),
  prefetches: Prefetches = Prefetches()
) {
  var epilogue = StoreEpilogue(L.self, c: c, cStride: cStride)
  tile(
    L.self,
    vectors: vectors,
    p,
    start: accumulate ? Input(c) : nil,
    startStride: cStride,
    slices: slices,
    prefetches: prefetches,
    epilogue: &epilogue
  )
}
