/// Columns of the next panel of B where `columns` are left: two vectors, one, three halves or one
/// half.
///
/// A half alone runs at half the rate, three of them together at the full one; whole and half
/// vectors in one tile were slower than either.
@_alwaysEmitIntoClient @inline(always)
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
/// `rows` is rounded up to whole tiles: A and C must have that many rows, C rows of `cStride`
/// floats with whole vectors. A may be cut into slices of `depth` columns.
@_alwaysEmitIntoClient @inline(always)
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
  slices: Slices = Slices(),
  prefetches: Prefetches = Prefetches()
) {
  multiplyTiles(
    L.self,
    TiledProduct(
      rows: rows,
      columns: columns,
      a: a,
      rowStride: aStride,
      depthStride: 1,
      depth: depth,
      b: packed,
      columnStep: depth * slices.count,
      bStride: nil,
      c: c,
      cStride: cStride,
      accumulate: accumulate
    ),
    slices: slices,
    prefetches: prefetches
  )
}

/// C[k, n] (+)= Aᵀ · D over `rows` rows of A[rows, k] and D[rows, n]; see `TiledProduct` for
/// `isSymmetric`.
///
/// `aStride` must be whole tiles of rows, `dStride` and `cStride` whole vectors, C `aStride` rows.
@_alwaysEmitIntoClient @inline(always)
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
    TiledProduct(
      rows: k,
      columns: n,
      a: a,
      rowStride: 1,
      depthStride: aStride,
      depth: rows,
      b: d,
      columnStep: 1,
      bStride: dStride,
      c: c,
      cStride: cStride,
      accumulate: accumulate,
      isSymmetric: isSymmetric
    )
  )
}

/// A product C[rows, columns] (+)= A · B of any size, taken tile by tile.
@usableFromInline
package struct TiledProduct {
  /// Rows of C.
  @usableFromInline package var rows: Int
  /// Columns of C.
  @usableFromInline package var columns: Int
  /// See `TileOperands`.
  @usableFromInline package var a: Input
  /// See `TileOperands`.
  @usableFromInline package var rowStride: Int
  /// See `TileOperands`.
  @usableFromInline package var depthStride: Int
  /// See `TileOperands`.
  @usableFromInline package var depth: Int
  /// Right side: the panel from column `j` on begins at `b + j · columnStep`.
  @usableFromInline package var b: Input
  /// See `b`.
  @usableFromInline package var columnStep: Int
  /// Floats from row to row of a panel; nil for as many as it has columns.
  @usableFromInline package var bStride: Int?
  /// Where to.
  @usableFromInline package var c: Output
  /// Floats from row to row of C.
  @usableFromInline package var cStride: Int
  /// Whether the product is added to what is there.
  @usableFromInline package var accumulate: Bool
  /// Whether C is symmetric; tiles that lie below its diagonal are left out then.
  @usableFromInline package var isSymmetric: Bool

  /// Describes a product.
  @_alwaysEmitIntoClient @inline(always)
  package init(
    rows: Int,
    columns: Int,
    a: Input,
    rowStride: Int,
    depthStride: Int,
    depth: Int,
    b: Input,
    columnStep: Int,
    bStride: Int?,
    c: Output,
    cStride: Int,
    accumulate: Bool,
    isSymmetric: Bool = false
  ) {
    self.rows = rows
    self.columns = columns
    self.a = a
    self.rowStride = rowStride
    self.depthStride = depthStride
    self.depth = depth
    self.b = b
    self.columnStep = columnStep
    self.bStride = bStride
    self.c = c
    self.cStride = cStride
    self.accumulate = accumulate
    self.isSymmetric = isSymmetric
  }
}

/// Panel by panel of C all its tiles.
@_alwaysEmitIntoClient @inline(always)
package func multiplyTiles<L: Lanes>(
  _: L.Type,
  _ p: TiledProduct,
  slices: Slices = Slices(),
  prefetches: Prefetches = Prefetches()
) {
  var j = 0
  while j < p.columns {
    let width = panelWidth(L.self, p.columns - j)
    let rows = p.isSymmetric ? min(p.rows, j + width) : p.rows
    var i = 0
    while i < rows {
      // Once for a row of tiles is enough.
      var ahead = Prefetches(stride: prefetches.stride)
      if j == 0 { ahead.first = prefetches.first.map { $0 + i * 64 } }
      if width == 2 * L.count {
        multiplyTile(L.self, vectors: 2, p, row: i, column: j, slices, ahead)
      } else if width == L.count {
        multiplyTile(L.self, vectors: 1, p, row: i, column: j, slices, ahead)
      } else if L.Half.count < L.count && width > L.count {
        multiplyTile(L.Half.self, vectors: 3, p, row: i, column: j, slices, ahead)
      } else {
        multiplyTile(L.Half.self, vectors: 1, p, row: i, column: j, slices, ahead)
      }
      i += L.rows
    }
    j += width
  }
}

/// The tile of C from `row` and `column` on.
@_alwaysEmitIntoClient @inline(always)
package func multiplyTile<L: Lanes>(
  _: L.Type,
  vectors: Int,
  _ p: TiledProduct,
  row: Int,
  column: Int,
  _ slices: Slices,
  _ prefetches: Prefetches
) {
  tile(
    L.self,
    vectors: vectors,
    TileOperands(
      depth: p.depth,
      a: p.a + row * p.rowStride,
      rowStride: p.rowStride,
      depthStride: p.depthStride,
      b: p.b + column * p.columnStep,
      bStride: p.bStride ?? vectors * L.count
    ),
    c: p.c + row * p.cStride + column,
    cStride: p.cStride,
    accumulate: p.accumulate,
    slices: slices,
    prefetches: prefetches
  )
}
