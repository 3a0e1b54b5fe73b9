/// The projection of one inverted residual, whose input is kept raw and in blocks.
@usableFromInline
package struct ProjectBlocks {
  /// Raw depthwise output, [blocks, pixels, 16].
  @usableFromInline package var d: SavedBlocks
  /// Elements from block to block.
  @usableFromInline package var blockStride: Int
  /// Blocks.
  @usableFromInline package var blocks: Int
  /// Scale of the pending normalisation, [blocks, 16].
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

  /// Floats of scratch, forward and backward, for any table.
  @inlinable
  package var scratch: Int {
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
  scratch: Output
) {
  let sliceStride = convolutionBlock * blockWidth
  let c = scratch + p.blocks * sliceStride
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
        entry: RectifiedBlocks(L.self, p, first: row, ahead: n),
        b: p.filter,
        c: to,
        cStride: cStride,
        accumulate: false,
        values: scratch
      )
    } else {
      multiplyActivated(L.self, p, row: row, n, to, scratch)
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
  _ scratch: Output
) {
  let sliceStride = convolutionBlock * blockWidth
  for b in 0..<p.blocks {
    let from = p.d.dropFirst(b * p.blockStride + row * blockWidth)
    let to = scratch + b * sliceStride
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
    a: scratch,
    aStride: blockWidth,
    packed: p.filter,
    c: c,
    cStride: wholeBlocks(p.columns),
    slices: p.blocks,
    sliceStride: sliceStride,
    ahead: p.d.address((row + n) * blockWidth),
    aheadStride: p.blockStride * (p.d.isHalf ? 2 : 4)
  )
}

/// Blocks of raw values, normalised and with a ReLU when they are read.
@usableFromInline
package struct RectifiedBlocks<L: Lanes>: BlockEntry {
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

  /// See `BlockEntry`.
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

/// Backward, pixels `first..<last`: what the batch must be seen whole for.
///
/// With g the gradient after the depthwise output's normalisation: adds Σ g and Σ g·y to `sums` and
/// `products`, [blocks, 16]; the filter's gradient, if wanted, goes to `filter`, [blocks, rows of whole tiles,
/// wholeBlocks(D)]. Where g itself is not kept, `expandDepthwiseBackward` makes it again from
/// the projection's gradient, which goes to `kept`, [pixels, D]; that may be where the raw output stands. Reads
/// up to a vector beyond the last row of it.
@inlinable @inline(always)
package func projectBlocksBackward<L: Lanes>(
  _: L.Type,
  _ p: ProjectBlocks,
  gradient: GradientSource,
  kept: Output,
  first: Int,
  last: Int,
  filter: Output?,
  sums: Output,
  products: Output,
  scratch: Output
) {
  let stride = wholeBlocks(p.columns)
  let values = scratch
  let spare = values + convolutionBlock * blockWidth + 64
  let filterRows = (blockWidth + L.rows - 1) / L.rows * L.rows
  var row = first
  while row < last {
    let n = min(convolutionBlock, last - row)
    let rows = kept + row * p.columns
    loadGradientRows(L.self, gradient, first: row, count: n, into: rows, outStride: p.columns)
    for b in 0..<p.blocks {
      let at = b * p.blockStride + row * blockWidth
      if p.activation == .relu {
        gradientOfBlock(L.self, p, b, n, rows, at, values, .relu, sums, products, spare)
      } else {
        gradientOfBlock(L.self, p, b, n, rows, at, values, p.activation, sums, products, spare)
      }
      guard let filter else { continue }
      let to = filter + b * filterRows * stride
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
          accumulate: row > first,
          spare: spare
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
          accumulate: row > first
        )
      }
    }
    row += n
  }
}

/// The activated values of `n` pixels of block `b` to `values`, and the gradient before their activation.
///
/// `rows` are the projection's gradients, [n, D]; element `at` of the middle is the first.
@inlinable @inline(always)
package func gradientOfBlock<L: Lanes>(
  _: L.Type,
  _ p: ProjectBlocks,
  _ b: Int,
  _ n: Int,
  _ rows: Input,
  _ at: Int,
  _ values: Output,
  _ activation: Activation,
  _ sums: Output,
  _ products: Output,
  _ spare: Output
) {
  var j = 0
  while j < blockWidth {
    let c = b * blockWidth + j
    var end = MiddleGradient(
      L.self,
      activation: activation,
      d: p.d.dropFirst(at + j),
      scale: p.scale + c,
      shift: p.shift + c,
      values: values + j,
      gradient: p.gradient.map { $0 + at + j }
    )
    multiplyColumns(
      L.self,
      rows: n,
      depth: p.columns,
      a: rows,
      aStride: p.columns,
      b: p.filter + b * p.columns * blockWidth + j,
      ahead: j == 0 ? p.d.address(at + n * blockWidth) : nil,
      spare: spare,
      end: &end
    )
    end.add(to: sums + c, products + c)
    j += blockVectors(L.self) * L.count
  }
}

/// The end of the product that gives the gradient after the middle's activation.
@usableFromInline
package struct MiddleGradient<L: Lanes>: TileEnd {
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

  /// Describes `blockVectors` vectors: raw values, their pending normalisation, and where the activated values
  /// and, if wanted, the gradient before the activation go.
  @inlinable @inline(always)
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
    // Not as the properties' defaults, which would be functions of the module, called through a witness table.
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

  /// See `TileEnd`.
  @inlinable @inline(always)
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

  /// Adds Σ g and Σ g·y.
  @inlinable @inline(always)
  package func add(to sums: Output, _ products: Output) {
    L.store(L.load(sums) + sum0, sums)
    L.store(L.load(products) + product0, products)
    if blockVectors(L.self) > 1 {
      L.store(L.load(sums + L.count) + sum1, sums + L.count)
      L.store(L.load(products + L.count) + product1, products + L.count)
    }
  }
}

/// y −= x·B + offset over rows `first..<last` of `channels` floats, B packed by `packColumns`.
///
/// What batch-norm's statistics take back from the gradient of a convolution's input, all branches at
/// once.
@inlinable @inline(always)
package func subtractProduct<L: Lanes>(
  _: L.Type,
  _ x: RowSource,
  packed: Input,
  offset: Input,
  first: Int,
  last: Int,
  from y: Output,
  scratch: Output
) {
  let channels = x.channels
  let c = scratch + convolutionBlock * channels
  let stride = wholeBlocks(channels)
  var row = first
  while row < last {
    let n = min(convolutionBlock, last - row)
    loadRows(L.self, x, first: row, count: n, into: scratch, outStride: channels)
    multiply(
      L.self,
      rows: n,
      depth: channels,
      columns: channels,
      a: scratch,
      aStride: channels,
      packed: packed,
      c: c,
      cStride: stride
    )
    var j = 0
    while j < channels {
      let width = min(L.count, channels - j)
      let shift = L.load(offset + j, width)
      for r in 0..<n {
        let at = y + (row + r) * channels + j
        L.store(L.load(at, width) - (L.load(c + r * stride + j) + shift), at, width)
      }
      j += L.count
    }
    row += n
  }
}
