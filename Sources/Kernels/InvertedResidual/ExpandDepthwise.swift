/// Expansion, normalisation, activation and depthwise convolution of images for one block.
///
/// The expanded activations live only in a ring of rows in cache.
@usableFromInline
package struct ExpandDepthwise {
  /// The block's filters.
  @usableFromInline package var block: ResidualBlock
  /// Geometry of the depthwise convolution.
  @usableFromInline package var geometry: Patches
  /// The first image, [H, W, C]; the others follow.
  @usableFromInline package var x: Input
  /// C.
  @usableFromInline package var channels: Int
  /// Where the expanded rows before their activation, after a ReLU, are kept, [H, W, 16]; nil if
  /// made anew.
  @usableFromInline package var expanded: Output?
  /// Whether the output is too large to be found in a cache later.
  @usableFromInline package var streams: Bool

  /// Describes the work.
  @inlinable
  package init(
    block: ResidualBlock,
    geometry: Patches,
    x: Input,
    channels: Int,
    expanded: Output?,
    streams: Bool
  ) {
    self.expanded = expanded
    self.streams = streams
    self.block = block
    self.geometry = geometry
    self.x = x
    self.channels = channels
  }

  /// Input rows worked on at a time: at least 32 pixels, so that small images fill the tiles.
  @inlinable @inline(always)
  package var group: Int { min(geometry.height, max(1, 32 / geometry.width)) }

  /// Floats of workspace, forward and backward, for any table.
  @inlinable
  package var workspaceFloats: Int {
    let g = geometry
    let row = (max(g.width, g.outWidth) + g.kernel + RowRing.slack) * blockWidth
    let tiles = 8 * (max(channels, 1) + 2 * blockWidth)
    return (3 * group + 2 * g.kernel + 4) * row + tiles + 8 * blockWidth
  }
}

/// Forward: raw depthwise output [images, H', W', 16] to `out`; adds Σ y and Σ y² to `sums` and
/// `squares`.
@inlinable @inline(always)
package func expandDepthwise<L: Lanes>(
  _: L.Type,
  _ p: ExpandDepthwise,
  images: Int,
  out: SavedBlocks,
  sums: Output?,
  squares: Output?,
  workspace: Output
) {
  let g = p.geometry
  let k = g.kernel
  let rowFloats = (g.width + k + RowRing.slack) * blockWidth
  let ring = RowRing(base: workspace, slots: k, rowFloats: rowFloats)
  let stage = workspace + k * rowFloats
  let rest = stage + p.group * g.width * blockWidth
  // Only the borders need it, and no image touches them.
  ring.clear(L.self)
  let rectify = p.block.activation == .relu
  let isDirect = g.width % L.rows == 0
  for image in 0..<images {
    let first = image * g.height
    var next = 0
    var staged = 0
    var firstStaged = 0
    for oy in 0..<g.outHeight {
      let top = oy * g.stride - g.padding
      let end = min(g.height, top + k)
      while next < end {
        let to = ring[next] + g.padding * blockWidth
        if isDirect {
          multiplyRelu(
            L.self,
            p,
            rows: g.width,
            from: (first + next) * g.width,
            to: to,
            rectify: rectify,
            workspace: rest
          )
        } else {
          if next == staged {
            firstStaged = staged
            staged = min(g.height, staged + p.group)
            multiplyRelu(
              L.self,
              p,
              rows: (staged - firstStaged) * g.width,
              from: (first + firstStaged) * g.width,
              to: stage,
              rectify: rectify,
              workspace: rest
            )
          }
          to.update(
            from: stage + (next - firstStaged) * g.width * blockWidth,
            count: g.width * blockWidth
          )
        }
        if let expanded = p.expanded {
          let kept = expanded + (first + next) * g.width * blockWidth
          var i = 0
          while i < g.width * blockWidth {
            if p.streams {
              L.stream(L.load(to + i), kept + i)
            } else {
              L.store(L.load(to + i), kept + i)
            }
            i += L.count
          }
        }
        if p.block.activation == .hswish {
          var i = 0
          while i < g.width * blockWidth {
            L.store(L.activate(L.load(to + i), .hswish), to + i)
            i += L.count
          }
        }
        next += 1
      }
      depthwiseRow(
        L.self,
        kernel: k,
        stride: g.stride,
        ring: ring,
        first: max(0, top),
        within: max(0, -top)..<end - top,
        count: g.outWidth,
        weights: p.block.weights,
        out: out.dropFirst((image * g.outHeight + oy) * g.outWidth * blockWidth),
        streams: p.streams,
        sums: sums,
        squares: squares
      )
    }
  }
  if p.streams { finishStreams() }
}

/// The block's expansion of `rows` pixels from pixel `from` on, normalised, with a ReLU if
/// `rectify`.
@inlinable @inline(always)
package func multiplyRelu<L: Lanes>(
  _: L.Type,
  _ p: ExpandDepthwise,
  rows: Int,
  from: Int,
  to: Output,
  rectify: Bool,
  workspace: Output
) {
  let x = p.x + from * p.channels
  if rectify {
    multiplyBlock(
      L.self,
      rows: rows,
      depth: p.channels,
      a: x,
      aStride: p.channels,
      b: p.block.expand,
      c: to,
      bias: p.block.bias,
      rectify: true,
      workspace: workspace
    )
  } else {
    multiplyBlock(
      L.self,
      rows: rows,
      depth: p.channels,
      a: x,
      aStride: p.channels,
      b: p.block.expand,
      c: to,
      bias: p.block.bias,
      workspace: workspace
    )
  }
}

/// Backward of some images for one block, everything expanded made anew in cache.
///
/// With g the gradient after the expansion's normalisation (its own backward is left to the caller,
/// who needs the sums over the batch): g itself goes to `gradient`, [images·H·W, 16]. With y the
/// expansion before its activation, adds Σ g and Σ g·y to `sums`, [2, 16]. Adds, where they are
/// wanted, xᵀ·g to `filter`, [C, 16] or its transpose, see `skipsZeros`, whose content counts for
/// nothing if `isFirst`, and the depthwise weights' gradient to `weightGradients`, [K, K, 16].
@inlinable @inline(always)
package func expandDepthwiseBackward<L: Lanes>(
  _: L.Type,
  _ p: ExpandDepthwise,
  _ view: ResidualBlockGradient,
  images: Int,
  isFirst: Bool,
  filter: Output?,
  weightGradients: Output?,
  sums: Output,
  gradient: Output,
  workspace: Output
) {
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
    weightGradients: weightGradients,
    sums: sums
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
          p,
          view,
          image: image,
          first: made,
          last: wanted,
          ring: ring,
          stage: stage,
          workspace: rest
        )
        made = wanted
      }
      let pixels = (end - y) * g.width
      let to = gradient + done * blockWidth
      var from = Input(to)
      if let expanded = p.expanded {
        from = Input(expanded) + done * blockWidth
      } else {
        multiplyRelu(L.self, p, rows: pixels, from: done, to: to, rectify: false, workspace: rest)
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
      guard let filter else { continue }
      let isLast = image == images - 1 && end == g.height
      if done - summed < enough && !isLast { continue }
      let x = p.x + summed * p.channels
      let made = Input(gradient) + summed * blockWidth
      if view.skipsZeros {
        multiplyMaskedTransposed(
          L.self,
          rows: done - summed,
          columns: p.channels,
          a: made,
          d: x,
          dStride: p.channels,
          c: filter,
          cStride: wholeBlocks(p.channels),
          accumulate: !isFirst || summed > 0,
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
          d: made,
          dStride: blockWidth,
          c: filter,
          cStride: blockWidth,
          accumulate: !isFirst || summed > 0
        )
      }
      summed = done
    }
  }
}

/// Makes rows `first..<last` of the gradient of an image's raw depthwise output in the ring.
@inlinable @inline(always)
package func depthwiseGradientRows<L: Lanes>(
  _: L.Type,
  _ p: ExpandDepthwise,
  _ view: ResidualBlockGradient,
  image: Int,
  first: Int,
  last: Int,
  ring: RowRing,
  stage: Output,
  workspace: Output
) {
  let g = p.geometry
  let before = image * g.outHeight * g.outWidth
  let d = view.d.dropFirst(before * blockWidth)
  if let hiddenGradient = view.hiddenGradient {
    // The activation's derivative is in it already.
    let from = hiddenGradient + (before + first * g.outWidth) * blockWidth
    let count = (last - first) * g.outWidth
    for x in count..<2 * count {
      prefetch(from + x * blockWidth)
      prefetch(d.address((first * g.outWidth + x) * blockWidth))
    }
    return gradientRows(L.self, p, view, d, .none, first, last, ring, from)
  }
  multiplyBlock(
    L.self,
    rows: (last - first) * g.outWidth,
    depth: view.gradientChannels,
    a: view.gradient + (before + first * g.outWidth) * view.gradientChannels,
    aStride: view.gradientChannels,
    b: view.projectTransposed,
    c: stage,
    ahead: d.address(last * g.outWidth * blockWidth),
    workspace: workspace
  )
  if p.block.activation == .relu {
    gradientRows(L.self, p, view, d, .relu, first, last, ring, stage)
  } else {
    gradientRows(L.self, p, view, d, p.block.activation, first, last, ring, stage)
  }
}

/// Turns the gradients after the activation, in `stage`, into those of the raw output, in the ring.
@inlinable @inline(always)
package func gradientRows<L: Lanes>(
  _: L.Type,
  _ p: ExpandDepthwise,
  _ view: ResidualBlockGradient,
  _ d: SavedBlocks,
  _ activation: Activation,
  _ first: Int,
  _ last: Int,
  _ ring: RowRing,
  _ stage: Input
) {
  let g = p.geometry
  var c = 0
  while c < blockWidth {
    let scale = L.load(view.scale + c)
    let shift = L.load(view.shift + c)
    let alpha = L.load(view.coefficients + c)
    let beta = L.load(view.coefficients + blockWidth + c)
    let kappa = L.load(view.coefficients + 2 * blockWidth + c)
    for q in first..<last {
      let raw = d.dropFirst(q * g.outWidth * blockWidth + c)
      let from = stage + (q - first) * g.outWidth * blockWidth + c
      let to = ring[q] + g.padding * blockWidth + c
      for x in 0..<g.outWidth {
        let y = raw.load(L.self, x * blockWidth)
        let z = L.fma(y, scale, shift)
        let upstream = L.activationGradient(L.load(from + x * blockWidth), at: z, activation)
        L.store(L.fma(upstream, alpha, L.fma(y, beta, kappa)), to + x * blockWidth)
      }
    }
    c += L.count
  }
}
