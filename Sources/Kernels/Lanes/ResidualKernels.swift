/// The kernels of the inverted residual of one instruction set.
@usableFromInline
package struct ResidualKernels: Sendable {
  /// See `Kernels.secondMoments`: x, channels, first, last, products, sums.
  package var secondMoments: @Sendable (Input, Int, Int, Int, Output, Output) -> Void
  /// See `Kernels.multiplyBlock`: rows, depth, A, stride of A, B, C, workspace.
  package var multiplyBlock: @Sendable (Int, Int, Input, Int, Input, Output, Output) -> Void
  /// See `Kernels.skipsZeros`: columns.
  package var skipsZeros: @Sendable (Int) -> Bool
  /// See `Kernels.multiplySlices`: what, rows, A, C, accumulate.
  package var multiplySlices: @Sendable (SliceProduct, Int, Input, Output, Bool) -> Void
  /// See `Kernels.packSlice`: columns, block, slice, slices, in rows, to.
  package var packSlice: @Sendable (Int, Input, Int, Int, Bool, Output) -> Void
  /// See `Kernels.packBlock`: columns, rows, their stride, to.
  package var packBlock: @Sendable (Int, Input, Int, Output) -> Void
  /// See `Kernels.expandDepthwise`: what, images, out, sums, squares, workspace.
  package var expandDepthwise:
    @Sendable (ExpandDepthwise, Int, SavedBlocks, Output?, Output?, Output) -> Void
  /// See `Kernels.expandDepthwiseBackward`: what, view, images, is first, filter, weight gradients,
  /// sums, gradient, workspace.
  package var expandDepthwiseBackward:
    @Sendable (
      ExpandDepthwise, ResidualBlockGradient, Int, Bool, Output?, Output?, Output, Output, Output
    ) -> Void
  /// See `Kernels.projectBlocks`: what, first, last, out, sums, squares, workspace.
  package var projectBlocks:
    @Sendable (ProjectBlocks, Int, Int, Output, Output?, Output?, Output) -> Void
  /// See `Kernels.projectBlocksBackward`: what, gradient, kept, first, last, filter, sums,
  /// products, workspace.
  package var projectBlocksBackward:
    @Sendable (
      ProjectBlocks, GradientSource, Output, Int, Int, Output?, Output, Output, Output
    ) -> Void
  /// See `Kernels.copyRows`: rows, columns, from, stride of from, to, accumulate.
  package var copyRows: @Sendable (Int, Int, Input, Int, Output, Bool) -> Void
  /// See `Kernels.subtractProduct`: x, packed, offset, first, last, y, workspace.
  package var subtractProduct: @Sendable (RowSource, Input, Input, Int, Int, Output, Output) -> Void

  /// Gathers the kernels.
  @usableFromInline
  package init(
    secondMoments: @escaping @Sendable (Input, Int, Int, Int, Output, Output) -> Void,
    multiplyBlock: @escaping @Sendable (Int, Int, Input, Int, Input, Output, Output) -> Void,
    skipsZeros: @escaping @Sendable (Int) -> Bool,
    multiplySlices: @escaping @Sendable (SliceProduct, Int, Input, Output, Bool) -> Void,
    packSlice: @escaping @Sendable (Int, Input, Int, Int, Bool, Output) -> Void,
    packBlock: @escaping @Sendable (Int, Input, Int, Output) -> Void,
    expandDepthwise:
      @escaping @Sendable (ExpandDepthwise, Int, SavedBlocks, Output?, Output?, Output) -> Void,
    expandDepthwiseBackward:
      @escaping @Sendable (
        ExpandDepthwise, ResidualBlockGradient, Int, Bool, Output?, Output?, Output, Output, Output
      ) -> Void,
    projectBlocks:
      @escaping @Sendable (ProjectBlocks, Int, Int, Output, Output?, Output?, Output) -> Void,
    projectBlocksBackward:
      @escaping @Sendable (
        ProjectBlocks, GradientSource, Output, Int, Int, Output?, Output, Output, Output
      ) -> Void,
    copyRows: @escaping @Sendable (Int, Int, Input, Int, Output, Bool) -> Void,
    subtractProduct:
      @escaping @Sendable (RowSource, Input, Input, Int, Int, Output, Output) -> Void
  ) {
    self.secondMoments = secondMoments
    self.multiplyBlock = multiplyBlock
    self.skipsZeros = skipsZeros
    self.multiplySlices = multiplySlices
    self.packSlice = packSlice
    self.packBlock = packBlock
    self.expandDepthwise = expandDepthwise
    self.expandDepthwiseBackward = expandDepthwiseBackward
    self.projectBlocks = projectBlocks
    self.projectBlocksBackward = projectBlocksBackward
    self.copyRows = copyRows
    self.subtractProduct = subtractProduct
  }
}

/// The inverted residual's kernels over the lanes `L`; see `kernelTable`.
@inlinable @inline(always)
package func residualKernels<L: Lanes>(_: L.Type) -> ResidualKernels {
  ResidualKernels(
    secondMoments: {
      secondMoments(L.self, $0, channels: $1, first: $2, last: $3, products: $4, sums: $5)
    },
    multiplyBlock: {
      multiplyBlock(L.self, rows: $0, depth: $1, a: $2, aStride: $3, b: $4, c: $5, workspace: $6)
    },
    skipsZeros: { skipsZeros(L.self, columns: $0) },
    multiplySlices: {
      multiplySlices(L.self, $0, rows: $1, a: $2, c: $3, accumulate: $4)
    },
    packSlice: {
      packSlice(L.self, columns: $0, block: $1, slice: $2, slices: $3, inRows: $4, into: $5)
    },
    packBlock: { packBlock(L.self, columns: $0, rows: $1, stride: $2, into: $3) },
    expandDepthwise: {
      expandDepthwise(L.self, $0, images: $1, out: $2, sums: $3, squares: $4, workspace: $5)
    },
    expandDepthwiseBackward: {
      expandDepthwiseBackward(
        L.self,
        $0,
        $1,
        images: $2,
        isFirst: $3,
        filter: $4,
        weightGradients: $5,
        sums: $6,
        gradient: $7,
        workspace: $8
      )
    },
    projectBlocks: {
      projectBlocks(
        L.self,
        $0,
        first: $1,
        last: $2,
        out: $3,
        sums: $4,
        squares: $5,
        workspace: $6
      )
    },
    projectBlocksBackward: {
      projectBlocksBackward(
        L.self,
        $0,
        gradient: $1,
        kept: $2,
        first: $3,
        last: $4,
        filter: $5,
        sums: $6,
        products: $7,
        workspace: $8
      )
    },
    copyRows: {
      copyRows(L.self, rows: $0, columns: $1, from: $2, stride: $3, to: $4, accumulate: $5)
    },
    subtractProduct: {
      subtractProduct(
        L.self,
        $0,
        packed: $1,
        offset: $2,
        first: $3,
        last: $4,
        from: $5,
        workspace: $6
      )
    }
  )
}
