/// One input row of a depthwise convolution backward, over a block.
@usableFromInline
package struct DepthwiseRowBackward {
  /// Filter side.
  @usableFromInline package var kernel: Int
  /// Step between outputs.
  @usableFromInline package var stride: Int
  /// The input's activation.
  @usableFromInline package var activation: Activation
  /// Output gradients by output row, `kernel / 2` zero pixels before each row and slack behind.
  @usableFromInline package var ring: RowRing
  /// Output rows.
  @usableFromInline package var outHeight: Int
  /// Pixels of the input row.
  @usableFromInline package var count: Int
  /// Filter, [K, K, 16].
  @usableFromInline package var weights: Input
  /// Its gradient, added to; nil if it is not wanted.
  @usableFromInline package var weightGradients: Output?
  /// Gain Σ g and Σ g·r, [16], r the input before its activation and g its gradient.
  @usableFromInline package var sums: PartialSums

  /// Describes a row.
  @_alwaysEmitIntoClient
  package init(
    kernel: Int,
    stride: Int,
    activation: Activation,
    ring: RowRing,
    outHeight: Int,
    count: Int,
    weights: Input,
    weightGradients: Output?,
    sums: PartialSums
  ) {
    self.kernel = kernel
    self.stride = stride
    self.activation = activation
    self.ring = ring
    self.outHeight = outHeight
    self.count = count
    self.weights = weights
    self.weightGradients = weightGradients
    self.sums = sums
  }

  /// The output rows that input row `y` takes part in; filter row y + K/2 − q·stride meets row q.
  @_alwaysEmitIntoClient @inline(always)
  package func outRows(_ y: Int) -> Range<Int> {
    let reach = y + kernel / 2
    let low = max(0, (reach - kernel + stride) / stride)
    return low..<max(low, min(outHeight, reach / stride + 1))
  }
}

/// Row `y`: the gradient of `row`, the input before its activation, [count, 16], to `to`, which may
/// be `row`.
///
/// Both gradients come from one look at the output's: with d the output gradient and z the
/// activated input dz[x] = Σ w[k]·d[x + p − k] and dw[k] = Σ z[x]·d[x + p − k].
@_alwaysEmitIntoClient @inline(always)
package func depthwiseRowBackward<L: Lanes>(
  _: L.Type,
  _ p: DepthwiseRowBackward,
  y: Int,
  row: Input,
  to: Output
) {
  // The activation of the search spaces gets loops of its own too: a choice inside would cost
  // registers.
  if p.activation != .relu {
    rowBackward(L.self, p, p.activation, p.weightGradients, y: y, row: row, to: to)
  } else if let weightGradients = p.weightGradients {
    rowBackward(L.self, p, .relu, weightGradients, y: y, row: row, to: to)
  } else {
    rowBackward(L.self, p, .relu, nil, y: y, row: row, to: to)
  }
}

/// Σ g and Σ g·r of a row.
@usableFromInline
package struct RowSums<V: SIMD> where V.Scalar == Float {
  @usableFromInline var sum: V
  @usableFromInline var product: V

  /// Nothing yet.
  @_alwaysEmitIntoClient @inline(always)
  package init() {
    sum = .zero
    product = .zero
  }
}

/// One vector of channels of an input row: what all its tiles have in common.
@usableFromInline
package struct RowContext {
  @usableFromInline let p: DepthwiseRowBackward
  @usableFromInline let activation: Activation
  /// The input row's number.
  @usableFromInline let y: Int
  /// Output rows that meet it.
  @usableFromInline let rows: Range<Int>
  /// The input before its activation, 16 floats a pixel.
  @usableFromInline let row: Input
  /// Where its gradient goes.
  @usableFromInline let to: Output
  /// `p.ring`, `p.weights` and the gradient of those, if it is wanted.
  @usableFromInline let ring: RowRing
  @usableFromInline let weights: Input
  @usableFromInline let weightGradients: Output?

  /// Describes row `y` from channel `c` on.
  @_alwaysEmitIntoClient @inline(always)
  package init(
    _ p: DepthwiseRowBackward,
    _ activation: Activation,
    _ weightGradients: Output?,
    y: Int,
    row: Input,
    to: Output,
    channel c: Int
  ) {
    self.p = p
    self.activation = activation
    self.y = y
    rows = p.outRows(y)
    self.row = row + c
    self.to = to + c
    ring = RowRing(base: p.ring.base + c, slots: p.ring.slots, rowFloats: p.ring.rowFloats)
    weights = p.weights + c
    self.weightGradients = weightGradients.map { $0 + c }
  }
}

/// See `depthwiseRowBackward`; `activation`, and whether `weightGradients` are wanted, are
/// constants where this is inlined.
@_alwaysEmitIntoClient @inline(always)
package func rowBackward<L: Lanes>(
  _: L.Type,
  _ p: DepthwiseRowBackward,
  _ activation: Activation,
  _ weightGradients: Output?,
  y: Int,
  row: Input,
  to: Output
) {
  var c = 0
  while c < blockWidth {
    let context = RowContext(p, activation, weightGradients, y: y, row: row, to: to, channel: c)
    var sums = RowSums<L.Vector>()
    var x = 0
    if p.stride == 1 && p.kernel == 3 {
      while x < p.count {
        backwardTile(L.self, context, kernel: 3, x, &sums)
        x += 4
      }
    } else if p.stride == 1 && p.kernel == 5 {
      while x < p.count {
        backwardTile(L.self, context, kernel: 5, x, &sums)
        x += 4
      }
    } else if p.stride == 2 && p.kernel == 3 {
      while x < p.count {
        backwardTileOfStride2(L.self, context, kernel: 3, x, &sums)
        x += 8
      }
    } else if p.stride == 2 && p.kernel == 5 {
      while x < p.count {
        backwardTileOfStride2(L.self, context, kernel: 5, x, &sums)
        x += 8
      }
    } else {
      while x < p.count {
        backwardPixel(L.self, context, x, &sums)
        x += 1
      }
    }
    p.sums.add(L.self, sums.sum, sums.product, at: c, L.count)
    c += L.count
  }
}

/// Four pixels with stride 1; `kernel` is a constant where this is inlined.
@_alwaysEmitIntoClient @inline(always)
package func backwardTile<L: Lanes>(
  _: L.Type,
  _ context: RowContext,
  kernel: Int,
  _ x: Int,
  _ sums: inout RowSums<L.Vector>
) {
  typealias V = L.Vector
  let activation = context.activation
  let n = context.p.count - x
  let at = context.row + x * blockWidth
  let to = context.to + x * blockWidth
  // Beyond the row the input counts as 0, and so does its activation.
  let r0 = L.load(at)
  let r1 = n > 1 ? L.load(at + blockWidth) : .zero
  let r2 = n > 2 ? L.load(at + 2 * blockWidth) : .zero
  let r3 = n > 3 ? L.load(at + 3 * blockWidth) : .zero
  let z0 = L.activate(r0, activation)
  let z1 = L.activate(r1, activation)
  let z2 = L.activate(r2, activation)
  let z3 = L.activate(r3, activation)
  var g0 = V.zero, g1 = V.zero, g2 = V.zero, g3 = V.zero
  var slot = context.ring.slot(context.rows.lowerBound)
  for q in context.rows {
    let ky = context.y + kernel / 2 - q
    let d = Input(context.ring.base + slot * context.ring.rowFloats) + x * blockWidth
    slot = context.ring.next(slot)
    let u0 = L.load(d)
    let u1 = L.load(d + blockWidth)
    let u2 = L.load(d + 2 * blockWidth)
    let u3 = L.load(d + 3 * blockWidth)
    let u4 = L.load(d + 4 * blockWidth)
    let u5 = L.load(d + 5 * blockWidth)
    let i = ky * kernel * blockWidth
    let w = context.weights + i
    let t = context.weightGradients.map { $0 + i }
    // Unrolled: weight k meets pixel j at u[j + K − 1 − k], for u[i] stands K/2 pixels before pixel
    // i.
    if kernel == 3 {
      tap(L.self, w, t, 2 * blockWidth, u0, z0, &g0, u1, z1, &g1)
      tap(L.self, w, t, 2 * blockWidth, u2, z2, &g2, u3, z3, &g3)
      tap(L.self, w, t, blockWidth, u1, z0, &g0, u2, z1, &g1)
      tap(L.self, w, t, blockWidth, u3, z2, &g2, u4, z3, &g3)
      tap(L.self, w, t, 0, u2, z0, &g0, u3, z1, &g1)
      tap(L.self, w, t, 0, u4, z2, &g2, u5, z3, &g3)
    } else {
      let u6 = L.load(d + 6 * blockWidth)
      let u7 = L.load(d + 7 * blockWidth)
      tap(L.self, w, t, 4 * blockWidth, u0, z0, &g0, u1, z1, &g1)
      tap(L.self, w, t, 4 * blockWidth, u2, z2, &g2, u3, z3, &g3)
      tap(L.self, w, t, 3 * blockWidth, u1, z0, &g0, u2, z1, &g1)
      tap(L.self, w, t, 3 * blockWidth, u3, z2, &g2, u4, z3, &g3)
      tap(L.self, w, t, 2 * blockWidth, u2, z0, &g0, u3, z1, &g1)
      tap(L.self, w, t, 2 * blockWidth, u4, z2, &g2, u5, z3, &g3)
      tap(L.self, w, t, blockWidth, u3, z0, &g0, u4, z1, &g1)
      tap(L.self, w, t, blockWidth, u5, z2, &g2, u6, z3, &g3)
      tap(L.self, w, t, 0, u4, z0, &g0, u5, z1, &g1)
      tap(L.self, w, t, 0, u6, z2, &g2, u7, z3, &g3)
    }
  }
  finish(L.self, g0, r0, activation, to, &sums)
  if n > 1 { finish(L.self, g1, r1, activation, to + blockWidth, &sums) }
  if n > 2 { finish(L.self, g2, r2, activation, to + 2 * blockWidth, &sums) }
  if n > 3 { finish(L.self, g3, r3, activation, to + 3 * blockWidth, &sums) }
}

/// Eight pixels with stride 2, of which even and odd ones meet different weights.
@_alwaysEmitIntoClient @inline(always)
package func backwardTileOfStride2<L: Lanes>(
  _: L.Type,
  _ context: RowContext,
  kernel: Int,
  _ x: Int,
  _ sums: inout RowSums<L.Vector>
) {
  typealias V = L.Vector
  let activation = context.activation
  let n = context.p.count - x
  let at = context.row + x * blockWidth
  let to = context.to + x * blockWidth
  let r0 = L.load(at)
  let r1 = n > 1 ? L.load(at + blockWidth) : .zero
  let r2 = n > 2 ? L.load(at + 2 * blockWidth) : .zero
  let r3 = n > 3 ? L.load(at + 3 * blockWidth) : .zero
  let r4 = n > 4 ? L.load(at + 4 * blockWidth) : .zero
  let r5 = n > 5 ? L.load(at + 5 * blockWidth) : .zero
  let r6 = n > 6 ? L.load(at + 6 * blockWidth) : .zero
  let r7 = n > 7 ? L.load(at + 7 * blockWidth) : .zero
  let z0 = L.activate(r0, activation)
  let z1 = L.activate(r1, activation)
  let z2 = L.activate(r2, activation)
  let z3 = L.activate(r3, activation)
  let z4 = L.activate(r4, activation)
  let z5 = L.activate(r5, activation)
  let z6 = L.activate(r6, activation)
  let z7 = L.activate(r7, activation)
  var g0 = V.zero, g1 = V.zero, g2 = V.zero, g3 = V.zero
  var g4 = V.zero, g5 = V.zero, g6 = V.zero, g7 = V.zero
  var slot = context.ring.slot(context.rows.lowerBound)
  for q in context.rows {
    let ky = context.y + kernel / 2 - 2 * q
    // Output pixel x/2 stands `kernel / 2` pixels into the row; the first one wanted is one before
    // it.
    let row = Input(context.ring.base + slot * context.ring.rowFloats)
    let d = row + (x / 2 + kernel / 2) * blockWidth
    slot = context.ring.next(slot)
    let u0 = L.load(d)
    let u1 = L.load(d + blockWidth)
    let u2 = L.load(d + 2 * blockWidth)
    let u3 = L.load(d + 3 * blockWidth)
    let u4 = L.load(d + 4 * blockWidth)
    let i = ky * kernel * blockWidth
    let w = context.weights + i
    let t = context.weightGradients.map { $0 + i }
    // Unrolled: weight k meets pixel j where j + K/2 − k is even, at u[(j + K/2 − k)/2].
    if kernel == 3 {
      tap(L.self, w, t, blockWidth, u0, z0, &g0, u1, z2, &g2)
      tap(L.self, w, t, blockWidth, u2, z4, &g4, u3, z6, &g6)
      tap(L.self, w, t, 0, u1, z1, &g1, u2, z3, &g3)
      tap(L.self, w, t, 0, u3, z5, &g5, u4, z7, &g7)
      tap(L.self, w, t, 2 * blockWidth, u0, z1, &g1, u1, z3, &g3)
      tap(L.self, w, t, 2 * blockWidth, u2, z5, &g5, u3, z7, &g7)
    } else {
      let before = L.load(d - blockWidth)
      tap(L.self, w, t, 0, u1, z0, &g0, u2, z2, &g2)
      tap(L.self, w, t, 0, u3, z4, &g4, u4, z6, &g6)
      tap(L.self, w, t, 2 * blockWidth, u0, z0, &g0, u1, z2, &g2)
      tap(L.self, w, t, 2 * blockWidth, u2, z4, &g4, u3, z6, &g6)
      tap(L.self, w, t, 4 * blockWidth, before, z0, &g0, u0, z2, &g2)
      tap(L.self, w, t, 4 * blockWidth, u1, z4, &g4, u2, z6, &g6)
      tap(L.self, w, t, blockWidth, u1, z1, &g1, u2, z3, &g3)
      tap(L.self, w, t, blockWidth, u3, z5, &g5, u4, z7, &g7)
      tap(L.self, w, t, 3 * blockWidth, u0, z1, &g1, u1, z3, &g3)
      tap(L.self, w, t, 3 * blockWidth, u2, z5, &g5, u3, z7, &g7)
    }
  }
  finish(L.self, g0, r0, activation, to, &sums)
  if n > 1 { finish(L.self, g1, r1, activation, to + blockWidth, &sums) }
  if n > 2 { finish(L.self, g2, r2, activation, to + 2 * blockWidth, &sums) }
  if n > 3 { finish(L.self, g3, r3, activation, to + 3 * blockWidth, &sums) }
  if n > 4 { finish(L.self, g4, r4, activation, to + 4 * blockWidth, &sums) }
  if n > 5 { finish(L.self, g5, r5, activation, to + 5 * blockWidth, &sums) }
  if n > 6 { finish(L.self, g6, r6, activation, to + 6 * blockWidth, &sums) }
  if n > 7 { finish(L.self, g7, r7, activation, to + 7 * blockWidth, &sums) }
}

/// One pixel, for any kernel and stride.
@_alwaysEmitIntoClient @inline(always)
package func backwardPixel<L: Lanes>(
  _: L.Type,
  _ context: RowContext,
  _ x: Int,
  _ sums: inout RowSums<L.Vector>
) {
  let p = context.p
  let activation = context.activation
  let at = context.row + x * blockWidth
  let to = context.to + x * blockWidth
  let r = L.load(at)
  let z = L.activate(r, activation)
  let padding = p.kernel / 2
  var g = L.Vector.zero
  for q in context.rows {
    let ky = context.y + padding - q * p.stride
    for kx in 0..<p.kernel where x + padding >= kx && (x + padding - kx) % p.stride == 0 {
      // Beyond the output's width stands a row's zero slack, or nothing at all.
      let ox = (x + padding - kx) / p.stride
      if ox >= (p.count - 1) / p.stride + 1 { continue }
      let u = L.load(Input(context.ring[q]) + (ox + padding) * blockWidth)
      let i = (ky * p.kernel + kx) * blockWidth
      g = L.fma(L.load(context.weights + i), u, g)
      if let weightGradients = context.weightGradients {
        L.store(L.fma(z, u, L.load(weightGradients + i)), weightGradients + i)
      }
    }
  }
  finish(L.self, g, r, activation, to, &sums)
}

/// One weight, `at` floats on, over two pixels: g += w·u for each, and its own gradient gains Σ
/// z·u.
@_alwaysEmitIntoClient @inline(always)
package func tap<L: Lanes>(
  _: L.Type,
  _ w: Input,
  _ gradient: Output?,
  _ at: Int,
  _ u0: L.Vector,
  _ z0: L.Vector,
  _ g0: inout L.Vector,
  _ u1: L.Vector,
  _ z1: L.Vector,
  _ g1: inout L.Vector
) {
  let weight = L.load(w + at)
  g0 = L.fma(weight, u0, g0)
  g1 = L.fma(weight, u1, g1)
  guard let gradient else { return }
  L.store(L.fma(z1, u1, L.fma(z0, u0, L.load(gradient + at))), gradient + at)
}

/// Stores the gradient before the activation and adds it to the sums.
@_alwaysEmitIntoClient @inline(always)
package func finish<L: Lanes>(
  _: L.Type,
  _ g: L.Vector,
  _ r: L.Vector,
  _ activation: Activation,
  _ to: Output,
  _ sums: inout RowSums<L.Vector>
) {
  let gradient = L.activationGradient(g, at: r, activation)
  L.store(gradient, to)
  sums.sum += gradient
  sums.product = L.fma(gradient, r, sums.product)
}
