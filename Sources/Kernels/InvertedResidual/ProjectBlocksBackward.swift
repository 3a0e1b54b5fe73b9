/// The first backward pass of a projection: what the batch must be seen whole for.
///
/// With g the gradient after the depthwise output's normalisation. Where g itself is not kept,
/// `expandDepthwiseBackward` makes it again from the projection's gradient.
@usableFromInline
package struct ProjectBlocksBackward {
  /// Input and transposed filter.
  @usableFromInline package var projection: ProjectBlocks
  /// Gradient of the raw output.
  @usableFromInline package var gradient: GradientSource
  /// Where that goes, formed, [pixels, D]; may be where the raw output stands.
  @usableFromInline package var outputGradient: Output
  /// Where g goes, laid out as `projection.d`; nil if it is made anew.
  @usableFromInline package var hiddenGradient: Output?
  /// Becomes the filter's gradient, [blocks, rows of whole tiles, wholeBlocks(D)]; nil if unwanted.
  @usableFromInline package var filterGradient: Output?
  /// Gain Σ g and Σ g·d, [blocks, 16].
  @usableFromInline package var sums: PartialSums

  /// Describes the work.
  @_alwaysEmitIntoClient
  package init(
    projection: ProjectBlocks,
    gradient: GradientSource,
    outputGradient: Output,
    hiddenGradient: Output?,
    filterGradient: Output?,
    sums: PartialSums
  ) {
    self.projection = projection
    self.gradient = gradient
    self.outputGradient = outputGradient
    self.hiddenGradient = hiddenGradient
    self.filterGradient = filterGradient
    self.sums = sums
  }
}

/// Backward, the pixels `pixels`; reads up to a vector beyond their last row of the output's
/// gradient.
@_alwaysEmitIntoClient @inline(always)
package func projectBlocksBackward<L: Lanes>(
  _: L.Type,
  _ job: ProjectBlocksBackward,
  pixels: Range<Int>,
  workspace: Output
) {
  let p = job.projection
  let stride = wholeBlocks(p.columns)
  let values = workspace
  let rest = values + convolutionBlock * blockWidth + 64
  let filterRows = (blockWidth + L.rows - 1) / L.rows * L.rows
  var row = pixels.lowerBound
  while row < pixels.upperBound {
    let n = min(convolutionBlock, pixels.upperBound - row)
    let some = row..<row + n
    let rows = job.outputGradient + row * p.columns
    loadGradientRows(L.self, job.gradient, rows: some, into: rows, outStride: p.columns)
    for b in 0..<p.blocks {
      // A constant activation is a loop of its own.
      if p.activation == .relu {
        gradientOfBlock(L.self, job, block: b, .relu, some, values: values, workspace: rest)
      } else {
        gradientOfBlock(L.self, job, block: b, p.activation, some, values: values, workspace: rest)
      }
      guard let filterGradient = job.filterGradient else { continue }
      let to = filterGradient + b * filterRows * stride
      let accumulate = row > pixels.lowerBound
      if p.skipsZeros {
        multiplyMaskedTransposed(
          L.self,
          rows: n,
          columns: p.columns,
          a: values,
          d: rows,
          dStride: p.columns,
          c: to,
          cStride: stride,
          accumulate: accumulate,
          workspace: rest
        )
      } else {
        multiplyTransposed(
          L.self,
          rows: n,
          k: blockWidth,
          n: p.columns,
          a: values,
          aStride: blockWidth,
          d: rows,
          dStride: p.columns,
          c: to,
          cStride: stride,
          accumulate: accumulate
        )
      }
    }
    row += n
  }
}

/// Block `b` of `pixels`: the activated values to `values`, and g where it is kept; adds to the
/// sums.
@_alwaysEmitIntoClient @inline(always)
package func gradientOfBlock<L: Lanes>(
  _: L.Type,
  _ job: ProjectBlocksBackward,
  block b: Int,
  _ activation: Activation,
  _ pixels: Range<Int>,
  values: Output,
  workspace: Output
) {
  let p = job.projection
  let at = b * p.blockStride + pixels.lowerBound * blockWidth
  var j = 0
  while j < blockWidth {
    let c = b * blockWidth + j
    var epilogue = HiddenGradient(
      L.self,
      activation: activation,
      d: p.d.dropFirst(at + j),
      scale: p.scale + c,
      shift: p.shift + c,
      values: values + j,
      gradient: job.hiddenGradient.map { $0 + at + j }
    )
    multiplyColumns(
      L.self,
      TileOperands(
        depth: p.columns,
        a: job.outputGradient + pixels.lowerBound * p.columns,
        rowStride: p.columns,
        depthStride: 1,
        b: p.filter + b * p.columns * blockWidth + j,
        bStride: blockWidth
      ),
      rows: pixels.count,
      ahead: j == 0 ? p.d.address(at + pixels.count * blockWidth) : nil,
      workspace: workspace,
      epilogue: &epilogue
    )
    epilogue.add(to: job.sums, at: c)
    j += blockVectors(L.self) * L.count
  }
}

/// The epilogue of the product that gives the gradient after the hidden values' activation.
@usableFromInline
package struct HiddenGradient<L: Lanes>: Epilogue {
  @usableFromInline let activation: Activation
  @usableFromInline let d: SavedBlocks
  @usableFromInline let values: Output
  @usableFromInline let gradient: Output?
  @usableFromInline let scale0: L.Vector
  @usableFromInline let scale1: L.Vector
  @usableFromInline let shift0: L.Vector
  @usableFromInline let shift1: L.Vector
  @usableFromInline var sum0: L.Vector
  @usableFromInline var sum1: L.Vector
  @usableFromInline var product0: L.Vector
  @usableFromInline var product1: L.Vector

  /// Describes `blockVectors` vectors: raw values, their deferred normalisation, and where the
  /// activated values and, if wanted, the gradient before the activation go.
  @_alwaysEmitIntoClient @inline(always)
  package init(
    _: L.Type,
    activation: Activation,
    d: SavedBlocks,
    scale: Input,
    shift: Input,
    values: Output,
    gradient: Output?
  ) {
    self.activation = activation
    self.d = d
    self.values = values
    self.gradient = gradient
    // Not as the properties' defaults, which would be functions of the module, called through a
    // witness table.
    sum0 = .zero
    sum1 = .zero
    product0 = .zero
    product1 = .zero
    let two = blockVectors(L.self) > 1
    scale0 = L.load(scale)
    shift0 = L.load(shift)
    scale1 = two ? L.load(scale + L.count) : .zero
    shift1 = two ? L.load(shift + L.count) : .zero
  }

  /// See `Epilogue`.
  @_alwaysEmitIntoClient @inline(always)
  package mutating func finish(_ upstream: L.Vector, row: Int, vector: Int) {
    let i = row * blockWidth + vector * L.count
    let isFirst = vector == 0
    let y = d.load(L.self, i)
    let z = L.fma(y, isFirst ? scale0 : scale1, isFirst ? shift0 : shift1)
    L.store(L.activate(z, activation), values + i)
    let g = L.activationGradient(upstream, at: z, activation)
    if let gradient { L.store(g, gradient + i) }
    if isFirst {
      sum0 += g
      product0 = L.fma(g, y, product0)
    } else {
      sum1 += g
      product1 = L.fma(g, y, product1)
    }
  }

  /// Adds Σ g and Σ g·y to `sums`, from channel `c` on.
  @_alwaysEmitIntoClient @inline(always)
  package func add(to sums: PartialSums, at c: Int) {
    sums.add(L.self, sum0, product0, at: c, L.count)
    if blockVectors(L.self) > 1 { sums.add(L.self, sum1, product1, at: c + L.count, L.count) }
  }
}
