/// A product of blocks that stand apart, C[rows, columns] (+)= A[rows, 16 · slices] · B.
@usableFromInline
package struct SliceProduct {
  /// Columns of B and C.
  @usableFromInline package var columns: Int
  /// Blocks of A.
  @usableFromInline package var slices: Int
  /// The first block of A, [rows, 16].
  @usableFromInline package var a: Input
  /// Floats from block to block of A.
  @usableFromInline package var sliceStride: Int
  /// B[16 · slices, columns], packed by `packSlice`.
  @usableFromInline package var packed: Input
  /// Whether it was packed in rows.
  @usableFromInline package var inRows: Bool
  /// Where to, in rows of `wholeBlocks(columns)` floats.
  @usableFromInline package var c: Output
  /// Whether the product is added to what is there.
  @usableFromInline package var accumulate: Bool
  /// Whether C is symmetric, and what lies below its diagonal is not wanted.
  @usableFromInline package var isSymmetric: Bool
  /// Whether zeros of A are passed over; B is in rows then.
  @usableFromInline package var skipsZeros: Bool

  /// Describes a product.
  @_alwaysEmitIntoClient
  package init(
    columns: Int,
    slices: Int,
    a: Input,
    sliceStride: Int,
    packed: Input,
    inRows: Bool,
    c: Output,
    accumulate: Bool,
    isSymmetric: Bool = false,
    skipsZeros: Bool
  ) {
    self.columns = columns
    self.slices = slices
    self.a = a
    self.sliceStride = sliceStride
    self.packed = packed
    self.inRows = inRows
    self.c = c
    self.accumulate = accumulate
    self.isSymmetric = isSymmetric
    self.skipsZeros = skipsZeros
  }
}

/// The product over `rows` rows; `workspace` has room for 128 floats.
@_alwaysEmitIntoClient @inline(always)
package func multiplySlices<L: Lanes>(
  _: L.Type,
  _ p: SliceProduct,
  rows: Int,
  workspace: Output
) {
  let cStride = wholeBlocks(p.columns)
  if p.skipsZeros {
    return multiplyMasked(
      L.self,
      rows: rows,
      columns: p.columns,
      slices: p.slices,
      prologue: PlainBlocks(L.self, a: p.a, stride: p.sliceStride),
      b: p.packed,
      c: p.c,
      cStride: cStride,
      accumulate: p.accumulate,
      values: workspace
    )
  }
  multiplyTiles(
    L.self,
    TiledProduct(
      rows: rows,
      columns: p.columns,
      a: p.a,
      rowStride: blockWidth,
      depthStride: 1,
      depth: blockWidth,
      b: p.packed,
      columnStep: p.inRows ? 1 : blockWidth * p.slices,
      bStride: p.inRows ? cStride : nil,
      c: p.c,
      cStride: cStride,
      accumulate: p.accumulate,
      isSymmetric: p.isSymmetric
    ),
    slices: Slices(count: p.slices, jump: p.sliceStride - blockWidth)
  )
}
