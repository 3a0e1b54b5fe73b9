/// A depthwise convolution of the inference path over planes of 16 channels.
///
/// The planes are rings of rows with a zero border, [planes, slots, row, 16]: padded row r of the
/// image stands in slot r mod `slots`.
@usableFromInline
package struct InferenceDepthwise {
  /// First element of plane 0.
  @usableFromInline package var ring: Input
  /// Rows in a plane.
  @usableFromInline package var slots: Int
  /// Floats of a padded row of a plane.
  @usableFromInline package var rowFloats: Int
  /// How many planes.
  @usableFromInline package var planes: Int
  /// Side of the window.
  @usableFromInline package var kernel: Int
  /// Step of the window.
  @usableFromInline package var stride: Int
  /// Output pixels of a row.
  @usableFromInline package var outWidth: Int
  /// [planes, k · k, 16].
  @usableFromInline package var weights: Input
  /// [planes, 16].
  @usableFromInline package var bias: Input
  /// What follows the sum.
  @usableFromInline package var activation: Activation
  /// Floats from one plane of the output to the next; rows of `outWidth` pixels follow one another.
  @usableFromInline package var outPlane: Int

  /// Describes a depthwise convolution.
  @inlinable
  package init(
    ring: Input,
    slots: Int,
    rowFloats: Int,
    planes: Int,
    kernel: Int,
    stride: Int,
    outWidth: Int,
    weights: Input,
    bias: Input,
    activation: Activation,
    outPlane: Int
  ) {
    self.ring = ring
    self.slots = slots
    self.rowFloats = rowFloats
    self.planes = planes
    self.kernel = kernel
    self.stride = stride
    self.outWidth = outWidth
    self.weights = weights
    self.bias = bias
    self.activation = activation
    self.outPlane = outPlane
  }
}

/// `rows` output rows to `out`; the window of the first begins with padded row `first`.
@inlinable @inline(always)
package func inferenceDepthwise<L: Lanes>(
  _: L.Type,
  _ p: InferenceDepthwise,
  first: Int,
  rows: Int,
  out: Output
) {
  // The kernels and strides of the search spaces get loops of their own, unrolled over the weights.
  switch (p.kernel, p.stride) {
  case (3, 1): windows(L.self, 3, 1, p, first, rows, out)
  case (3, 2): windows(L.self, 3, 2, p, first, rows, out)
  case (5, 1): windows(L.self, 5, 1, p, first, rows, out)
  case (5, 2): windows(L.self, 5, 2, p, first, rows, out)
  default: windows(L.self, p.kernel, p.stride, p, first, rows, out)
  }
}

/// See `inferenceDepthwise`; `kernel` and `stride` are constants where they are common.
@inlinable @inline(always)
package func windows<L: Lanes>(
  _: L.Type,
  _ kernel: Int,
  _ stride: Int,
  _ p: InferenceDepthwise,
  _ first: Int,
  _ rows: Int,
  _ out: Output
) {
  // The number of pixels at a time that wastes least; the last group of a row goes back over the
  // one before it, to the same values.
  let width = p.outWidth
  let by8 = (width + 7) / 8 * 8
  let by7 = (width + 6) / 7 * 7
  let by4 = (width + 3) / 4 * 4
  for plane in 0..<p.planes {
    var c = 0
    while c < 16 {
      let weights = p.weights + plane * kernel * kernel * 16 + c
      let bias = L.load(p.bias + plane * 16 + c)
      let from = p.ring + plane * p.slots * p.rowFloats + c
      let to = out + plane * p.outPlane + c
      var slot = first % p.slots
      for r in 0..<rows {
        let y = to + r * width * 16
        if width < 4 {
          for x in 0..<width {
            window(L.self, kernel, stride, 1, p, from, slot, x, weights, bias, y)
          }
        } else if width >= 8 && by8 <= by7 && by8 <= by4 {
          var x = 0
          while x < width {
            window(L.self, kernel, stride, 8, p, from, slot, min(x, width - 8), weights, bias, y)
            x += 8
          }
        } else if width >= 7 && by7 <= by4 {
          var x = 0
          while x < width {
            window(L.self, kernel, stride, 7, p, from, slot, min(x, width - 7), weights, bias, y)
            x += 7
          }
        } else {
          var x = 0
          while x < width {
            window(L.self, kernel, stride, 4, p, from, slot, min(x, width - 4), weights, bias, y)
            x += 4
          }
        }
        slot += stride
        if slot >= p.slots { slot -= p.slots }
      }
      c += L.count
    }
  }
}

/// `pixels` output pixels, a constant, of one vector of channels, from pixel `x` of the row `out`
/// on.
@inlinable @inline(always)
package func window<L: Lanes>(
  _: L.Type,
  _ kernel: Int,
  _ stride: Int,
  _ pixels: Int,
  _ p: InferenceDepthwise,
  _ from: Input,
  _ slot: Int,
  _ x: Int,
  _ weights: Input,
  _ bias: L.Vector,
  _ out: Output
) {
  var y0 = bias, y1 = bias, y2 = bias, y3 = bias
  var y4 = bias, y5 = bias, y6 = bias, y7 = bias
  let step = stride * 16
  var slot = slot
  for ky in 0..<kernel {
    let row = from + slot * p.rowFloats + x * step
    for kx in 0..<kernel {
      let w = L.load(weights + (ky * kernel + kx) * 16)
      let at = row + kx * 16
      y0 = L.fma(w, L.load(at), y0)
      if pixels > 1 { y1 = L.fma(w, L.load(at + step), y1) }
      if pixels > 2 { y2 = L.fma(w, L.load(at + 2 * step), y2) }
      if pixels > 3 { y3 = L.fma(w, L.load(at + 3 * step), y3) }
      if pixels > 4 { y4 = L.fma(w, L.load(at + 4 * step), y4) }
      if pixels > 5 { y5 = L.fma(w, L.load(at + 5 * step), y5) }
      if pixels > 6 { y6 = L.fma(w, L.load(at + 6 * step), y6) }
      if pixels > 7 { y7 = L.fma(w, L.load(at + 7 * step), y7) }
    }
    slot += 1
    if slot == p.slots { slot = 0 }
  }
  let to = out + x * 16
  let f = p.activation
  L.store(L.activate(y0, f), to)
  if pixels > 1 { L.store(L.activate(y1, f), to + 16) }
  if pixels > 2 { L.store(L.activate(y2, f), to + 32) }
  if pixels > 3 { L.store(L.activate(y3, f), to + 48) }
  if pixels > 4 { L.store(L.activate(y4, f), to + 64) }
  if pixels > 5 { L.store(L.activate(y5, f), to + 80) }
  if pixels > 6 { L.store(L.activate(y6, f), to + 96) }
  if pixels > 7 { L.store(L.activate(y7, f), to + 112) }
}

/// Copies `pixels` rows of `channels` floats, `stride` apart, to a plane of 16 each, zero beyond
/// them.
@inlinable @inline(always)
package func spreadChannels<L: Lanes>(
  _: L.Type,
  pixels: Int,
  channels: Int,
  from: Input,
  stride: Int,
  to: Output,
  plane: Int
) {
  for x in 0..<pixels {
    var c = 0
    while c < channels {
      let valid = max(0, min(L.count, channels - c))
      L.store(L.load(from + x * stride + c, valid), to + c / 16 * plane + x * 16 + c % 16)
      c += L.count
    }
    // A narrow vector leaves part of the last plane.
    while c % 16 != 0 {
      L.store(.zero, to + c / 16 * plane + x * 16 + c % 16)
      c += L.count
    }
  }
}

/// The kernels of the inference path of one instruction set.
@usableFromInline
package struct InferenceKernels: Sendable {
  /// See `Kernels.inferenceProduct`: what, first column, last, A, shortcut, C.
  package var product: @Sendable (InferenceProduct, Int, Int, Input, Input?, Output) -> Void
  /// See `Kernels.inferenceDepthwise`: what, first padded row, rows, out.
  package var depthwise: @Sendable (InferenceDepthwise, Int, Int, Output) -> Void
  /// See `Kernels.spreadChannels`: pixels, channels, from, stride, to, plane.
  package var spread: @Sendable (Int, Int, Input, Int, Output, Int) -> Void

  /// Gathers the kernels.
  @usableFromInline
  package init(
    product: @escaping @Sendable (InferenceProduct, Int, Int, Input, Input?, Output) -> Void,
    depthwise: @escaping @Sendable (InferenceDepthwise, Int, Int, Output) -> Void,
    spread: @escaping @Sendable (Int, Int, Input, Int, Output, Int) -> Void
  ) {
    self.product = product
    self.depthwise = depthwise
    self.spread = spread
  }
}

/// The inference path's kernels over the lanes `L`; see `kernelTable`.
@inlinable @inline(always)
package func inferenceKernels<L: Lanes>(_: L.Type) -> InferenceKernels {
  InferenceKernels(
    product: {
      inferenceProduct(L.self, $0, first: $1, last: $2, a: $3, shortcut: $4, c: $5)
    },
    depthwise: { inferenceDepthwise(L.self, $0, first: $1, rows: $2, out: $3) },
    spread: {
      spreadChannels(
        L.self,
        pixels: $0,
        channels: $1,
        from: $2,
        stride: $3,
        to: $4,
        plane: $5
      )
    }
  )
}
