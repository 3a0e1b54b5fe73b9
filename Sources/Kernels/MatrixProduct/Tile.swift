/// What becomes of the sums of a tile of the micro-kernel.
@usableFromInline
package protocol TileEnd {
  /// The lanes of the tile.
  associatedtype L: Lanes
  /// Takes vector `vector` of row `row`; vector by vector of a tile, and row by row in each.
  mutating func finish(_ sums: L.Vector, row: Int, vector: Int)
}

/// Stores a tile, with a ReLU if `rectify`.
@usableFromInline
package struct TileStore<L: Lanes>: TileEnd {
  /// First element of the tile.
  @usableFromInline let c: Output
  /// Floats from row to row.
  @usableFromInline let cStride: Int
  /// Whether negative sums become 0.
  @usableFromInline let rectify: Bool

  /// Describes where to.
  @inlinable @inline(always)
  package init(_: L.Type, c: Output, cStride: Int, rectify: Bool = false) {
    self.c = c
    self.cStride = cStride
    self.rectify = rectify
  }

  /// See `TileEnd`.
  @inlinable @inline(always)
  package mutating func finish(_ sums: L.Vector, row: Int, vector: Int) {
    L.store(rectify ? L.relu(sums) : sums, c + row * cStride + vector * L.count)
  }
}

/// The matrix micro-kernel: A[rows, depth] · B[depth, n], n being `vectors` (1 to 3) whole ones, to `end`.
///
/// Element (r, k) of A stands at `a[r · rowStride + k · depthStride]`, so the same text serves A and its
/// transpose. `rows` is `L.rows`; all pointers must allow whole tiles (callers pad their scratch).
/// The depth may be cut into `slices` of A that stand apart: `sliceJump` is added to `a` after each. The
/// sums start from the tile at `start`, if there is one, whose rows are `startStride` floats apart. Before each
/// slice the cache lines of `rows` blocks at `ahead`, further by `aheadStride` bytes each time, are asked for:
/// memory answers while the arithmetic runs. `end` hears of row r of the tile as `first` + r, of those from
/// `from` on.
/// Register budget: `vectors` · rows accumulators, `vectors` of B, one broadcast; three need 28 registers.
@inlinable @inline(always)
package func tile<L, End: TileEnd>(
  _: L.Type,
  vectors: Int,
  depth: Int,
  a: Input,
  rowStride: Int,
  depthStride: Int,
  b: Input,
  bStride: Int,
  start: Input?,
  startStride: Int,
  slices: Int = 1,
  sliceJump: Int = 0,
  ahead: UnsafeRawPointer? = nil,
  aheadStride: Int = 0,
  first: Int = 0,
  from: Int = 0,
  end: inout End
) where End.L == L {
  typealias V = L.Vector
  let two = vectors > 1
  let three = vectors > 2
  var ahead = ahead
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
  var a = a
  var b = b
  for _ in 0..<slices {
    if let line = ahead {
      for r in 0..<L.rows { prefetch(line + r * 64) }
      ahead = line + aheadStride
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
      a += depthStride
      b += bStride
    }
    a += sliceJump
  }
  if from <= first + 0 { end.finish(c00, row: first + 0, vector: 0) }
  if from <= first + 1 { end.finish(c10, row: first + 1, vector: 0) }
  if from <= first + 2 { end.finish(c20, row: first + 2, vector: 0) }
  if from <= first + 3 { end.finish(c30, row: first + 3, vector: 0) }
  if from <= first + 4 { end.finish(c40, row: first + 4, vector: 0) }
  if from <= first + 5 { end.finish(c50, row: first + 5, vector: 0) }
  if L.rows > 6 {
    if from <= first + 6 { end.finish(c60, row: first + 6, vector: 0) }
    if from <= first + 7 { end.finish(c70, row: first + 7, vector: 0) }
  }
  if two {
    if from <= first + 0 { end.finish(c01, row: first + 0, vector: 1) }
    if from <= first + 1 { end.finish(c11, row: first + 1, vector: 1) }
    if from <= first + 2 { end.finish(c21, row: first + 2, vector: 1) }
    if from <= first + 3 { end.finish(c31, row: first + 3, vector: 1) }
    if from <= first + 4 { end.finish(c41, row: first + 4, vector: 1) }
    if from <= first + 5 { end.finish(c51, row: first + 5, vector: 1) }
    if L.rows > 6 {
      if from <= first + 6 { end.finish(c61, row: first + 6, vector: 1) }
      if from <= first + 7 { end.finish(c71, row: first + 7, vector: 1) }
    }
  }
  if three {
    if from <= first + 0 { end.finish(c02, row: first + 0, vector: 2) }
    if from <= first + 1 { end.finish(c12, row: first + 1, vector: 2) }
    if from <= first + 2 { end.finish(c22, row: first + 2, vector: 2) }
    if from <= first + 3 { end.finish(c32, row: first + 3, vector: 2) }
    if from <= first + 4 { end.finish(c42, row: first + 4, vector: 2) }
    if from <= first + 5 { end.finish(c52, row: first + 5, vector: 2) }
    if L.rows > 6 {
      if from <= first + 6 { end.finish(c62, row: first + 6, vector: 2) }
      if from <= first + 7 { end.finish(c72, row: first + 7, vector: 2) }
    }
  }
}

/// The micro-kernel with C[rows, n] (+)= A · B as its end.
@inlinable @inline(always)
package func tile<L: Lanes>(
  _: L.Type,
  vectors: Int,
  depth: Int,
  a: Input,
  rowStride: Int,
  depthStride: Int,
  b: Input,
  bStride: Int,
  c: Output,
  cStride: Int,
  accumulate: Bool,
  slices: Int = 1,
  sliceJump: Int = 0,
  ahead: UnsafeRawPointer? = nil,
  aheadStride: Int = 0
) {
  var end = TileStore(L.self, c: c, cStride: cStride)
  tile(
    L.self,
    vectors: vectors,
    depth: depth,
    a: a,
    rowStride: rowStride,
    depthStride: depthStride,
    b: b,
    bStride: bStride,
    start: accumulate ? Input(c) : nil,
    startStride: cStride,
    slices: slices,
    sliceJump: sliceJump,
    ahead: ahead,
    aheadStride: aheadStride,
    end: &end
  )
}

/// Columns of the next panel of B where `columns` are left: two vectors, one, three halves or one half.
///
/// A half alone runs at half the rate, three of them together at the full one; whole and half vectors in
/// one tile were slower than either.
@inlinable @inline(always)
package func panelWidth<L: Lanes>(_: L.Type, _ columns: Int) -> Int {
  if L.Half.count < L.count {
    if columns <= L.Half.count { return L.Half.count }
    let three = L.count + L.Half.count
    if columns > L.count && columns <= three { return three }
    // So that a whole vector and three halves are left, not two and one half.
    if columns > 2 * L.count && columns <= 2 * L.count + L.Half.count { return L.count }
  }
  return columns > L.count ? 2 * L.count : L.count
}

/// C[rows, columns] = A[rows, depth] · B, with B packed by `packColumns`.
///
/// `rows` is rounded up to whole tiles: A and C must have that many rows, C rows of `cStride` floats with
/// whole vectors. A may be cut into `slices` of `depth` columns that stand `sliceStride` floats apart.
@inlinable @inline(always)
package func multiply<L: Lanes>(
  _: L.Type,
  rows: Int,
  depth: Int,
  columns: Int,
  a: Input,
  aStride: Int,
  packed: Input,
  c: Output,
  cStride: Int,
  accumulate: Bool = false,
  slices: Int = 1,
  sliceStride: Int = 0,
  ahead: UnsafeRawPointer? = nil,
  aheadStride: Int = 0
) {
  multiplyTiles(
    L.self,
    rows: rows,
    depth: depth,
    columns: columns,
    a: a,
    rowStride: aStride,
    depthStride: 1,
    b: packed,
    columnStep: depth * slices,
    bStride: nil,
    c: c,
    cStride: cStride,
    accumulate: accumulate,
    slices: slices,
    sliceJump: sliceStride - depth,
    ahead: ahead,
    aheadStride: aheadStride
  )
}

/// C[k, n] (+)= Aᵀ · D over `rows` rows of A[rows, k] and D[rows, n]; see `multiplyTiles` for `isSymmetric`.
///
/// `aStride` must be whole tiles of rows, `dStride` and `cStride` whole vectors, C `aStride` rows.
@inlinable @inline(always)
package func multiplyTransposed<L: Lanes>(
  _: L.Type,
  rows: Int,
  k: Int,
  n: Int,
  a: Input,
  aStride: Int,
  d: Input,
  dStride: Int,
  c: Output,
  cStride: Int,
  accumulate: Bool = true,
  isSymmetric: Bool = false
) {
  multiplyTiles(
    L.self,
    rows: k,
    depth: rows,
    columns: n,
    a: a,
    rowStride: 1,
    depthStride: aStride,
    b: d,
    columnStep: 1,
    bStride: dStride,
    c: c,
    cStride: cStride,
    accumulate: accumulate,
    isSymmetric: isSymmetric
  )
}

/// Panel by panel of C all its tiles.
///
/// The panel from column `j` on of B begins at `b + j · columnStep`, its rows are `bStride` floats apart, or as
/// many as it has columns. Of a C that is symmetric, tiles that lie below the diagonal are left out.
@inlinable @inline(always)
package func multiplyTiles<L: Lanes>(
  _: L.Type,
  rows: Int,
  depth: Int,
  columns: Int,
  a: Input,
  rowStride: Int,
  depthStride: Int,
  b: Input,
  columnStep: Int,
  bStride: Int?,
  c: Output,
  cStride: Int,
  accumulate: Bool,
  isSymmetric: Bool = false,
  slices: Int = 1,
  sliceJump: Int = 0,
  ahead: UnsafeRawPointer? = nil,
  aheadStride: Int = 0
) {
  var j = 0
  while j < columns {
    let width = panelWidth(L.self, columns - j)
    let panel = b + j * columnStep
    let rows = isSymmetric ? min(rows, j + width) : rows
    var i = 0
    while i < rows {
      let ahead = j == 0 ? ahead.map { $0 + i * 64 } : nil
      if width == 2 * L.count {
        tile(
          L.self,
          vectors: 2,
          depth: depth,
          a: a + i * rowStride,
          rowStride: rowStride,
          depthStride: depthStride,
          b: panel,
          bStride: bStride ?? 2 * L.count,
          c: c + i * cStride + j,
          cStride: cStride,
          accumulate: accumulate,
          slices: slices,
          sliceJump: sliceJump,
          ahead: ahead,
          aheadStride: aheadStride
        )
      } else if width == L.count {
        tile(
          L.self,
          vectors: 1,
          depth: depth,
          a: a + i * rowStride,
          rowStride: rowStride,
          depthStride: depthStride,
          b: panel,
          bStride: bStride ?? L.count,
          c: c + i * cStride + j,
          cStride: cStride,
          accumulate: accumulate,
          slices: slices,
          sliceJump: sliceJump,
          ahead: ahead,
          aheadStride: aheadStride
        )
      } else if L.Half.count < L.count && width > L.count {
        tile(
          L.Half.self,
          vectors: 3,
          depth: depth,
          a: a + i * rowStride,
          rowStride: rowStride,
          depthStride: depthStride,
          b: panel,
          bStride: bStride ?? 3 * L.Half.count,
          c: c + i * cStride + j,
          cStride: cStride,
          accumulate: accumulate,
          slices: slices,
          sliceJump: sliceJump,
          ahead: ahead,
          aheadStride: aheadStride
        )
      } else {
        tile(
          L.Half.self,
          vectors: 1,
          depth: depth,
          a: a + i * rowStride,
          rowStride: rowStride,
          depthStride: depthStride,
          b: panel,
          bStride: bStride ?? L.Half.count,
          c: c + i * cStride + j,
          cStride: cStride,
          accumulate: accumulate,
          slices: slices,
          sliceJump: sliceJump,
          ahead: ahead,
          aheadStride: aheadStride
        )
      }
      i += L.rows
    }
    j += width
  }
}
