/// The matrix micro-kernel: C[rows, n] (+)= A[rows, depth] · B[depth, n], n being `vectors` (1 to 3) whole ones.
///
/// Element (r, k) of A stands at `a[r · rowStride + k · depthStride]`, so the same text serves A and its
/// transpose. `rows` is `L.rows`; all pointers must allow whole tiles (callers pad their scratch).
/// The depth may be cut into `slices` of A that stand apart: `sliceJump` is added to `a` after each. The
/// sums start from `bias`, a row of as many vectors, if there is one; `rectify` ends them with a ReLU.
/// Before each slice the cache lines of `rows` blocks at `ahead`, further by `aheadStride` bytes each time,
/// are asked for: memory answers while the arithmetic runs.
/// Register budget: `vectors` · rows accumulators, `vectors` of B, one broadcast; three need 28 registers.
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
  bias: Input? = nil,
  rectify: Bool = false,
  ahead: UnsafeRawPointer? = nil,
  aheadStride: Int = 0
) {
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
  if let bias {
    c00 = L.load(bias)
    c10 = c00
    c20 = c00
    c30 = c00
    c40 = c00
    c50 = c00
    if L.rows > 6 {
      c60 = c00
      c70 = c00
    }
    if two {
      c01 = L.load(bias + L.count)
      c11 = c01
      c21 = c01
      c31 = c01
      c41 = c01
      c51 = c01
      if L.rows > 6 {
        c61 = c01
        c71 = c01
      }
    }
    if three {
      c02 = L.load(bias + 2 * L.count)
      c12 = c02
      c22 = c02
      c32 = c02
      c42 = c02
      c52 = c02
      if L.rows > 6 {
        c62 = c02
        c72 = c02
      }
    }
  } else if accumulate {
    c00 = L.load(c)
    c10 = L.load(c + cStride)
    c20 = L.load(c + 2 * cStride)
    c30 = L.load(c + 3 * cStride)
    c40 = L.load(c + 4 * cStride)
    c50 = L.load(c + 5 * cStride)
    if L.rows > 6 {
      c60 = L.load(c + 6 * cStride)
      c70 = L.load(c + 7 * cStride)
    }
    if two {
      c01 = L.load(c + L.count)
      c11 = L.load(c + cStride + L.count)
      c21 = L.load(c + 2 * cStride + L.count)
      c31 = L.load(c + 3 * cStride + L.count)
      c41 = L.load(c + 4 * cStride + L.count)
      c51 = L.load(c + 5 * cStride + L.count)
      if L.rows > 6 {
        c61 = L.load(c + 6 * cStride + L.count)
        c71 = L.load(c + 7 * cStride + L.count)
      }
    }
    if three {
      c02 = L.load(c + 2 * L.count)
      c12 = L.load(c + cStride + 2 * L.count)
      c22 = L.load(c + 2 * cStride + 2 * L.count)
      c32 = L.load(c + 3 * cStride + 2 * L.count)
      c42 = L.load(c + 4 * cStride + 2 * L.count)
      c52 = L.load(c + 5 * cStride + 2 * L.count)
      if L.rows > 6 {
        c62 = L.load(c + 6 * cStride + 2 * L.count)
        c72 = L.load(c + 7 * cStride + 2 * L.count)
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
  if rectify {
    c00 = L.relu(c00)
    c10 = L.relu(c10)
    c20 = L.relu(c20)
    c30 = L.relu(c30)
    c40 = L.relu(c40)
    c50 = L.relu(c50)
    if L.rows > 6 {
      c60 = L.relu(c60)
      c70 = L.relu(c70)
    }
    if two {
      c01 = L.relu(c01)
      c11 = L.relu(c11)
      c21 = L.relu(c21)
      c31 = L.relu(c31)
      c41 = L.relu(c41)
      c51 = L.relu(c51)
      if L.rows > 6 {
        c61 = L.relu(c61)
        c71 = L.relu(c71)
      }
    }
    if three {
      c02 = L.relu(c02)
      c12 = L.relu(c12)
      c22 = L.relu(c22)
      c32 = L.relu(c32)
      c42 = L.relu(c42)
      c52 = L.relu(c52)
      if L.rows > 6 {
        c62 = L.relu(c62)
        c72 = L.relu(c72)
      }
    }
  }
  L.store(c00, c)
  L.store(c10, c + cStride)
  L.store(c20, c + 2 * cStride)
  L.store(c30, c + 3 * cStride)
  L.store(c40, c + 4 * cStride)
  L.store(c50, c + 5 * cStride)
  if L.rows > 6 {
    L.store(c60, c + 6 * cStride)
    L.store(c70, c + 7 * cStride)
  }
  if two {
    L.store(c01, c + L.count)
    L.store(c11, c + cStride + L.count)
    L.store(c21, c + 2 * cStride + L.count)
    L.store(c31, c + 3 * cStride + L.count)
    L.store(c41, c + 4 * cStride + L.count)
    L.store(c51, c + 5 * cStride + L.count)
    if L.rows > 6 {
      L.store(c61, c + 6 * cStride + L.count)
      L.store(c71, c + 7 * cStride + L.count)
    }
  }
  if three {
    L.store(c02, c + 2 * L.count)
    L.store(c12, c + cStride + 2 * L.count)
    L.store(c22, c + 2 * cStride + 2 * L.count)
    L.store(c32, c + 3 * cStride + 2 * L.count)
    L.store(c42, c + 4 * cStride + 2 * L.count)
    L.store(c52, c + 5 * cStride + 2 * L.count)
    if L.rows > 6 {
      L.store(c62, c + 6 * cStride + 2 * L.count)
      L.store(c72, c + 7 * cStride + 2 * L.count)
    }
  }
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

/// C[k, n] (+)= Aᵀ · D over `rows` rows of A[rows, k] and D[rows, n].
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
  accumulate: Bool = true
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
    accumulate: accumulate
  )
}

/// Panel by panel of C all its tiles; the panel from column `j` on of B begins at `b + j · columnStep`, its
/// rows are `bStride` floats apart, or as many as it has columns.
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
  slices: Int = 1,
  sliceJump: Int = 0,
  ahead: UnsafeRawPointer? = nil,
  aheadStride: Int = 0
) {
  var j = 0
  while j < columns {
    let width = panelWidth(L.self, columns - j)
    let panel = b + j * columnStep
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
