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
  @inlinable
  package init(base: Output, slots: Int, rowFloats: Int) {
    self.base = base
    self.slots = slots
    self.rowFloats = rowFloats
  }

  /// The slot of row `r` ≥ 0.
  @inlinable @inline(always)
  package func slot(_ r: Int) -> Int { r % slots }

  /// The slot of the row after the one in `slot`: without a division, which loops over rows would
  /// feel.
  @inlinable @inline(always)
  package func next(_ slot: Int) -> Int { slot + 1 == slots ? 0 : slot + 1 }

  /// Where row `r` ≥ 0 stands.
  @inlinable @inline(always)
  package subscript(r: Int) -> Output { base + slot(r) * rowFloats }

  /// Pixels that a ring must hold beyond the row and its border: tiles may look at them.
  @inlinable @inline(always)
  package static var slack: Int { 10 }

  /// Sets everything to zero, border included.
  @inlinable @inline(always)
  package func clear<L: Lanes>(_: L.Type) { zero(L.self, base, slots * rowFloats) }
}

/// Sets `count` floats, whole vectors, to 0.
@inlinable @inline(always)
package func zero<L: Lanes>(_: L.Type, _ p: Output, _ count: Int) {
  var i = 0
  while i < count {
    L.store(.zero, p + i)
    i += L.count
  }
}

/// One row of a depthwise convolution over a block: `count` pixels of 16 channels to `out`.
///
/// With `streams` the output goes past the caches. Rows `within` of the filter meet rows of the
/// image, the first of them ring row `first`; adds Σ y and Σ y² to `sums` and `squares`, [16].
@inlinable @inline(always)
package func depthwiseRow<L: Lanes>(
  _: L.Type,
  kernel: Int,
  stride: Int,
  ring: RowRing,
  first: Int,
  within: Range<Int>,
  count: Int,
  weights: Input,
  out: SavedBlocks,
  streams: Bool,
  sums: Output?,
  squares: Output?
) {
  // The kernels and strides of the search spaces get loops of their own, unrolled over the weights.
  if kernel == 3 && stride == 1 {
    slide(L.self, 3, 1, ring, first, within, count, weights, out, streams, sums, squares)
  } else if kernel == 5 && stride == 1 {
    slide(L.self, 5, 1, ring, first, within, count, weights, out, streams, sums, squares)
  } else if kernel == 3 && stride == 2 {
    slide(L.self, 3, 2, ring, first, within, count, weights, out, streams, sums, squares)
  } else if kernel == 5 && stride == 2 {
    slide(L.self, 5, 2, ring, first, within, count, weights, out, streams, sums, squares)
  } else {
    slide(L.self, kernel, stride, ring, first, within, count, weights, out, streams, sums, squares)
  }
}

/// See `depthwiseRow`; `kernel` and `stride` are constants where this is inlined.
@inlinable @inline(always)
package func slide<L: Lanes>(
  _: L.Type,
  _ kernel: Int,
  _ stride: Int,
  _ ring: RowRing,
  _ first: Int,
  _ within: Range<Int>,
  _ count: Int,
  _ weights: Input,
  _ out: SavedBlocks,
  _ streams: Bool,
  _ sums: Output?,
  _ squares: Output?
) {
  typealias V = L.Vector
  let start = ring.slot(first)
  var c = 0
  while c < blockWidth {
    var sum = V.zero
    var square = V.zero
    var x = 0
    while x < count {
      let wide = count - x > 4
      var y0 = V.zero, y1 = V.zero, y2 = V.zero, y3 = V.zero
      var y4 = V.zero, y5 = V.zero, y6 = V.zero, y7 = V.zero
      var slot = start
      for ky in within {
        let row = Input(ring.base + slot * ring.rowFloats) + x * stride * blockWidth + c
        slot = ring.next(slot)
        let filter = weights + ky * kernel * blockWidth + c
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
      let n = min(8, count - x)
      let at = x * blockWidth + c
      put(L.self, y0, out, at, streams, &sum, &square)
      if n > 1 { put(L.self, y1, out, at + blockWidth, streams, &sum, &square) }
      if n > 2 { put(L.self, y2, out, at + 2 * blockWidth, streams, &sum, &square) }
      if n > 3 { put(L.self, y3, out, at + 3 * blockWidth, streams, &sum, &square) }
      if n > 4 { put(L.self, y4, out, at + 4 * blockWidth, streams, &sum, &square) }
      if n > 5 { put(L.self, y5, out, at + 5 * blockWidth, streams, &sum, &square) }
      if n > 6 { put(L.self, y6, out, at + 6 * blockWidth, streams, &sum, &square) }
      if n > 7 { put(L.self, y7, out, at + 7 * blockWidth, streams, &sum, &square) }
      x += n
    }
    if let sums, let squares {
      L.store(L.load(sums + c) + sum, sums + c)
      L.store(L.load(squares + c) + square, squares + c)
    }
    c += L.count
  }
}

/// Stores a value and adds it and its square to two sums.
@inlinable @inline(always)
package func put<L: Lanes>(
  _: L.Type,
  _ value: L.Vector,
  _ out: SavedBlocks,
  _ at: Int,
  _ streams: Bool,
  _ sum: inout L.Vector,
  _ square: inout L.Vector
) {
  out.store(L.self, value, at, streams: streams)
  sum += value
  square = L.fma(value, value, square)
}
