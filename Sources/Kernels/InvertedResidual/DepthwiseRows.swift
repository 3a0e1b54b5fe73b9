/// A ring of rows with a zero border, [slots, width, 16]: row r stands in slot r mod `slots`.
@usableFromInline
package struct RowRing {
  /// First element of slot 0.
  @usableFromInline package var base: Output
  /// Slots.
  @usableFromInline package var slots: Int
  /// Floats of a slot.
  @usableFromInline package var rowFloats: Int

  /// Describes a ring.
  @_alwaysEmitIntoClient
  package init(base: Output, slots: Int, rowFloats: Int) {
    self.base = base
    self.slots = slots
    self.rowFloats = rowFloats
  }

  /// The slot of row `r` ≥ 0.
  @_alwaysEmitIntoClient @inline(always)
  package func slot(_ r: Int) -> Int { r % slots }

  /// The slot of the row after the one in `slot`: without a division, which loops over rows would
  /// feel.
  @_alwaysEmitIntoClient @inline(always)
  package func next(_ slot: Int) -> Int { slot + 1 == slots ? 0 : slot + 1 }

  /// Where row `r` ≥ 0 stands.
  @_alwaysEmitIntoClient @inline(always)
  package subscript(r: Int) -> Output { base + slot(r) * rowFloats }

  /// Pixels that a ring must hold beyond the row and its border: tiles may look at them.
  @_alwaysEmitIntoClient @inline(always)
  package static var slack: Int { 10 }

  /// Sets everything to zero, border included.
  @_alwaysEmitIntoClient @inline(always)
  package func clear<L: Lanes>(_: L.Type) { zero(L.self, base, slots * rowFloats) }
}

/// Sets `count` floats, whole vectors, to 0.
@_alwaysEmitIntoClient @inline(always)
package func zero<L: Lanes>(_: L.Type, _ p: Output, _ count: Int) {
  var i = 0
  while i < count {
    L.store(.zero, p + i)
    i += L.count
  }
}

/// One output row of a depthwise convolution over a block.
@usableFromInline
package struct DepthwiseRow {
  /// Filter side.
  @usableFromInline package var kernel: Int
  /// Step between outputs.
  @usableFromInline package var stride: Int
  /// The image's rows.
  @usableFromInline package var ring: RowRing
  /// Rows of the filter that meet rows of the image.
  @usableFromInline package var within: Range<Int>
  /// The ring row that the first of them meets.
  @usableFromInline package var first: Int
  /// Output pixels.
  @usableFromInline package var count: Int
  /// Filter, [K, K, 16].
  @usableFromInline package var weights: Input
  /// Where the row goes, [count, 16].
  @usableFromInline package var out: SavedBlocks
  /// Whether it goes there past the caches.
  @usableFromInline package var streams: Bool
  /// Gain Σ y and Σ y², [16]; nil where no normalisation wants them.
  @usableFromInline package var sums: PartialSums?

  /// Describes a row.
  @_alwaysEmitIntoClient @inline(always)
  package init(
    kernel: Int,
    stride: Int,
    ring: RowRing,
    within: Range<Int>,
    first: Int,
    count: Int,
    weights: Input,
    out: SavedBlocks,
    streams: Bool,
    sums: PartialSums?
  ) {
    self.kernel = kernel
    self.stride = stride
    self.ring = ring
    self.within = within
    self.first = first
    self.count = count
    self.weights = weights
    self.out = out
    self.streams = streams
    self.sums = sums
  }
}

/// Computes the row.
@_alwaysEmitIntoClient @inline(always)
package func depthwiseRow<L: Lanes>(_: L.Type, _ p: DepthwiseRow) {
  // The kernels and strides of the search spaces get loops of their own, unrolled over the weights.
  if p.kernel == 3 && p.stride == 1 {
    slide(L.self, 3, 1, p)
  } else if p.kernel == 5 && p.stride == 1 {
    slide(L.self, 5, 1, p)
  } else if p.kernel == 3 && p.stride == 2 {
    slide(L.self, 3, 2, p)
  } else if p.kernel == 5 && p.stride == 2 {
    slide(L.self, 5, 2, p)
  } else {
    slide(L.self, p.kernel, p.stride, p)
  }
}

/// See `depthwiseRow`; `kernel` and `stride` are constants where this is inlined.
@_alwaysEmitIntoClient @inline(always)
package func slide<L: Lanes>(_: L.Type, _ kernel: Int, _ stride: Int, _ p: DepthwiseRow) {
  typealias V = L.Vector
  let start = p.ring.slot(p.first)
  var c = 0
  while c < blockWidth {
    var sum = V.zero
    var square = V.zero
    var x = 0
    while x < p.count {
      let wide = p.count - x > 4
      var y0 = V.zero, y1 = V.zero, y2 = V.zero, y3 = V.zero
      var y4 = V.zero, y5 = V.zero, y6 = V.zero, y7 = V.zero
      var slot = start
      for ky in p.within {
        let row = Input(p.ring.base + slot * p.ring.rowFloats) + x * stride * blockWidth + c
        slot = p.ring.next(slot)
        let filter = p.weights + ky * kernel * blockWidth + c
        let step = stride * blockWidth
        if wide {
          for kx in 0..<kernel {
            let w = L.load(filter + kx * blockWidth)
            let at = row + kx * blockWidth
            y0 = L.fma(w, L.load(at), y0)
            y1 = L.fma(w, L.load(at + step), y1)
            y2 = L.fma(w, L.load(at + 2 * step), y2)
            y3 = L.fma(w, L.load(at + 3 * step), y3)
            y4 = L.fma(w, L.load(at + 4 * step), y4)
            y5 = L.fma(w, L.load(at + 5 * step), y5)
            y6 = L.fma(w, L.load(at + 6 * step), y6)
            y7 = L.fma(w, L.load(at + 7 * step), y7)
          }
        } else {
          for kx in 0..<kernel {
            let w = L.load(filter + kx * blockWidth)
            let at = row + kx * blockWidth
            y0 = L.fma(w, L.load(at), y0)
            y1 = L.fma(w, L.load(at + step), y1)
            y2 = L.fma(w, L.load(at + 2 * step), y2)
            y3 = L.fma(w, L.load(at + 3 * step), y3)
          }
        }
      }
      let n = min(8, p.count - x)
      let at = x * blockWidth + c
      put(L.self, y0, p, at, &sum, &square)
      if n > 1 { put(L.self, y1, p, at + blockWidth, &sum, &square) }
      if n > 2 { put(L.self, y2, p, at + 2 * blockWidth, &sum, &square) }
      if n > 3 { put(L.self, y3, p, at + 3 * blockWidth, &sum, &square) }
      if n > 4 { put(L.self, y4, p, at + 4 * blockWidth, &sum, &square) }
      if n > 5 { put(L.self, y5, p, at + 5 * blockWidth, &sum, &square) }
      if n > 6 { put(L.self, y6, p, at + 6 * blockWidth, &sum, &square) }
      if n > 7 { put(L.self, y7, p, at + 7 * blockWidth, &sum, &square) }
      x += n
    }
    p.sums?.add(L.self, sum, square, at: c, L.count)
    c += L.count
  }
}

/// Stores a value and adds it and its square to two sums.
@_alwaysEmitIntoClient @inline(always)
package func put<L: Lanes>(
  _: L.Type,
  _ value: L.Vector,
  _ p: DepthwiseRow,
  _ at: Int,
  _ sum: inout L.Vector,
  _ square: inout L.Vector
) {
  p.out.store(L.self, value, at, streams: p.streams)
  sum += value
  square = L.fma(value, value, square)
}
