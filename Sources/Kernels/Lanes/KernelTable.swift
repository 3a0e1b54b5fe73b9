/// The kernels of one instruction set, by name; everything above calls through a table.
///
/// The functions are whole, non-generic functions of their module, so nothing compiled for a wider
/// set can be shared by the linker with a narrower one. A kernel takes its job (operands and
/// results by name), the range of rows that it is to do, and a workspace if it needs one.
@usableFromInline
package struct KernelTable: Sendable {
  /// `baseline`, `avx2` or `avx512`.
  @usableFromInline
  package var name: String
  /// Floats in a vector: widths are padded to this in packed filters and partial filter gradients.
  @usableFromInline
  package var lanes: Int
  /// Rows of a tile: depths are padded to this in partial filter gradients.
  @usableFromInline
  package var rows: Int
  /// See `Kernels.peakSteps`, 12 multiply–adds of a vector each: steps, values.
  @usableFromInline
  package var peakSteps: @Sendable (Int, Output) -> Void
  /// See `Kernels.peakTiles`: depth, repeats, operands.
  @usableFromInline
  package var peakTiles: @Sendable (Int, Int, Output) -> Void
  /// See `Kernels.readAll`: count, x, out.
  @usableFromInline
  package var readAll: @Sendable (Int, Input, Output) -> Void
  /// See `Kernels.packColumns`.
  @usableFromInline
  package var packColumns: @Sendable (ColumnPacking) -> Void
  /// See `Kernels.convolve`: job, rows, workspace.
  @usableFromInline
  package var convolve: @Sendable (ConvolutionForward, Range<Int>, Output) -> Void
  /// See `Kernels.convolveBackward`: job, rows, workspace.
  @usableFromInline
  package var convolveBackward: @Sendable (ConvolutionBackward, Range<Int>, Output) -> Void
  /// See `Kernels.finishGradientRows`: job, rows.
  @usableFromInline
  package var finishGradientRows: @Sendable (GradientFinish, Range<Int>) -> Void
  /// See `Kernels.loadGradientRows`: source, rows, out.
  @usableFromInline
  package var loadGradientRows: @Sendable (GradientSource, Range<Int>, Output) -> Void
  /// See `Kernels.addPixelSums`: y, pixels, channels, sums.
  @usableFromInline
  package var addPixelSums: @Sendable (Input, Pixels, Int, PartialSums) -> Void
  /// See `Kernels.addAffinePixels`: job, channels.
  @usableFromInline
  package var addAffinePixels: @Sendable (AffinePixels, Int) -> Void
  /// See `Kernels.depthwise`: job, workspace.
  @usableFromInline
  package var depthwise: @Sendable (DepthwiseForward, Output) -> Void
  /// See `Kernels.depthwiseBackward`: job, workspace.
  @usableFromInline
  package var depthwiseBackward: @Sendable (DepthwiseBackward, Output) -> Void
  /// See `Kernels.weightedSum`: job, rows.
  @usableFromInline
  package var weightedSum: @Sendable (WeightedSum, Range<Int>) -> Void
  /// See `Kernels.branchSums`: job, rows.
  @usableFromInline
  package var branchSums: @Sendable (BranchSums, Range<Int>) -> Void
  /// See `Kernels.materialise`: source, rows, out.
  @usableFromInline
  package var materialise: @Sendable (RowSource, Range<Int>, Output) -> Void
  /// See `Kernels.averageRows`: source, rows, out.
  @usableFromInline
  package var averageRows: @Sendable (RowSource, Range<Int>, Output) -> Void
  /// See `Kernels.averageRowsBackward`: job, rows.
  @usableFromInline
  package var averageRowsBackward: @Sendable (AverageBackward, Range<Int>) -> Void
  /// See `Kernels.scaleRows`: job, rows.
  @usableFromInline
  package var scaleRows: @Sendable (ChannelScale, Range<Int>) -> Void
  /// See `Kernels.scaleRowsBackward`: job, rows.
  @usableFromInline
  package var scaleRowsBackward: @Sendable (ChannelScaleBackward, Range<Int>) -> Void
  /// See `Kernels.mixActivations`: job, rows.
  @usableFromInline
  package var mixActivations: @Sendable (ActivationMixture, Range<Int>) -> Void
  /// See `Kernels.mixActivationsBackward`: job, rows.
  @usableFromInline
  package var mixActivationsBackward: @Sendable (ActivationMixtureBackward, Range<Int>) -> Void
  /// See `Kernels.addScaled`: count, a, x, y.
  @usableFromInline
  package var addScaled: @Sendable (Int, Float, Input, Output) -> Void
  /// See `Kernels.scale`: count, a, x, y.
  @usableFromInline
  package var scale: @Sendable (Int, Float, Input, Output) -> Void
  /// See `Kernels.blend`: count, a, x, y.
  @usableFromInline
  package var blend: @Sendable (Int, Float, Input, Output) -> Void
  /// See `Kernels.momentumStep`.
  @usableFromInline
  package var momentumStep: @Sendable (MomentumStep) -> Void
  /// See `Kernels.rootMeanSquareStep`.
  @usableFromInline
  package var rootMeanSquareStep: @Sendable (RootMeanSquareStep) -> Void
  /// Kernels of the inverted residual.
  @usableFromInline
  package var residual: ResidualKernels
  /// Kernels of the inference path.
  @usableFromInline
  package var inference: InferenceKernels

  /// The kernels over the lanes `L`, made whole functions of the module that this is inlined into.
  @_alwaysEmitIntoClient @inline(always)
  package init<L: Lanes>(_: L.Type, name: String) {
    self.name = name
    lanes = L.count
    rows = L.rows
    peakSteps = { Kernels.peakSteps(L.self, steps: $0, values: $1) }
    peakTiles = { Kernels.peakTiles(L.self, depth: $0, repeats: $1, operands: $2) }
    readAll = { Kernels.readAll(L.self, count: $0, $1, into: $2) }
    packColumns = { Kernels.packColumns(L.self, $0) }
    convolve = { Kernels.convolve(L.self, $0, rows: $1, workspace: $2) }
    convolveBackward = { Kernels.convolveBackward(L.self, $0, rows: $1, workspace: $2) }
    finishGradientRows = { Kernels.finishGradientRows(L.self, $0, rows: $1) }
    loadGradientRows = {
      Kernels.loadGradientRows(L.self, $0, rows: $1, into: $2, outStride: $0.stride)
    }
    addPixelSums = { Kernels.addPixelSums(L.self, $0, $1, channels: $2, to: $3) }
    addAffinePixels = { Kernels.addAffinePixels(L.self, $0, channels: $1) }
    depthwise = { Kernels.depthwise(L.self, $0, workspace: $1) }
    depthwiseBackward = { Kernels.depthwiseBackward(L.self, $0, workspace: $1) }
    weightedSum = { Kernels.weightedSum(L.self, $0, rows: $1) }
    branchSums = { Kernels.branchSums(L.self, $0, rows: $1) }
    materialise = { Kernels.materialise(L.self, $0, rows: $1, out: $2) }
    averageRows = { Kernels.averageRows(L.self, $0, rows: $1, out: $2) }
    averageRowsBackward = { Kernels.averageRowsBackward(L.self, $0, rows: $1) }
    scaleRows = { Kernels.scaleRows(L.self, $0, rows: $1) }
    scaleRowsBackward = { Kernels.scaleRowsBackward(L.self, $0, rows: $1) }
    mixActivations = { Kernels.mixActivations(L.self, $0, rows: $1) }
    mixActivationsBackward = { Kernels.mixActivationsBackward(L.self, $0, rows: $1) }
    addScaled = { Kernels.addScaled(L.self, count: $0, $1, $2, into: $3) }
    scale = { Kernels.scale(L.self, count: $0, $1, $2, into: $3) }
    blend = { Kernels.blend(L.self, count: $0, $1, $2, into: $3) }
    momentumStep = { Kernels.momentumStep(L.self, $0) }
    rootMeanSquareStep = { Kernels.rootMeanSquareStep(L.self, $0) }
    residual = ResidualKernels(L.self)
    inference = InferenceKernels(L.self)
  }
}

/// The kernels of the inverted residual of one instruction set.
@usableFromInline
package struct ResidualKernels: Sendable {
  /// See `Kernels.secondMoments`: job, rows.
  @usableFromInline
  package var secondMoments: @Sendable (SecondMoments, Range<Int>) -> Void
  /// See `Kernels.multiplyBlock`: job, how many rows, workspace.
  @usableFromInline
  package var multiplyBlock: @Sendable (BlockProduct, Int, Output) -> Void
  /// See `Kernels.skipsZeros`: columns.
  @usableFromInline
  package var skipsZeros: @Sendable (Int) -> Bool
  /// See `Kernels.multiplySlices`: job, how many rows, workspace.
  @usableFromInline
  package var multiplySlices: @Sendable (SliceProduct, Int, Output) -> Void
  /// See `Kernels.packSlice`.
  @usableFromInline
  package var packSlice: @Sendable (SlicePacking) -> Void
  /// See `Kernels.packBlock`: columns, rows, their stride, to.
  @usableFromInline
  package var packBlock: @Sendable (Int, Input, Int, Output) -> Void
  /// See `Kernels.expandDepthwise`: job, how many images, workspace.
  @usableFromInline
  package var expandDepthwise: @Sendable (ExpandDepthwiseForward, Int, Output) -> Void
  /// See `Kernels.expandDepthwiseBackward`: job, how many images, workspace.
  @usableFromInline
  package var expandDepthwiseBackward: @Sendable (ExpandDepthwiseBackward, Int, Output) -> Void
  /// See `Kernels.projectBlocks`: job, pixels, workspace.
  @usableFromInline
  package var projectBlocks: @Sendable (ProjectBlocksForward, Range<Int>, Output) -> Void
  /// See `Kernels.projectBlocksBackward`: job, pixels, workspace.
  @usableFromInline
  package var projectBlocksBackward: @Sendable (ProjectBlocksBackward, Range<Int>, Output) -> Void
  /// See `Kernels.copyRows`: job, how many rows.
  @usableFromInline
  package var copyRows: @Sendable (RowCopy, Int) -> Void
  /// See `Kernels.subtractProduct`: job, rows, workspace.
  @usableFromInline
  package var subtractProduct: @Sendable (SubtractProduct, Range<Int>, Output) -> Void

  /// See `KernelTable`.
  @_alwaysEmitIntoClient @inline(always)
  package init<L: Lanes>(_: L.Type) {
    secondMoments = { Kernels.secondMoments(L.self, $0, rows: $1) }
    multiplyBlock = { Kernels.multiplyBlock(L.self, $0, rows: $1, workspace: $2) }
    skipsZeros = { Kernels.skipsZeros(L.self, columns: $0) }
    multiplySlices = { Kernels.multiplySlices(L.self, $0, rows: $1, workspace: $2) }
    packSlice = { Kernels.packSlice(L.self, $0) }
    packBlock = { Kernels.packBlock(L.self, columns: $0, rows: $1, stride: $2, into: $3) }
    expandDepthwise = { Kernels.expandDepthwise(L.self, $0, images: $1, workspace: $2) }
    expandDepthwiseBackward = {
      Kernels.expandDepthwiseBackward(L.self, $0, images: $1, workspace: $2)
    }
    projectBlocks = { Kernels.projectBlocks(L.self, $0, pixels: $1, workspace: $2) }
    projectBlocksBackward = {
      Kernels.projectBlocksBackward(L.self, $0, pixels: $1, workspace: $2)
    }
    copyRows = { Kernels.copyRows(L.self, $0, rows: $1) }
    subtractProduct = { Kernels.subtractProduct(L.self, $0, rows: $1, workspace: $2) }
  }
}

/// The kernels of the inference path of one instruction set.
@usableFromInline
package struct InferenceKernels: Sendable {
  /// See `Kernels.inferenceProduct`: job, operands, columns.
  @usableFromInline
  package var product: @Sendable (InferenceProduct, InferenceOperands, Range<Int>) -> Void
  /// See `Kernels.inferenceDepthwise`: job, output rows, out.
  @usableFromInline
  package var depthwise: @Sendable (InferenceDepthwise, Range<Int>, Output) -> Void
  /// See `Kernels.spreadChannels`: job, how many pixels.
  @usableFromInline
  package var spread: @Sendable (ChannelSpread, Int) -> Void
  /// See `Kernels.inferenceMean`: rows, out.
  @usableFromInline
  package var mean: @Sendable (InferenceRows, Output) -> Void
  /// See `Kernels.inferenceGate`: rows, gate, shortcut, out.
  @usableFromInline
  package var gate: @Sendable (InferenceRows, Input, Input?, Output) -> Void

  /// See `KernelTable`.
  @_alwaysEmitIntoClient @inline(always)
  package init<L: Lanes>(_: L.Type) {
    product = { Kernels.inferenceProduct(L.self, $0, $1, columns: $2) }
    depthwise = { Kernels.inferenceDepthwise(L.self, $0, rows: $1, out: $2) }
    spread = { Kernels.spreadChannels(L.self, $0, pixels: $1) }
    mean = { Kernels.inferenceMean(L.self, $0, out: $1) }
    gate = { Kernels.inferenceGate(L.self, $0, by: $1, shortcut: $2, out: $3) }
  }
}
