/// The right side of a product with blocks, and where the left one's stand.
@usableFromInline
package struct SliceProduct {
  /// Columns of B and C.
  @usableFromInline package var columns: Int
  /// Blocks of A.
  @usableFromInline package var slices: Int
  /// Floats from block to block of A.
  @usableFromInline package var sliceStride: Int
  /// B[16 · slices, columns], packed by `packSlice`.
  @usableFromInline package var packed: Input
  /// Whether it was packed in rows.
  @usableFromInline package var inRows: Bool
  /// Whether C is symmetric, and what lies below its diagonal is not wanted.
  @usableFromInline package var isSymmetric: Bool
  /// Whether zeros of A are passed over; B is in rows then.
  @usableFromInline package var skipsZeros: Bool
  /// Room for 128 floats.
  @usableFromInline package var workspace: Output

  /// Describes a product.
  @inlinable
  package init(
    columns: Int,
    slices: Int,
    sliceStride: Int,
    packed: Input,
    inRows: Bool,
    isSymmetric: Bool = false,
    skipsZeros: Bool,
    workspace: Output
  ) {
    self.isSymmetric = isSymmetric
    self.columns = columns
    self.slices = slices
    self.sliceStride = sliceStride
    self.packed = packed
    self.inRows = inRows
    self.skipsZeros = skipsZeros
    self.workspace = workspace
  }
}

/// C[rows, columns] (+)= A[rows, 16 · slices] · B, rows of C `wholeBlocks(columns)` floats apart.
@inlinable @inline(always)
package func multiplySlices<L: Lanes>(
  _: L.Type,
  _ p: SliceProduct,
  rows: Int,
  a: Input,
  c: Output,
  accumulate: Bool
) {
  let cStride = wholeBlocks(p.columns)
  if p.skipsZeros {
    return multiplyMasked(
      L.self,
      rows: rows,
      columns: p.columns,
      slices: p.slices,
      prologue: PlainBlocks(L.self, a: a, stride: p.sliceStride),
      b: p.packed,
      c: c,
      cStride: cStride,
      accumulate: accumulate,
      values: p.workspace
    )
  }
  multiplyTiles(
    L.self,
    TiledProduct(
      rows: rows,
      columns: p.columns,
      a: a,
      rowStride: blockWidth,
      depthStride: 1,
      depth: blockWidth,
      b: p.packed,
      columnStep: p.inRows ? 1 : blockWidth * p.slices,
      bStride: p.inRows ? cStride : nil,
      c: c,
      cStride: cStride,
      accumulate: accumulate,
      isSymmetric: p.isSymmetric
    ),
    slices: Slices(count: p.slices, jump: p.sliceStride - blockWidth)
  )
}
