/// The kernels of the inverted residual of one instruction set.
@usableFromInline
package struct ResidualKernels: Sendable {
  /// See `Kernels.secondMoments`: x, channels, first, last, products, sums.
  package var secondMoments: @Sendable (Input, Int, Int, Int, Output, Output) -> Void
  /// See `Kernels.multiplyBlock`: rows, depth, A, stride of A, B, C, spare.
  package var multiplyBlock: @Sendable (Int, Int, Input, Int, Input, Output, Output) -> Void
  /// C[rows, columns] += A[rows, 16] · B; see `Kernels.multiply`: rows, columns, A, packed B, C, stride of C.
  package var addProduct: @Sendable (Int, Int, Input, Input, Output, Int) -> Void
  /// See `Kernels.expandDepthwise`: what, out, sums, squares, scratch.
  package var expandDepthwise: @Sendable (ExpandDepthwise, Output, Output?, Output?, Output) -> Void
  /// See `Kernels.expandDepthwiseBackward`: what, way back, filter, taps, sums, dx, scratch.
  package var expandDepthwiseBackward:
    @Sendable (
      ExpandDepthwise, ResidualBlockGradient, Output, Output, Output, Output, Output
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
    addProduct: @escaping @Sendable (Int, Int, Input, Input, Output, Int) -> Void,
    expandDepthwise:
      @escaping @Sendable (ExpandDepthwise, Output, Output?, Output?, Output) -> Void,
    expandDepthwiseBackward:
      @escaping @Sendable (
        ExpandDepthwise, ResidualBlockGradient, Output, Output, Output, Output, Output
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
    self.addProduct = addProduct
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
    addProduct: {
      multiply(
        L.self,
        rows: $0,
        depth: blockWidth,
        columns: $1,
        a: $2,
        aStride: blockWidth,
        packed: $3,
        c: $4,
        cStride: $5,
        accumulate: true
      )
    },
    expandDepthwise: {
      expandDepthwise(L.self, $0, out: $1, sums: $2, squares: $3, scratch: $4)
    },
    expandDepthwiseBackward: {
      expandDepthwiseBackward(
        L.self,
        $0,
        $1,
        filter: $2,
        tapGradients: $3,
        sums: $4,
        dx: $5,
        scratch: $6
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
