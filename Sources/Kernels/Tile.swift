/// The matrix micro-kernel: C[rows, 2 vectors] (+)= A[rows, depth] · B[depth, 2 vectors].
///
/// Element (r, k) of A stands at `a[r · rowStride + k · depthStride]`, so the same text serves A and its
/// transpose. `rows` is `L.rows`; all pointers must allow whole tiles (callers pad their scratch).
/// The depth may be cut into `slices` of A that stand apart: `sliceJump` is added to `a` after each. The
/// sums start from `bias`, a row of two vectors, if there is one; `rectify` ends them with a ReLU.
/// Before each slice the cache lines of `rows` blocks at `ahead`, further by `aheadStride` bytes each time,
/// are asked for: memory answers while the arithmetic runs.
/// Register budget: 2 · rows accumulators, two vectors of B, one broadcast.
@inlinable @inline(always)
package func tile<L: Lanes>(
  _: L.Type,
  two: Bool,
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
  var ahead = ahead
  var c00 = V.zero, c10 = V.zero, c20 = V.zero, c30 = V.zero
  var c40 = V.zero, c50 = V.zero, c60 = V.zero, c70 = V.zero
  var c01 = V.zero, c11 = V.zero, c21 = V.zero, c31 = V.zero
  var c41 = V.zero, c51 = V.zero, c61 = V.zero, c71 = V.zero
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
      let x0 = V(repeating: a[0])
      c00 = L.fma(x0, b0, c00)
      if two { c01 = L.fma(x0, b1, c01) }
      let x1 = V(repeating: a[rowStride])
      c10 = L.fma(x1, b0, c10)
      if two { c11 = L.fma(x1, b1, c11) }
      let x2 = V(repeating: a[2 * rowStride])
      c20 = L.fma(x2, b0, c20)
      if two { c21 = L.fma(x2, b1, c21) }
      let x3 = V(repeating: a[3 * rowStride])
      c30 = L.fma(x3, b0, c30)
      if two { c31 = L.fma(x3, b1, c31) }
      let x4 = V(repeating: a[4 * rowStride])
      c40 = L.fma(x4, b0, c40)
      if two { c41 = L.fma(x4, b1, c41) }
      let x5 = V(repeating: a[5 * rowStride])
      c50 = L.fma(x5, b0, c50)
      if two { c51 = L.fma(x5, b1, c51) }
      if L.rows > 6 {
        let x6 = V(repeating: a[6 * rowStride])
        c60 = L.fma(x6, b0, c60)
        if two { c61 = L.fma(x6, b1, c61) }
        let x7 = V(repeating: a[7 * rowStride])
        c70 = L.fma(x7, b0, c70)
        if two { c71 = L.fma(x7, b1, c71) }
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
}

/// Columns of the next panel of B where `columns` are left: two vectors, one, or half of one.
@inlinable @inline(always)
package func panelWidth<L: Lanes>(_: L.Type, _ columns: Int) -> Int {
  if L.Half.count < L.count {
    if columns <= L.Half.count { return L.Half.count }
    if columns <= L.count + L.Half.count { return L.count }
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
      if width > L.count {
        tile(
          L.self,
          two: true,
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
          two: false,
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
      } else {
        tile(
          L.Half.self,
          two: false,
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

/// Packs B[depth, columns] into panels of `panelWidth` columns, zero beyond the columns.
///
/// Element (k, j) of B stands at `b[k · depthStride + j · columnStride]`. The packed size is
/// `L.padded(columns) · depth`.
@inlinable @inline(always)
package func packColumns<L: Lanes>(
  _: L.Type,
  depth: Int,
  columns: Int,
  b: Input,
  depthStride: Int,
  columnStride: Int,
  into p: Output
) {
  var j = 0
  while j < columns {
    let width = panelWidth(L.self, columns - j)
    let valid = min(width, columns - j)
    let panel = p + j * depth
    let from = b + j * columnStride
    if columnStride == 1 && valid == width && width >= L.count {
      for k in 0..<depth {
        L.store(L.load(from + k * depthStride), panel + k * width)
        if width > L.count {
          L.store(L.load(from + k * depthStride + L.count), panel + k * width + L.count)
        }
      }
    } else {
      // Down the columns, a stretch at a time, so that a transposed B is read as it lies.
      var first = 0
      while first < depth {
        let last = min(depth, first + 64)
        for i in 0..<width {
          if i < valid {
            let column = from + i * columnStride
            for k in first..<last { panel[k * width + i] = column[k * depthStride] }
          } else {
            for k in first..<last { panel[k * width + i] = 0 }
          }
        }
        first = last
      }
    }
    j += width
  }
}

/// Packs a block, [columns, 16], transposed as slice `slice` of the `slices` of a B for `multiply`, each 16
/// rows of `columns`.
@inlinable @inline(always)
package func packSlice<L: Lanes>(
  _: L.Type,
  columns: Int,
  block: Input,
  slice: Int,
  slices: Int,
  into p: Output
) {
  var j = 0
  while j < columns {
    let width = panelWidth(L.self, columns - j)
    let valid = min(width, columns - j)
    let panel = p + (j * slices + slice * width) * blockWidth
    for i in 0..<valid {
      let from = block + (j + i) * blockWidth
      for k in 0..<blockWidth { panel[k * width + i] = from[k] }
    }
    for i in valid..<width {
      for k in 0..<blockWidth { panel[k * width + i] = 0 }
    }
    j += width
  }
}
