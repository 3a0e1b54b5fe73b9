/// The kernels of one instruction set, by name; everything above calls through a table.
///
/// The functions are whole, non-generic functions of their module, so nothing compiled for a wider
/// set can be shared by the linker with a narrower one.
@usableFromInline
package struct KernelTable: Sendable {
  /// `baseline`, `avx2` or `avx512`.
  package var name: String
  /// Floats in a vector: widths are padded to this in packed filters and partial filter gradients.
  package var lanes: Int
  /// Rows of a tile: depths are padded to this in partial filter gradients.
  package var rows: Int
  /// See `Kernels.peakSteps`, 12 multiply–adds of a vector each: steps, values.
  package var peakSteps: @Sendable (Int, Output) -> Void
  /// See `Kernels.peakTiles`: depth, repeats, operands.
  package var peakTiles: @Sendable (Int, Int, Output) -> Void
  /// See `Kernels.readAll`: count, x, out.
  package var readAll: @Sendable (Int, Input, Output) -> Void
  /// See `Kernels.packColumns`: depth, columns, source, depth stride, column stride, packed.
  package var packColumns: @Sendable (Int, Int, Input, Int, Int, Output) -> Void
  /// See `Kernels.convolve`: what, first, last, sums, squares, workspace.
  package var convolve: @Sendable (ConvolutionForward, Int, Int, Output?, Output?, Output) -> Void
  /// See `Kernels.convolveBackward`: what, first, last, filter, sums, products, workspace.
  package var convolveBackward:
    @Sendable (ConvolutionBackward, Int, Int, Output?, Output?, Output?, Output) -> Void
  /// See `Kernels.finishGradientRows`, in place: source, first, count, gradient, sums, products.
  package var finishGradientRows: @Sendable (RowSource, Int, Int, Output, Output?, Output?) -> Void
  /// See `Kernels.depthwise`: what, out, sums, squares, workspace.
  package var depthwise: @Sendable (Depthwise, Output, Output?, Output?, Output) -> Void
  /// See `Kernels.depthwiseBackward`: what, workspace.
  package var depthwiseBackward: @Sendable (DepthwiseBackward, Output) -> Void
  /// See `Kernels.weightedSum`: branches, count, channels, first, last, out.
  package var weightedSum: @Sendable (UnsafePointer<Branch>, Int, Int, Int, Int, Output) -> Void
  /// See `Kernels.branchSums`: branch, gradient, channels, first, last, sums, products, dots.
  package var branchSums: @Sendable (Branch, Input, Int, Int, Int, Output, Output, Output) -> Void
  /// See `Kernels.materialise`: source, first, last, out.
  package var materialise: @Sendable (RowSource, Int, Int, Output) -> Void
  /// See `Kernels.averageRows`: source, first, rows, out.
  package var averageRows: @Sendable (RowSource, Int, Int, Output) -> Void
  /// See `Kernels.averageRowsBackward`: source, gradient, first, rows, out, accumulate, sums,
  /// products.
  package var averageRowsBackward:
    @Sendable (RowSource, Input, Int, Int, Output, Bool, Output?, Output?) -> Void
  /// See `Kernels.addScaled`: count, a, x, y.
  package var addScaled: @Sendable (Int, Float, Input, Output) -> Void
  /// See `Kernels.scale`: count, a, x, y.
  package var scale: @Sendable (Int, Float, Input, Output) -> Void
  /// See `Kernels.stochasticGradientDescent`: count, weights, gradient, velocity, rate, momentum,
  /// decay.
  package var stochasticGradientDescent:
    @Sendable (Int, Output, Input, Output, Float, Float, Float) -> Void
  /// See `Kernels.rootMeanSquareStep`: count, weights, gradient, square, velocity, numbers.
  package var rootMeanSquareStep:
    @Sendable (Int, Output, Input, Output, Output, RootMeanSquare) -> Void
  /// See `Kernels.blend`: count, a, x, y.
  package var blend: @Sendable (Int, Float, Input, Output) -> Void
  /// See `Kernels.scaleRows`: source, gate, first, rows, out.
  package var scaleRows: @Sendable (RowSource, Input, Int, Int, Output) -> Void
  /// See `Kernels.scaleRowsBackward`: source, gate, gradient, first, rows, out, accumulate, sums,
  /// products, dots.
  package var scaleRowsBackward:
    @Sendable (
      RowSource, Input, Input, Int, Int, Output?, Bool, Output?, Output?, Output?
    ) -> Void
  /// See `Kernels.mixActivations`: source, weights, first, rows, out.
  package var mixActivations: @Sendable (RowSource, ActivationWeights, Int, Int, Output) -> Void
  /// See `Kernels.mixActivationsBackward`: source, weights, gradient, first, rows, out, accumulate,
  /// sums, products, dots.
  package var mixActivationsBackward:
    @Sendable (
      RowSource, ActivationWeights, Input, Int, Int, Output?, Bool, Output?, Output?, Output
    ) -> Void
  /// Kernels of the inverted residual.
  package var residual: ResidualKernels
  /// Kernels of the inference path.
  package var inference: InferenceKernels

  /// Gathers the kernels of an instruction set.
  @usableFromInline
  package init(
    name: String,
    lanes: Int,
    rows: Int,
    peakSteps: @escaping @Sendable (Int, Output) -> Void,
    peakTiles: @escaping @Sendable (Int, Int, Output) -> Void,
    readAll: @escaping @Sendable (Int, Input, Output) -> Void,
    packColumns: @escaping @Sendable (Int, Int, Input, Int, Int, Output) -> Void,
    convolve: @escaping @Sendable (ConvolutionForward, Int, Int, Output?, Output?, Output) -> Void,
    convolveBackward:
      @escaping @Sendable (
        ConvolutionBackward, Int, Int, Output?, Output?, Output?, Output
      ) -> Void,
    finishGradientRows:
      @escaping @Sendable (RowSource, Int, Int, Output, Output?, Output?) -> Void,
    depthwise: @escaping @Sendable (Depthwise, Output, Output?, Output?, Output) -> Void,
    depthwiseBackward: @escaping @Sendable (DepthwiseBackward, Output) -> Void,
    weightedSum: @escaping @Sendable (UnsafePointer<Branch>, Int, Int, Int, Int, Output) -> Void,
    branchSums: @escaping @Sendable (Branch, Input, Int, Int, Int, Output, Output, Output) -> Void,
    materialise: @escaping @Sendable (RowSource, Int, Int, Output) -> Void,
    averageRows: @escaping @Sendable (RowSource, Int, Int, Output) -> Void,
    averageRowsBackward:
      @escaping @Sendable (RowSource, Input, Int, Int, Output, Bool, Output?, Output?) -> Void,
    addScaled: @escaping @Sendable (Int, Float, Input, Output) -> Void,
    scale: @escaping @Sendable (Int, Float, Input, Output) -> Void,
    stochasticGradientDescent:
      @escaping @Sendable (Int, Output, Input, Output, Float, Float, Float) -> Void,
    rootMeanSquareStep:
      @escaping @Sendable (Int, Output, Input, Output, Output, RootMeanSquare) -> Void,
    blend: @escaping @Sendable (Int, Float, Input, Output) -> Void,
    scaleRows: @escaping @Sendable (RowSource, Input, Int, Int, Output) -> Void,
    scaleRowsBackward:
      @escaping @Sendable (
        RowSource, Input, Input, Int, Int, Output?, Bool, Output?, Output?, Output?
      ) -> Void,
    mixActivations:
      @escaping @Sendable (RowSource, ActivationWeights, Int, Int, Output) -> Void,
    mixActivationsBackward:
      @escaping @Sendable (
        RowSource, ActivationWeights, Input, Int, Int, Output?, Bool, Output?, Output?, Output
      ) -> Void,
    residual: ResidualKernels,
    inference: InferenceKernels
  ) {
    self.name = name
    self.lanes = lanes
    self.rows = rows
    self.peakSteps = peakSteps
    self.peakTiles = peakTiles
    self.readAll = readAll
    self.packColumns = packColumns
    self.convolve = convolve
    self.convolveBackward = convolveBackward
    self.finishGradientRows = finishGradientRows
    self.depthwise = depthwise
    self.depthwiseBackward = depthwiseBackward
    self.weightedSum = weightedSum
    self.branchSums = branchSums
    self.materialise = materialise
    self.averageRows = averageRows
    self.averageRowsBackward = averageRowsBackward
    self.addScaled = addScaled
    self.scale = scale
    self.stochasticGradientDescent = stochasticGradientDescent
    self.rootMeanSquareStep = rootMeanSquareStep
    self.blend = blend
    self.scaleRows = scaleRows
    self.scaleRowsBackward = scaleRowsBackward
    self.mixActivations = mixActivations
    self.mixActivationsBackward = mixActivationsBackward
    self.residual = residual
    self.inference = inference
  }
}

/// The kernels over the lanes `L`, made whole functions of the module that this is inlined into.
@inlinable @inline(always)
package func kernelTable<L: Lanes>(_: L.Type, name: String) -> KernelTable {
  KernelTable(
    name: name,
    lanes: L.count,
    rows: L.rows,
    peakSteps: { peakSteps(L.self, steps: $0, values: $1) },
    peakTiles: { peakTiles(L.self, depth: $0, repeats: $1, operands: $2) },
    readAll: { readAll(L.self, count: $0, $1, into: $2) },
    packColumns: {
      packColumns(
        L.self,
        depth: $0,
        columns: $1,
        b: $2,
        depthStride: $3,
        columnStride: $4,
        into: $5
      )
    },
    convolve: {
      convolve(L.self, $0, first: $1, last: $2, sums: $3, squares: $4, workspace: $5)
    },
    convolveBackward: {
      convolveBackward(
        L.self,
        $0,
        first: $1,
        last: $2,
        filter: $3,
        sums: $4,
        products: $5,
        workspace: $6
      )
    },
    finishGradientRows: {
      finishGradientRows(
        L.self,
        $0,
        first: $1,
        count: $2,
        gradient: $3 + $1 * $0.stride,
        gradientStride: $0.stride,
        into: $3,
        accumulate: false,
        sums: $4,
        products: $5
      )
    },
    depthwise: { depthwise(L.self, $0, out: $1, sums: $2, squares: $3, workspace: $4) },
    depthwiseBackward: { depthwiseBackward(L.self, $0, workspace: $1) },
    weightedSum: {
      weightedSum(
        L.self,
        branches: $0,
        count: $1,
        channels: $2,
        first: $3,
        last: $4,
        out: $5
      )
    },
    branchSums: {
      branchSums(
        L.self,
        branch: $0,
        gradient: $1,
        channels: $2,
        first: $3,
        last: $4,
        sums: $5,
        products: $6,
        dots: $7
      )
    },
    materialise: { materialise(L.self, $0, first: $1, last: $2, out: $3) },
    averageRows: { averageRows(L.self, $0, first: $1, rows: $2, out: $3) },
    averageRowsBackward: {
      averageRowsBackward(
        L.self,
        $0,
        gradient: $1,
        first: $2,
        rows: $3,
        out: $4,
        accumulate: $5,
        sums: $6,
        products: $7
      )
    },
    addScaled: { addScaled(L.self, count: $0, $1, $2, into: $3) },
    scale: { scale(L.self, count: $0, $1, $2, into: $3) },
    stochasticGradientDescent: {
      stochasticGradientDescent(
        L.self,
        count: $0,
        weights: $1,
        gradient: $2,
        velocity: $3,
        rate: $4,
        momentum: $5,
        decay: $6
      )
    },
    rootMeanSquareStep: {
      rootMeanSquareStep(
        L.self,
        count: $0,
        weights: $1,
        gradient: $2,
        square: $3,
        velocity: $4,
        $5
      )
    },
    blend: { blend(L.self, count: $0, $1, $2, into: $3) },
    scaleRows: { scaleRows(L.self, $0, gate: $1, first: $2, rows: $3, out: $4) },
    scaleRowsBackward: {
      scaleRowsBackward(
        L.self,
        $0,
        gate: $1,
        gradient: $2,
        first: $3,
        rows: $4,
        out: $5,
        accumulate: $6,
        sums: $7,
        products: $8,
        dots: $9
      )
    },
    mixActivations: {
      mixActivations(L.self, $0, weights: $1, first: $2, rows: $3, out: $4)
    },
    mixActivationsBackward: {
      mixActivationsBackward(
        L.self,
        $0,
        weights: $1,
        gradient: $2,
        first: $3,
        rows: $4,
        out: $5,
        accumulate: $6,
        sums: $7,
        products: $8,
        dots: $9
      )
    },
    residual: residualKernels(L.self),
    inference: inferenceKernels(L.self)
  )
}
