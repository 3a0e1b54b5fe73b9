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
  /// Where the expanded rows before their activation, after a ReLU, are kept, [H, W, 16]; nil if made anew.
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

  /// Floats of scratch, forward and backward, for any table.
  @inlinable
  package var scratch: Int {
    let g = geometry
    let row = (max(g.width, g.outWidth) + g.kernel + RowRing.slack) * blockWidth
    let spare = 8 * (max(channels, 1) + 2 * blockWidth)
    return (3 * group + 2 * g.kernel + 4) * row + spare + 8 * blockWidth
  }
}

/// Forward: raw depthwise output [images, H', W', 16] to `out`; adds Σ y and Σ y² to `sums` and `squares`.
@inlinable @inline(always)
package func expandDepthwise<L: Lanes>(
  _: L.Type,
  _ p: ExpandDepthwise,
  images: Int,
  out: SavedBlocks,
  sums: Output?,
  squares: Output?,
  scratch: Output
) {
  let g = p.geometry
  let k = g.kernel
  let rowFloats = (g.width + k + RowRing.slack) * blockWidth
  let ring = RowRing(base: scratch, slots: k, rowFloats: rowFloats)
  let stage = scratch + k * rowFloats
  let spare = stage + p.group * g.width * blockWidth
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
            spare: spare
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
              spare: spare
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
        taps: p.block.taps,
        out: out.dropFirst((image * g.outHeight + oy) * g.outWidth * blockWidth),
        streams: p.streams,
        sums: sums,
        squares: squares
      )
    }
  }
  if p.streams { finishStreams() }
}

/// The block's expansion of `rows` pixels from pixel `from` on, normalised, with a ReLU if `rectify`.
@inlinable @inline(always)
package func multiplyRelu<L: Lanes>(
  _: L.Type,
  _ p: ExpandDepthwise,
  rows: Int,
  from: Int,
  to: Output,
  rectify: Bool,
  spare: Output
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
      spare: spare
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
      spare: spare
    )
  }
}

/// Backward of some images for one block, everything expanded made anew in cache.
///
/// With g the gradient after the expansion's normalisation (its own backward is left to the caller, who
/// needs the sums over the batch): g itself goes to `gradient`, [images·H·W, 16]. With y the expansion before its
/// activation, adds Σ g and Σ g·y to `sums`, [2, 16]. Adds, where they are wanted, xᵀ·g to `filter`, [C, 16] or
/// its transpose, see `skipsZeros`, whose content counts for nothing if `isFirst`, and the taps' gradient to
/// `tapGradients`, [K, K, 16].
@inlinable @inline(always)
package func expandDepthwiseBackward<L: Lanes>(
  _: L.Type,
  _ p: ExpandDepthwise,
  _ way: ResidualBlockGradient,
  images: Int,
  isFirst: Bool,
  filter: Output?,
  tapGradients: Output?,
  sums: Output,
  gradient: Output,
  scratch: Output
) {
  let g = p.geometry
  let k = g.kernel
  let group = p.group
  let rowFloats = (g.outWidth + k + RowRing.slack) * blockWidth
  // Rows that a group of input rows reads, and those made ahead for it.
  let slots = group + k + 1
  let ring = RowRing(base: scratch, slots: slots, rowFloats: rowFloats)
  let stage = scratch + slots * rowFloats
  let spare = stage + (group + 1 + k / 2) * g.outWidth * blockWidth
  // Only the borders need it, and no image touches them.
  ring.clear(L.self)
  let row = DepthwiseRowBackward(
    kernel: k,
    stride: g.stride,
    activation: p.block.activation,
    ring: ring,
    outHeight: g.outHeight,
    count: g.width,
    taps: p.block.taps,
    tapGradients: tapGradients,
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
          way,
          image: image,
          first: made,
          last: wanted,
          ring: ring,
          stage: stage,
          spare: spare
        )
        made = wanted
      }
      let pixels = (end - y) * g.width
      let to = gradient + done * blockWidth
      var from = Input(to)
      if let expanded = p.expanded {
        from = Input(expanded) + done * blockWidth
      } else {
        multiplyRelu(L.self, p, rows: pixels, from: done, to: to, rectify: false, spare: spare)
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
      if way.skipsZeros {
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
          spare: spare
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
  _ way: ResidualBlockGradient,
  image: Int,
  first: Int,
  last: Int,
  ring: RowRing,
  stage: Output,
  spare: Output
) {
  let g = p.geometry
  let before = image * g.outHeight * g.outWidth
  let d = way.d.dropFirst(before * blockWidth)
  if let kept = way.kept {
    // The activation's derivative is in it already.
    let from = kept + (before + first * g.outWidth) * blockWidth
    let count = (last - first) * g.outWidth
    for x in count..<2 * count {
      prefetch(from + x * blockWidth)
      prefetch(d.address((first * g.outWidth + x) * blockWidth))
    }
    return gradientRows(L.self, p, way, d, .none, first, last, ring, from)
  }
  multiplyBlock(
    L.self,
    rows: (last - first) * g.outWidth,
    depth: way.gradientChannels,
    a: way.gradient + (before + first * g.outWidth) * way.gradientChannels,
    aStride: way.gradientChannels,
    b: way.projectTransposed,
    c: stage,
    ahead: d.address(last * g.outWidth * blockWidth),
    spare: spare
  )
  if p.block.activation == .relu {
    gradientRows(L.self, p, way, d, .relu, first, last, ring, stage)
  } else {
    gradientRows(L.self, p, way, d, p.block.activation, first, last, ring, stage)
  }
}

/// Turns the gradients after the activation, in `stage`, into those of the raw output, in the ring.
@inlinable @inline(always)
package func gradientRows<L: Lanes>(
  _: L.Type,
  _ p: ExpandDepthwise,
  _ way: ResidualBlockGradient,
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
    let scale = L.load(way.scale + c)
    let shift = L.load(way.shift + c)
    let alpha = L.load(way.coefficients + c)
    let beta = L.load(way.coefficients + blockWidth + c)
    let kappa = L.load(way.coefficients + 2 * blockWidth + c)
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
