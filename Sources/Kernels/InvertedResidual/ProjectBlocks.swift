/// The projection of one inverted residual, whose input is kept raw and in blocks.
@usableFromInline
package struct ProjectBlocks {
  /// Raw depthwise output, [blocks, pixels, 16].
  @usableFromInline package var d: SavedBlocks
  /// Elements from block to block.
  @usableFromInline package var blockStride: Int
  /// Blocks.
  @usableFromInline package var blocks: Int
  /// Scale of the deferred normalisation, [blocks, 16].
  @usableFromInline package var scale: Input
  /// Its shift.
  @usableFromInline package var shift: Input
  /// The activation behind it.
  @usableFromInline package var activation: Activation
  /// Filter: forward [16·blocks, D] packed by `packSlice`; backward its transpose, [blocks, D, 16].
  @usableFromInline package var filter: Input
  /// D.
  @usableFromInline package var columns: Int
  /// Whether products pass over the zeros of the input; the forward filter is packed in rows then.
  @usableFromInline package var skipsZeros: Bool

  /// Describes a projection.
  @_alwaysEmitIntoClient
  package init(
    d: SavedBlocks,
    blockStride: Int,
    blocks: Int,
    scale: Input,
    shift: Input,
    activation: Activation,
    filter: Input,
    columns: Int,
    skipsZeros: Bool
  ) {
    self.d = d
    self.blockStride = blockStride
    self.blocks = blocks
    self.scale = scale
    self.shift = shift
    self.activation = activation
    self.filter = filter
    self.columns = columns
    self.skipsZeros = skipsZeros
  }

  /// Floats of workspace, forward and backward, for any table.
  @_alwaysEmitIntoClient
  package var workspaceFloats: Int {
    convolutionBlock * (blockWidth * (blocks + 2) + wholeBlocks(columns)) + 8 * (columns + 16) + 64
  }
}

/// The forward pass of a projection.
@usableFromInline
package struct ProjectBlocksForward {
  /// Input and filter.
  @usableFromInline package var projection: ProjectBlocks
  /// Raw output, [pixels, D].
  @usableFromInline package var out: Output
  /// Gain Σ y and Σ y²; nil where no normalisation wants them.
  @usableFromInline package var sums: PartialSums?

  /// Describes the work.
  @_alwaysEmitIntoClient
  package init(projection: ProjectBlocks, out: Output, sums: PartialSums? = nil) {
    self.projection = projection
    self.out = out
    self.sums = sums
  }
}

/// Forward, the pixels `pixels`.
@_alwaysEmitIntoClient @inline(always)
package func projectBlocks<L: Lanes>(
  _: L.Type,
  _ job: ProjectBlocksForward,
  pixels: Range<Int>,
  workspace: Output
) {
  let p = job.projection
  let sliceStride = convolutionBlock * blockWidth
  let c = workspace + p.blocks * sliceStride
  let cStride = wholeBlocks(p.columns)
  var row = pixels.lowerBound
  while row < pixels.upperBound {
    let n = min(convolutionBlock, pixels.upperBound - row)
    let isWhole = p.columns == cStride && n % L.rows == 0
    let out = job.out + row * p.columns
    let to = isWhole ? out : c
    if p.skipsZeros {
      multiplyMasked(
        L.self,
        rows: n,
        columns: p.columns,
        slices: p.blocks,
        prologue: RectifiedBlocks(L.self, p, first: row, ahead: n),
        b: p.filter,
        c: to,
        cStride: cStride,
        accumulate: false,
        values: workspace
      )
    } else {
      multiplyActivated(L.self, p, pixels: row..<row + n, c: to, workspace: workspace)
    }
    if !isWhole {
      let copy = RowCopy(
        columns: p.columns,
        source: c,
        stride: cStride,
        out: out,
        accumulate: false
      )
      takeRows(L.self, copy, rows: n, sums: job.sums)
    } else if let sums = job.sums {
      sumRows(L.self, out, rows: n, columns: p.columns, sums)
    }
    row += n
  }
}

/// Activates all blocks of `pixels`, then the product to rows `c` of whole blocks.
@_alwaysEmitIntoClient @inline(always)
package func multiplyActivated<L: Lanes>(
  _: L.Type,
  _ p: ProjectBlocks,
  pixels: Range<Int>,
  c: Output,
  workspace: Output
) {
  let n = pixels.count
  let sliceStride = convolutionBlock * blockWidth
  for b in 0..<p.blocks {
    let from = p.d.dropFirst(b * p.blockStride + pixels.lowerBound * blockWidth)
    let to = workspace + b * sliceStride
    // A constant activation is a loop of its own.
    if p.activation == .relu {
      activateBlock(L.self, p, block: b, .relu, pixels: n, from: from, to: to)
    } else {
      activateBlock(L.self, p, block: b, p.activation, pixels: n, from: from, to: to)
    }
  }
  multiply(
    L.self,
    rows: n,
    depth: blockWidth,
    columns: p.columns,
    a: workspace,
    aStride: blockWidth,
    packed: p.filter,
    c: c,
    cStride: wholeBlocks(p.columns),
    slices: Slices(count: p.blocks, jump: sliceStride - blockWidth),
    prefetches: Prefetches(
      first: p.d.address(pixels.upperBound * blockWidth),
      stride: p.blockStride * (p.d.isHalf ? 2 : 4)
    )
  )
}

/// Blocks of raw values, normalised and with a ReLU when they are read.
@usableFromInline
package struct RectifiedBlocks<L: Lanes>: Prologue {
  @usableFromInline let p: ProjectBlocks
  @usableFromInline let first: Int
  @usableFromInline let ahead: Int

  /// Describes the pixels from `first` on; those `ahead` of one that is read are asked for.
  @_alwaysEmitIntoClient @inline(always)
  package init(_: L.Type, _ p: ProjectBlocks, first: Int, ahead: Int) {
    self.p = p
    self.first = first
    self.ahead = ahead
  }

  /// See `Prologue`.
  @_alwaysEmitIntoClient @inline(always)
  package func load(slice: Int, row: Int, channel: Int) -> L.Vector {
    let i = slice * p.blockStride + (first + row) * blockWidth + channel
    prefetch(p.d.address(i + ahead * blockWidth))
    let c = slice * blockWidth + channel
    return L.relu(L.fma(p.d.load(L.self, i), L.load(p.scale + c), L.load(p.shift + c)))
  }
}

/// Adds Σ y and Σ y² of rows of whole vectors.
@_alwaysEmitIntoClient @inline(always)
package func sumRows<L: Lanes>(
  _: L.Type,
  _ y: Input,
  rows: Int,
  columns: Int,
  _ sums: PartialSums
) {
  var j = 0
  while j < columns {
    var sum = L.load(sums.sums + j)
    var square = L.load(sums.products + j)
    for r in 0..<rows {
      let value = L.load(y + r * columns + j)
      sum += value
      square = L.fma(value, value, square)
    }
    L.store(sum, sums.sums + j)
    L.store(square, sums.products + j)
    j += L.count
  }
}

/// Normalises and activates pixels of block `b`.
@_alwaysEmitIntoClient @inline(always)
package func activateBlock<L: Lanes>(
  _: L.Type,
  _ p: ProjectBlocks,
  block b: Int,
  _ activation: Activation,
  pixels: Int,
  from: SavedBlocks,
  to: Output
) {
  var j = 0
  while j < blockWidth {
    let scale = L.load(p.scale + b * blockWidth + j)
    let shift = L.load(p.shift + b * blockWidth + j)
    for r in 0..<pixels {
      let i = r * blockWidth + j
      L.store(L.activate(L.fma(from.load(L.self, i), scale, shift), activation), to + i)
    }
    j += L.count
  }
}

/// Copies `rows` padded rows and adds their Σ y and Σ y².
@_alwaysEmitIntoClient @inline(always)
package func takeRows<L: Lanes>(
  _: L.Type,
  _ p: RowCopy,
  rows: Int,
  sums: PartialSums?
) {
  var j = 0
  while j < p.columns {
    let width = min(L.count, p.columns - j)
    let (from, to) = (p.source + j, p.out + j)
    var sum = L.Vector.zero
    var square = L.Vector.zero
    if width == L.count {
      for r in 0..<rows {
        let value = L.load(from + r * p.stride)
        L.store(value, to + r * p.columns)
        sum += value
        square = L.fma(value, value, square)
      }
    } else {
      for r in 0..<rows {
        let value = L.load(from + r * p.stride)
        L.store(value, to + r * p.columns, width)
        sum += value
        square = L.fma(value, value, square)
      }
    }
    sums?.add(L.self, sum, square, at: j, width)
    j += L.count
  }
}
