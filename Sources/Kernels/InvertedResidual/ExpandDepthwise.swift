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
  @_alwaysEmitIntoClient
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
  @_alwaysEmitIntoClient @inline(always)
  package var group: Int { min(geometry.height, max(1, 32 / geometry.width)) }

  /// Floats of workspace, forward and backward, for any table.
  @_alwaysEmitIntoClient
  package var workspaceFloats: Int {
    let g = geometry
    let row = (max(g.width, g.outWidth) + g.kernel + RowRing.slack) * blockWidth
    let tiles = 8 * (max(channels, 1) + 2 * blockWidth)
    return (3 * group + 2 * g.kernel + 4) * row + tiles + 8 * blockWidth
  }
}

/// The forward pass of `ExpandDepthwise`.
@usableFromInline
package struct ExpandDepthwiseForward {
  /// Input, filters and geometry.
  @usableFromInline package var expansion: ExpandDepthwise
  /// Raw depthwise output, [images, H', W', 16].
  @usableFromInline package var out: SavedBlocks
  /// Gain Σ y and Σ y², [16]; nil where no normalisation wants them.
  @usableFromInline package var sums: PartialSums?

  /// Describes the work.
  @_alwaysEmitIntoClient
  package init(expansion: ExpandDepthwise, out: SavedBlocks, sums: PartialSums?) {
    self.expansion = expansion
    self.out = out
    self.sums = sums
  }
}

/// Forward, `images` images.
@_alwaysEmitIntoClient @inline(always)
package func expandDepthwise<L: Lanes>(
  _: L.Type,
  _ job: ExpandDepthwiseForward,
  images: Int,
  workspace: Output
) {
  let p = job.expansion
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
          let pixels = (first + next) * g.width..<(first + next + 1) * g.width
          expandPixels(L.self, p, pixels, to: to, rectify: rectify, workspace: rest)
        } else {
          if next == staged {
            firstStaged = staged
            staged = min(g.height, staged + p.group)
            let pixels = (first + firstStaged) * g.width..<(first + staged) * g.width
            expandPixels(L.self, p, pixels, to: stage, rectify: rectify, workspace: rest)
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
        DepthwiseRow(
          kernel: k,
          stride: g.stride,
          ring: ring,
          within: max(0, -top)..<end - top,
          first: max(0, top),
          count: g.outWidth,
          weights: p.block.weights,
          out: job.out.dropFirst((image * g.outHeight + oy) * g.outWidth * blockWidth),
          streams: p.streams,
          sums: job.sums
        )
      )
    }
  }
  if p.streams { finishStreams() }
}

/// The block's expansion of `pixels`, normalised, with a ReLU if `rectify`.
@_alwaysEmitIntoClient @inline(always)
package func expandPixels<L: Lanes>(
  _: L.Type,
  _ p: ExpandDepthwise,
  _ pixels: Range<Int>,
  to: Output,
  rectify: Bool,
  workspace: Output
) {
  let product = BlockProduct(
    depth: p.channels,
    a: p.x + pixels.lowerBound * p.channels,
    aStride: p.channels,
    b: p.block.expand,
    c: to,
    bias: p.block.bias
  )
  // Constants, so that a tile's epilogue has no choice in it.
  if rectify {
    multiplyBlock(L.self, product, rows: pixels.count, rectify: true, workspace: workspace)
  } else {
    multiplyBlock(L.self, product, rows: pixels.count, rectify: false, workspace: workspace)
  }
}
