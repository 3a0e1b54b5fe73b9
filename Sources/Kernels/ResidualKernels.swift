/// The kernels of the inverted residual of one instruction set.
@usableFromInline
package struct ResidualKernels: Sendable {
  /// See `Kernels.secondMoments`: x, channels, first, last, products, sums.
  package var secondMoments: @Sendable (Input, Int, Int, Int, Output, Output) -> Void
  /// See `Kernels.multiplyBlock`: rows, depth, A, stride of A, B, C, spare.
  package var multiplyBlock: @Sendable (Int, Int, Input, Int, Input, Output, Output) -> Void
  /// C[rows, columns] (+)= A[rows, 16 · slices] · B; see `Kernels.multiply`: rows, columns, A, slices, their
  /// stride, packed B, C, stride of C, accumulate.
  package var multiplySlices:
    @Sendable (Int, Int, Input, Int, Int, Input, Output, Int, Bool) -> Void
  /// See `Kernels.packSlice`: columns, block, slice, slices, to.
  package var packSlice: @Sendable (Int, Input, Int, Int, Output) -> Void
  /// See `Kernels.expandDepthwise`: what, images, out, sums, squares, scratch.
  package var expandDepthwise:
    @Sendable (ExpandDepthwise, Int, SavedBlocks, Output?, Output?, Output) -> Void
  /// See `Kernels.expandDepthwiseBackward`: what, way back, images, is first, filter, taps, sums, gradient,
  /// scratch.
  package var expandDepthwiseBackward:
    @Sendable (
      ExpandDepthwise, ResidualBlockGradient, Int, Bool, Output, Output, Output, Output, Output
    ) -> Void
  /// See `Kernels.projectBlocks`: what, first, last, out, sums, squares, scratch.
  package var projectBlocks:
    @Sendable (ProjectBlocks, Int, Int, Output, Output?, Output?, Output) -> Void
  /// See `Kernels.projectBlocksBackward`: what, gradient, kept, first, last, filter, sums, products,
  /// scratch.
  package var projectBlocksBackward:
    @Sendable (
      ProjectBlocks, GradientSource, Output, Int, Int, Output?, Output, Output, Output
    ) -> Void
  /// See `Kernels.copyRows`: rows, columns, from, stride of from, to, accumulate.
  package var copyRows: @Sendable (Int, Int, Input, Int, Output, Bool) -> Void
  /// See `Kernels.subtractProduct`: x, packed, offset, first, last, y, scratch.
  package var subtractProduct: @Sendable (RowSource, Input, Input, Int, Int, Output, Output) -> Void

  /// Gathers the kernels.
  @usableFromInline
  package init(
    secondMoments: @escaping @Sendable (Input, Int, Int, Int, Output, Output) -> Void,
    multiplyBlock: @escaping @Sendable (Int, Int, Input, Int, Input, Output, Output) -> Void,
    multiplySlices:
      @escaping @Sendable (Int, Int, Input, Int, Int, Input, Output, Int, Bool) -> Void,
    packSlice: @escaping @Sendable (Int, Input, Int, Int, Output) -> Void,
    expandDepthwise:
      @escaping @Sendable (ExpandDepthwise, Int, SavedBlocks, Output?, Output?, Output) -> Void,
    expandDepthwiseBackward:
      @escaping @Sendable (
        ExpandDepthwise, ResidualBlockGradient, Int, Bool, Output, Output, Output, Output, Output
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
    self.multiplySlices = multiplySlices
    self.packSlice = packSlice
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
      multiplyBlock(L.self, rows: $0, depth: $1, a: $2, aStride: $3, b: $4, c: $5, spare: $6)
    },
    multiplySlices: {
      multiply(
        L.self,
        rows: $0,
        depth: blockWidth,
        columns: $1,
        a: $2,
        aStride: blockWidth,
        packed: $5,
        c: $6,
        cStride: $7,
        accumulate: $8,
        slices: $3,
        sliceStride: $4
      )
    },
    packSlice: {
      packSlice(L.self, columns: $0, block: $1, slice: $2, slices: $3, into: $4)
    },
    expandDepthwise: {
      expandDepthwise(L.self, $0, images: $1, out: $2, sums: $3, squares: $4, scratch: $5)
    },
    expandDepthwiseBackward: {
      expandDepthwiseBackward(
        L.self,
        $0,
        $1,
        images: $2,
        isFirst: $3,
        filter: $4,
        tapGradients: $5,
        sums: $6,
        gradient: $7,
        scratch: $8
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
        scratch: $6
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
        scratch: $8
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
        scratch: $6
      )
    }
  )
}
