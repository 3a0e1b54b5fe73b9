/// The backward pass of `ExpandDepthwise`, everything expanded made anew in cache.
///
/// With g the gradient after the expansion's normalisation (whose own backward is left to the
/// caller, who needs the sums over the batch) and y the expansion before its activation.
@usableFromInline
package struct ExpandDepthwiseBackward {
  /// Input, filters and geometry.
  @usableFromInline package var expansion: ExpandDepthwise
  /// What comes from the projection.
  @usableFromInline package var upstream: ResidualBlockGradient
  /// Where g goes, [images·H·W, 16].
  @usableFromInline package var gradient: Output
  /// Gain Σ g and Σ g·y, [16].
  @usableFromInline package var sums: PartialSums
  /// Gains xᵀ·g, [C, 16] or, where zeros are passed over, its transpose; nil if unwanted.
  @usableFromInline package var filterGradient: Output?
  /// Whether what stands in `filterGradient` counts for nothing.
  @usableFromInline package var isFirst: Bool
  /// Gains the depthwise weights' gradient, [K, K, 16]; nil if unwanted.
  @usableFromInline package var weightGradients: Output?

  /// Describes the work.
  @_alwaysEmitIntoClient
  package init(
    expansion: ExpandDepthwise,
    upstream: ResidualBlockGradient,
    gradient: Output,
    sums: PartialSums,
    filterGradient: Output?,
    isFirst: Bool,
    weightGradients: Output?
  ) {
    self.expansion = expansion
    self.upstream = upstream
    self.gradient = gradient
    self.sums = sums
    self.filterGradient = filterGradient
    self.isFirst = isFirst
    self.weightGradients = weightGradients
  }
}

/// Backward, `images` images.
@_alwaysEmitIntoClient @inline(always)
package func expandDepthwiseBackward<L: Lanes>(
  _: L.Type,
  _ job: ExpandDepthwiseBackward,
  images: Int,
  workspace: Output
) {
  let p = job.expansion
  let g = p.geometry
  let k = g.kernel
  let group = p.group
  let rowFloats = (g.outWidth + k + RowRing.slack) * blockWidth
  // Rows that a group of input rows reads, and those made ahead for it.
  let slots = group + k + 1
  let ring = RowRing(base: workspace, slots: slots, rowFloats: rowFloats)
  let stage = workspace + slots * rowFloats
  let rest = stage + (group + 1 + k / 2) * g.outWidth * blockWidth
  // Only the borders need it, and no image touches them.
  ring.clear(L.self)
  let row = DepthwiseRowBackward(
    kernel: k,
    stride: g.stride,
    activation: p.block.activation,
    ring: ring,
    outHeight: g.outHeight,
    count: g.width,
    weights: p.block.weights,
    weightGradients: job.weightGradients,
    sums: job.sums
  )
  // Pixels that are in the filter's gradient, and those that wait to be.
  var summed = 0
  var done = 0
  let enough = min(64, images * g.height * g.width)
  for image in 0..<images {
    var made = 0
    var y = 0
    while y < g.height {
      let end = min(g.height, y + group)
      let wanted = min(g.outHeight, (end - 1 + g.padding) / g.stride + 1)
      if made < wanted {
        depthwiseGradientRows(
          L.self,
          job,
          image: image,
          rows: made..<wanted,
          ring: ring,
          stage: stage,
          workspace: rest
        )
        made = wanted
      }
      let pixels = (end - y) * g.width
      let to = job.gradient + done * blockWidth
      var from = Input(to)
      if let expanded = p.expanded {
        from = Input(expanded) + done * blockWidth
      } else {
        let next = done..<done + pixels
        expandPixels(L.self, p, next, to: to, rectify: false, workspace: rest)
      }
      for r in y..<end {
        let i = (r - y) * g.width * blockWidth
        depthwiseRowBackward(L.self, row, y: r, row: from + i, to: to + i)
        if p.expanded != nil {
          // The same row of the next group.
          for x in 0..<g.width { prefetch(from + i + (pixels + x) * blockWidth) }
        }
      }
      done += pixels
      y = end
      guard let filter = job.filterGradient else { continue }
      let isLast = image == images - 1 && end == g.height
      if done - summed < enough && !isLast { continue }
      let x = p.x + summed * p.channels
      let gradient = Input(job.gradient) + summed * blockWidth
      let accumulate = !job.isFirst || summed > 0
      if job.upstream.skipsZeros {
        multiplyMaskedTransposed(
          L.self,
          rows: done - summed,
          columns: p.channels,
          a: gradient,
          d: x,
          dStride: p.channels,
          c: filter,
          cStride: wholeBlocks(p.channels),
          accumulate: accumulate,
          workspace: rest
        )
      } else {
        multiplyTransposed(
          L.self,
          rows: done - summed,
          k: p.channels,
          n: blockWidth,
          a: x,
          aStride: p.channels,
          d: gradient,
          dStride: blockWidth,
          c: filter,
          cStride: blockWidth,
          accumulate: accumulate
        )
      }
      summed = done
    }
  }
}

/// Makes the rows `rows` of the gradient of an image's raw depthwise output in the ring.
@_alwaysEmitIntoClient @inline(always)
package func depthwiseGradientRows<L: Lanes>(
  _: L.Type,
  _ job: ExpandDepthwiseBackward,
  image: Int,
  rows: Range<Int>,
  ring: RowRing,
  stage: Output,
  workspace: Output
) {
  let g = job.expansion.geometry
  let upstream = job.upstream
  let before = image * g.outHeight * g.outWidth
  let first = rows.lowerBound * g.outWidth
  let count = rows.count * g.outWidth
  let d = upstream.d.dropFirst(before * blockWidth)
  if let hiddenGradient = upstream.hiddenGradient {
    // The activation's derivative is in it already.
    let from = hiddenGradient + (before + first) * blockWidth
    for x in count..<2 * count {
      prefetch(from + x * blockWidth)
      prefetch(d.address((first + x) * blockWidth))
    }
    return gradientRows(L.self, job, .none, rows, d: d, from: from, ring: ring)
  }
  let product = BlockProduct(
    depth: upstream.gradientChannels,
    a: upstream.gradient + (before + first) * upstream.gradientChannels,
    aStride: upstream.gradientChannels,
    b: upstream.projectTransposed,
    c: stage
  )
  multiplyBlock(
    L.self,
    product,
    rows: count,
    ahead: d.address((first + count) * blockWidth),
    workspace: workspace
  )
  // A constant activation is a loop of its own.
  let activation = job.expansion.block.activation
  if activation == .relu {
    gradientRows(L.self, job, .relu, rows, d: d, from: stage, ring: ring)
  } else {
    gradientRows(L.self, job, activation, rows, d: d, from: stage, ring: ring)
  }
}

/// Turns the gradients after the activation, from `from` on, into those of the raw output, in the
/// ring; `d` is the image's.
@_alwaysEmitIntoClient @inline(always)
package func gradientRows<L: Lanes>(
  _: L.Type,
  _ job: ExpandDepthwiseBackward,
  _ activation: Activation,
  _ rows: Range<Int>,
  d: SavedBlocks,
  from: Input,
  ring: RowRing
) {
  let g = job.expansion.geometry
  let upstream = job.upstream
  var c = 0
  while c < blockWidth {
    let scale = L.load(upstream.scale + c)
    let shift = L.load(upstream.shift + c)
    let alpha = L.load(upstream.coefficients + c)
    let beta = L.load(upstream.coefficients + blockWidth + c)
    let kappa = L.load(upstream.coefficients + 2 * blockWidth + c)
    for q in rows {
      let raw = d.dropFirst(q * g.outWidth * blockWidth + c)
      let row = from + (q - rows.lowerBound) * g.outWidth * blockWidth + c
      let to = ring[q] + g.padding * blockWidth + c
      for x in 0..<g.outWidth {
        let y = raw.load(L.self, x * blockWidth)
        let z = L.fma(y, scale, shift)
        let gradient = L.activationGradient(L.load(row + x * blockWidth), at: z, activation)
        L.store(L.fma(gradient, alpha, L.fma(y, beta, kappa)), to + x * blockWidth)
      }
    }
    c += L.count
  }
}
