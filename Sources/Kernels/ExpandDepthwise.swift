/// Expansion, normalisation, activation and depthwise convolution of one image for one block.
///
/// The expanded activations live only in a ring of rows in cache.
@usableFromInline
package struct ExpandDepthwise {
  /// The block's filters.
  @usableFromInline package var block: ResidualBlock
  /// Geometry of the depthwise convolution.
  @usableFromInline package var geometry: Patches
  /// The image, [H, W, C].
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

  /// Input rows expanded at a time: at least 32 pixels, so that small images fill the tiles.
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

/// Forward: raw depthwise output [H', W', 16] to `out`; adds Σ y and Σ y² to `sums` and `squares`.
@inlinable @inline(always)
package func expandDepthwise<L: Lanes>(
  _: L.Type,
  _ p: ExpandDepthwise,
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
  ring.clear(L.self)
  let rectify = p.block.activation == .relu
  let isDirect = g.width % L.rows == 0
  var next = -g.padding
  var staged = 0
  var firstStaged = 0
  for oy in 0..<g.outHeight {
    while next < oy * g.stride - g.padding + k {
      let to = ring[next + g.padding] + g.padding * blockWidth
      if next < 0 || next >= g.height {
        zero(L.self, to, g.width * blockWidth)
      } else {
        if isDirect {
          multiplyRelu(
            L.self,
            p,
            rows: g.width,
            from: next * g.width,
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
              from: firstStaged * g.width,
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
          (expanded + next * g.width * blockWidth).update(from: to, count: g.width * blockWidth)
        }
        if p.block.activation == .hswish {
          var i = 0
          while i < g.width * blockWidth {
            L.store(L.activate(L.load(to + i), .hswish), to + i)
            i += L.count
          }
        }
      }
      next += 1
    }
    depthwiseRow(
      L.self,
      kernel: k,
      stride: g.stride,
      ring: ring,
      first: oy * g.stride,
      count: g.outWidth,
      taps: p.block.taps,
      out: out.dropFirst(oy * g.outWidth * blockWidth),
      streams: p.streams,
      sums: sums,
      squares: squares
    )
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

/// Backward of one image for one block, everything expanded made anew in cache.
///
/// With g the gradient after the expansion's normalisation (its own backward is left to the caller, who
/// needs the sums over the batch): adds xᵀ·g to `filter` [C, 16], Σ g to `sums` [16], the taps' gradient
/// to `tapGradients` [K, K, 16], and g·Wᵀ, W the folded expansion, to `dx` [H·W, C] in rows of
/// `wholeBlocks(C)` floats with a tile of slack behind.
@inlinable @inline(always)
package func expandDepthwiseBackward<L: Lanes>(
  _: L.Type,
  _ p: ExpandDepthwise,
  _ way: ResidualBlockGradient,
  filter: Output,
  tapGradients: Output,
  sums: Output,
  dx: Output,
  scratch: Output
) {
  let g = p.geometry
  let k = g.kernel
  let group = p.group
  let rowFloats = (g.outWidth + k + RowRing.slack) * blockWidth
  // Rows that a group of input rows reads, and those made ahead for it.
  let slots = group + k + 1
  let ring = RowRing(base: scratch, slots: slots, rowFloats: rowFloats)
  let u = scratch + slots * rowFloats
  let stage = u + (group * g.width + 8) * blockWidth
  let spare = stage + (group + 1 + k / 2) * g.outWidth * blockWidth
  ring.clear(L.self)
  let row = DepthwiseRowBackward(
    kernel: k,
    stride: g.stride,
    activation: p.block.activation,
    ring: ring,
    outHeight: g.outHeight,
    count: g.width,
    taps: p.block.taps,
    tapGradients: tapGradients
  )
  let dxStride = wholeBlocks(p.channels)
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
        first: made,
        last: wanted,
        ring: ring,
        stage: stage,
        spare: spare
      )
      made = wanted
    }
    let pixels = (end - y) * g.width
    if let expanded = p.expanded {
      u.update(from: expanded + y * g.width * blockWidth, count: pixels * blockWidth)
    } else {
      multiplyRelu(
        L.self,
        p,
        rows: pixels,
        from: y * g.width,
        to: u,
        rectify: false,
        spare: spare
      )
    }
    for r in y..<end {
      depthwiseRowBackward(
        L.self,
        row,
        y: r,
        row: u + (r - y) * g.width * blockWidth,
        sums: sums
      )
    }
    let x = p.x + y * g.width * p.channels
    var i = 0
    while i < p.channels {
      blockTile(
        L.self,
        depth: pixels,
        a: x + i,
        rowStride: 1,
        depthStride: p.channels,
        b: u,
        c: filter + i * blockWidth,
        accumulate: true
      )
      i += L.rows
    }
    let tail = pixels % L.rows
    if tail > 0 { zero(L.self, u + pixels * blockWidth, (L.rows - tail) * blockWidth) }
    multiply(
      L.self,
      rows: pixels,
      depth: blockWidth,
      columns: p.channels,
      a: u,
      aStride: blockWidth,
      packed: way.expandTransposed,
      c: dx + y * g.width * dxStride,
      cStride: dxStride,
      accumulate: true
    )
    y = end
  }
}

/// Makes rows `first..<last` of the raw depthwise output's gradient in the ring.
@inlinable @inline(always)
package func depthwiseGradientRows<L: Lanes>(
  _: L.Type,
  _ p: ExpandDepthwise,
  _ way: ResidualBlockGradient,
  first: Int,
  last: Int,
  ring: RowRing,
  stage: Output,
  spare: Output
) {
  let g = p.geometry
  if let kept = way.kept {
    // The activation's derivative is in it already.
    let from = kept + first * g.outWidth * blockWidth
    return gradientRows(L.self, p, way, .none, first, last, ring, from)
  }
  multiplyBlock(
    L.self,
    rows: (last - first) * g.outWidth,
    depth: way.gradientChannels,
    a: way.gradient + first * g.outWidth * way.gradientChannels,
    aStride: way.gradientChannels,
    b: way.projectTransposed,
    c: stage,
    ahead: way.d.address(last * g.outWidth * blockWidth),
    spare: spare
  )
  if p.block.activation == .relu {
    gradientRows(L.self, p, way, .relu, first, last, ring, stage)
  } else {
    gradientRows(L.self, p, way, p.block.activation, first, last, ring, stage)
  }
}

/// Turns the gradients after the activation, in `stage`, into those of the raw output, in the ring.
@inlinable @inline(always)
package func gradientRows<L: Lanes>(
  _: L.Type,
  _ p: ExpandDepthwise,
  _ way: ResidualBlockGradient,
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
      let raw = way.d.dropFirst(q * g.outWidth * blockWidth + c)
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
