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
  /// Backward: where the gradient before the activation is kept, laid out as `d`; nil if made anew.
  @usableFromInline package var gradient: Output?

  /// Describes a projection.
  @inlinable
  package init(
    d: SavedBlocks,
    blockStride: Int,
    blocks: Int,
    scale: Input,
    shift: Input,
    activation: Activation,
    filter: Input,
    columns: Int,
    skipsZeros: Bool,
    gradient: Output? = nil
  ) {
    self.skipsZeros = skipsZeros
    self.gradient = gradient
    self.d = d
    self.blockStride = blockStride
    self.blocks = blocks
    self.scale = scale
    self.shift = shift
    self.activation = activation
    self.filter = filter
    self.columns = columns
  }

  /// Floats of workspace, forward and backward, for any table.
  @inlinable
  package var workspaceFloats: Int {
    convolutionBlock * (blockWidth * (blocks + 2) + wholeBlocks(columns)) + 8 * (columns + 16) + 64
  }
}

/// Forward, pixels `first..<last`: raw output rows of `columns` floats; adds Σ y and Σ y².
@inlinable @inline(always)
package func projectBlocks<L: Lanes>(
  _: L.Type,
  _ p: ProjectBlocks,
  first: Int,
  last: Int,
  out: Output,
  sums: Output?,
  squares: Output?,
  workspace: Output
) {
  let sliceStride = convolutionBlock * blockWidth
  let c = workspace + p.blocks * sliceStride
  let cStride = wholeBlocks(p.columns)
  var row = first
  while row < last {
    let n = min(convolutionBlock, last - row)
    let isWhole = p.columns == cStride && n % L.rows == 0
    let to = isWhole ? out + row * p.columns : c
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
      multiplyActivated(L.self, p, row: row, n, to, workspace)
    }
    if isWhole, let sums, let squares { sumRows(L.self, to, n, p.columns, sums, squares) }
    if !isWhole { takeRows(L.self, c, cStride, n, p.columns, out + row * p.columns, sums, squares) }
    row += n
  }
}

/// Pixels `row..<row + n`: activates all blocks, then the product to rows `c` of whole blocks.
@inlinable @inline(always)
package func multiplyActivated<L: Lanes>(
  _: L.Type,
  _ p: ProjectBlocks,
  row: Int,
  _ n: Int,
  _ c: Output,
  _ workspace: Output
) {
  let sliceStride = convolutionBlock * blockWidth
  for b in 0..<p.blocks {
    let from = p.d.dropFirst(b * p.blockStride + row * blockWidth)
    let to = workspace + b * sliceStride
    if p.activation == .relu {
      activateBlock(L.self, p, b, n, from, to, .relu)
    } else {
      activateBlock(L.self, p, b, n, from, to, p.activation)
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
      first: p.d.address((row + n) * blockWidth),
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
  @inlinable @inline(always)
  package init(_: L.Type, _ p: ProjectBlocks, first: Int, ahead: Int) {
    self.p = p
    self.first = first
    self.ahead = ahead
  }

  /// See `Prologue`.
  @inlinable @inline(always)
  package func load(slice: Int, row: Int, channel: Int) -> L.Vector {
    let i = slice * p.blockStride + (first + row) * blockWidth + channel
    prefetch(p.d.address(i + ahead * blockWidth))
    let c = slice * blockWidth + channel
    return L.relu(L.fma(p.d.load(L.self, i), L.load(p.scale + c), L.load(p.shift + c)))
  }
}

/// Adds Σ y and Σ y² of `n` rows.
@inlinable @inline(always)
package func sumRows<L: Lanes>(
  _: L.Type,
  _ y: Input,
  _ n: Int,
  _ columns: Int,
  _ sums: Output,
  _ squares: Output
) {
  var j = 0
  while j < columns {
    var sum = L.load(sums + j)
    var square = L.load(squares + j)
    for r in 0..<n {
      let value = L.load(y + r * columns + j)
      sum += value
      square = L.fma(value, value, square)
    }
    L.store(sum, sums + j)
    L.store(square, squares + j)
    j += L.count
  }
}

/// Normalises and activates `n` pixels of a block.
@inlinable @inline(always)
package func activateBlock<L: Lanes>(
  _: L.Type,
  _ p: ProjectBlocks,
  _ b: Int,
  _ n: Int,
  _ from: SavedBlocks,
  _ to: Output,
  _ activation: Activation
) {
  var j = 0
  while j < blockWidth {
    let scale = L.load(p.scale + b * blockWidth + j)
    let shift = L.load(p.shift + b * blockWidth + j)
    for r in 0..<n {
      let i = r * blockWidth + j
      L.store(L.activate(L.fma(from.load(L.self, i), scale, shift), activation), to + i)
    }
    j += L.count
  }
}

/// Copies `n` padded rows to rows of `columns` floats and adds Σ y and Σ y².
@inlinable @inline(always)
package func takeRows<L: Lanes>(
  _: L.Type,
  _ c: Input,
  _ cStride: Int,
  _ n: Int,
  _ columns: Int,
  _ out: Output,
  _ sums: Output?,
  _ squares: Output?
) {
  var j = 0
  while j < columns {
    let width = min(L.count, columns - j)
    var sum = L.Vector.zero
    var square = L.Vector.zero
    if width == L.count {
      for r in 0..<n {
        let value = L.load(c + r * cStride + j)
        L.store(value, out + r * columns + j)
        sum += value
        square = L.fma(value, value, square)
      }
    } else {
      for r in 0..<n {
        let value = L.load(c + r * cStride + j)
        L.store(value, out + r * columns + j, width)
        sum += value
        square = L.fma(value, value, square)
      }
    }
    if let sums, let squares {
      L.store(L.load(sums + j, width) + sum, sums + j, width)
      L.store(L.load(squares + j, width) + square, squares + j, width)
    }
    j += L.count
  }
}
