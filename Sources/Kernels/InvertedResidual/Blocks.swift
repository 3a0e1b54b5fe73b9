/// Channels of a block: the hidden values of an inverted residual are kept in blocks, [block,
/// pixel, 16].
///
/// One block is one vector of the widest set and divides into whole vectors of the others, so
/// nothing in the loops over a block has a tail; channels beyond the width are zeros.
@_alwaysEmitIntoClient @inline(always)
package var blockWidth: Int { 16 }

/// `n` rounded up to whole blocks.
@_alwaysEmitIntoClient @inline(always)
package func wholeBlocks(_ n: Int) -> Int { (n + blockWidth - 1) / blockWidth * blockWidth }

/// Saved activations in blocks, as single precision or as bfloat16.
@usableFromInline
package struct SavedBlocks {
  /// First element.
  @usableFromInline package var base: UnsafeMutableRawPointer
  /// Whether elements are bfloat16.
  @usableFromInline package var isHalf: Bool

  /// Describes saved activations.
  @_alwaysEmitIntoClient
  package init(base: UnsafeMutableRawPointer, isHalf: Bool) {
    self.base = base
    self.isHalf = isHalf
  }

  /// The same from element `n` on.
  @_alwaysEmitIntoClient @inline(always)
  package func dropFirst(_ n: Int) -> SavedBlocks {
    SavedBlocks(base: base + n * (isHalf ? 2 : 4), isHalf: isHalf)
  }

  /// The vector from element `i` on.
  @_alwaysEmitIntoClient @inline(always)
  package func load<L: Lanes>(_: L.Type, _ i: Int) -> L.Vector {
    if isHalf {
      L.widen(UnsafePointer((base + 2 * i).assumingMemoryBound(to: UInt16.self)))
    } else {
      L.load(Input((base + 4 * i).assumingMemoryBound(to: Float.self)))
    }
  }

  /// Writes a vector at element `i`; single precision past the caches if `streams`.
  @_alwaysEmitIntoClient @inline(always)
  package func store<L: Lanes>(_: L.Type, _ x: L.Vector, _ i: Int, streams: Bool) {
    if isHalf {
      L.narrow(x, (base + 2 * i).assumingMemoryBound(to: UInt16.self))
    } else {
      let to = (base + 4 * i).assumingMemoryBound(to: Float.self)
      if streams { L.stream(x, to) } else { L.store(x, to) }
    }
  }

  /// Where element `i` stands.
  @_alwaysEmitIntoClient @inline(always)
  package func address(_ i: Int) -> UnsafeRawPointer {
    UnsafeRawPointer(base + i * (isHalf ? 2 : 4))
  }
}

/// Sixteen hidden channels of one inverted residual: filters with batch-norm folded in, packed.
@usableFromInline
package struct ResidualBlock {
  /// Activation after the expansion and after the depthwise convolution.
  @usableFromInline package var activation: Activation
  /// Expansion with its normalisation's scale folded in, [C, 16].
  @usableFromInline package var expand: Input
  /// The normalisation's shift, [16].
  @usableFromInline package var bias: Input
  /// Depthwise filter, [K, K, 16].
  @usableFromInline package var weights: Input

  /// Describes a block.
  @_alwaysEmitIntoClient
  package init(activation: Activation, expand: Input, bias: Input, weights: Input) {
    self.activation = activation
    self.expand = expand
    self.bias = bias
    self.weights = weights
  }
}

/// What the backward pass through a block needs besides `ResidualBlock`.
@usableFromInline
package struct ResidualBlockGradient {
  /// Projection transposed, [D, 16].
  @usableFromInline package var projectTransposed: Input
  /// Scale of the depthwise output's normalisation, [16].
  @usableFromInline package var scale: Input
  /// Its shift, [16].
  @usableFromInline package var shift: Input
  /// α, β, κ of the raw depthwise output's gradient, [3, 16]; see `GradientSource`.
  @usableFromInline package var coefficients: Input
  /// The images' raw depthwise output, [H', W', 16] each.
  @usableFromInline package var d: SavedBlocks
  /// Gradient of the images' raw projection, [H'·W', D].
  @usableFromInline package var gradient: Input
  /// D.
  @usableFromInline package var gradientChannels: Int
  /// Whether the filter's gradient passes over the zeros of the expansion's; it is [16,
  /// wholeBlocks(C)] then.
  @usableFromInline package var skipsZeros: Bool
  /// The images' gradient after the depthwise output's normalisation, [H', W', 16], if it was kept.
  @usableFromInline package var hiddenGradient: Input?

  /// Describes the backward pass.
  @_alwaysEmitIntoClient
  package init(
    projectTransposed: Input,
    scale: Input,
    shift: Input,
    coefficients: Input,
    d: SavedBlocks,
    gradient: Input,
    gradientChannels: Int,
    skipsZeros: Bool,
    hiddenGradient: Input?
  ) {
    self.skipsZeros = skipsZeros
    self.hiddenGradient = hiddenGradient
    self.d = d
    self.gradient = gradient
    self.gradientChannels = gradientChannels
    self.projectTransposed = projectTransposed
    self.scale = scale
    self.shift = shift
    self.coefficients = coefficients
  }
}

/// Vectors of a block that a tile takes at a time.
@_alwaysEmitIntoClient @inline(always)
package func blockVectors<L: Lanes>(_: L.Type) -> Int { L.count < blockWidth ? 2 : 1 }

/// A product with one block, C[rows, 16] = A[rows, depth] · B[depth, 16] (+ bias).
@usableFromInline
package struct BlockProduct {
  /// A and B.
  @usableFromInline package var operands: TileOperands
  /// Where to.
  @usableFromInline package var c: Output
  /// Added to every row, [16]; nil for none.
  @usableFromInline package var bias: Input?

  /// Describes a product; rows of A are `aStride` floats apart.
  @_alwaysEmitIntoClient @inline(always)
  package init(
    depth: Int,
    a: Input,
    aStride: Int,
    b: Input,
    c: Output,
    bias: Input? = nil
  ) {
    operands = TileOperands(
      depth: depth,
      a: a,
      rowStride: aStride,
      depthStride: 1,
      b: b,
      bStride: blockWidth
    )
    self.c = c
    self.bias = bias
  }
}

/// The product over `rows` rows, with a ReLU in the epilogue if `rectify`; see `multiplyColumns`.
@_alwaysEmitIntoClient @inline(always)
package func multiplyBlock<L: Lanes>(
  _: L.Type,
  _ p: BlockProduct,
  rows: Int,
  rectify: Bool = false,
  ahead: UnsafeRawPointer? = nil,
  workspace: Output
) {
  var j = 0
  while j < blockWidth {
    var epilogue = StoreEpilogue(L.self, c: p.c + j, cStride: blockWidth, rectify: rectify)
    var operands = p.operands
    operands.b += j
    multiplyColumns(
      L.self,
      operands,
      rows: rows,
      bias: p.bias.map { $0 + j },
      ahead: j == 0 ? ahead : nil,
      workspace: workspace,
      epilogue: &epilogue
    )
    j += blockVectors(L.self) * L.count
  }
}

/// A[rows, depth] · B[depth, 16] (+ bias) to `epilogue`, of B the first `blockVectors` vectors of
/// each row.
///
/// A tile asks for the cache lines of its rows at `ahead`, 64 bytes each. Reads no row beyond
/// `rows`; `workspace` has room for `L.rows` rows of A and of C.
@_alwaysEmitIntoClient @inline(always)
package func multiplyColumns<L, E: Epilogue>(
  _: L.Type,
  _ p: TileOperands,
  rows: Int,
  bias: Input? = nil,
  ahead: UnsafeRawPointer? = nil,
  workspace: Output,
  epilogue: inout E
) where E.L == L {
  let vectors = blockVectors(L.self)
  var done = 0
  while done < rows {
    // The last tile begins among rows that are done.
    let first = min(done, rows - L.rows)
    if first < 0 { break }
    var operands = p
    operands.a += first * p.rowStride
    tile(
      L.self,
      vectors: vectors,
      operands,
      start: bias,
      startStride: 0,
      prefetches: Prefetches(first: ahead.map { $0 + first * 64 }),
      first: first,
      from: done,
      epilogue: &epilogue
    )
    done = first + L.rows
  }
  if done >= rows { return }
  let depth = p.depth
  let out = workspace + L.rows * depth
  for r in 0..<rows { (workspace + r * depth).update(from: p.a + r * p.rowStride, count: depth) }
  (workspace + rows * depth).update(repeating: 0, count: (L.rows - rows) * depth)
  var operands = p
  operands.a = Input(workspace)
  operands.rowStride = depth
  var store = StoreEpilogue(L.self, c: out, cStride: blockWidth)
  tile(
    L.self,
    vectors: vectors,
    operands,
    start: bias,
    startStride: 0,
    epilogue: &store
  )
  for r in 0..<rows {
    for v in 0..<vectors {
      epilogue.finish(L.load(out + r * blockWidth + v * L.count), row: r, vector: v)
    }
  }
}

/// The second moments of a convolution's input, which give the statistics of every 1×1 convolution
/// of it.
@usableFromInline
package struct SecondMoments {
  /// The input, [rows, C].
  @usableFromInline package var x: Input
  /// C.
  @usableFromInline package var channels: Int
  /// Gains Σ x·xᵀ, [C, C] in rows of `wholeBlocks(C)` floats, whole tiles of them; of what lies
  /// below the diagonal only a part.
  @usableFromInline package var products: Output
  /// Gains Σ x, [C].
  @usableFromInline package var sums: Output

  /// Describes the work.
  @_alwaysEmitIntoClient
  package init(x: Input, channels: Int, products: Output, sums: Output) {
    self.x = x
    self.channels = channels
    self.products = products
    self.sums = sums
  }
}

/// Adds the moments of `rows`; reads up to a vector beyond the last.
@_alwaysEmitIntoClient @inline(always)
package func secondMoments<L: Lanes>(_: L.Type, _ p: SecondMoments, rows: Range<Int>) {
  let channels = p.channels
  let from = p.x + rows.lowerBound * channels
  multiplyTransposed(
    L.self,
    rows: rows.count,
    k: channels,
    n: channels,
    a: from,
    aStride: channels,
    d: from,
    dStride: channels,
    c: p.products,
    cStride: wholeBlocks(channels),
    isSymmetric: true
  )
  var j = 0
  while j < channels {
    let width = min(L.count, channels - j)
    var sum = L.Vector.zero
    for r in 0..<rows.count { sum += L.load(from + r * channels + j, width) }
    L.store(L.load(p.sums + j, width) + sum, p.sums + j, width)
    j += L.count
  }
}
