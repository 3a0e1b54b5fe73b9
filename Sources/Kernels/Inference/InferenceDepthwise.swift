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
  /// Floats from one plane of the output to the next.
  @usableFromInline package var outPlane: Int
  /// Floats from one pixel of the output to the next; rows of `outWidth` pixels follow one another.
  @usableFromInline package var outPixel: Int

  /// Describes a depthwise convolution.
  @_alwaysEmitIntoClient
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
    outPlane: Int,
    outPixel: Int
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
    self.outPixel = outPixel
  }
}

/// The output rows `rows`, the first of them to the beginning of `out`.
@_alwaysEmitIntoClient @inline(always)
package func inferenceDepthwise<L: Lanes>(
  _: L.Type,
  _ p: InferenceDepthwise,
  rows: Range<Int>,
  out: Output
) {
  // The kernels and strides of the search spaces get loops of their own, unrolled over the weights.
  switch (p.kernel, p.stride) {
  case (3, 1): windows(L.self, 3, 1, p, rows, out)
  case (3, 2): windows(L.self, 3, 2, p, rows, out)
  case (5, 1): windows(L.self, 5, 1, p, rows, out)
  case (5, 2): windows(L.self, 5, 2, p, rows, out)
  default: windows(L.self, p.kernel, p.stride, p, rows, out)
  }
}

/// See `inferenceDepthwise`; `kernel` and `stride` are constants where they are common.
@_alwaysEmitIntoClient @inline(always)
package func windows<L: Lanes>(
  _: L.Type,
  _ kernel: Int,
  _ stride: Int,
  _ p: InferenceDepthwise,
  _ rows: Range<Int>,
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
      var row = WindowRow(
        L.self,
        ring: p.ring + plane * p.slots * p.rowFloats + c,
        slot: rows.lowerBound * stride % p.slots,
        weights: p.weights + plane * kernel * kernel * 16 + c,
        bias: L.load(p.bias + plane * 16 + c),
        out: out + plane * p.outPlane + c
      )
      for _ in rows {
        if width < 4 {
          for x in 0..<width {
            window(kernel, stride, pixels: 1, p, row, at: x)
          }
        } else if width >= 8 && by8 <= by7 && by8 <= by4 {
          var x = 0
          while x < width {
            window(kernel, stride, pixels: 8, p, row, at: min(x, width - 8))
            x += 8
          }
        } else if width >= 7 && by7 <= by4 {
          var x = 0
          while x < width {
            window(kernel, stride, pixels: 7, p, row, at: min(x, width - 7))
            x += 7
          }
        } else {
          var x = 0
          while x < width {
            window(kernel, stride, pixels: 4, p, row, at: min(x, width - 4))
            x += 4
          }
        }
        row.slot += stride
        if row.slot >= p.slots { row.slot -= p.slots }
        row.out += width * p.outPixel
      }
      c += L.count
    }
  }
}

/// An output row of one vector of channels.
@usableFromInline
package struct WindowRow<L: Lanes> {
  /// Slot 0 of the plane.
  @usableFromInline let ring: Input
  /// The slot of the window's first row.
  @usableFromInline var slot: Int
  /// [k · k, 16].
  @usableFromInline let weights: Input
  /// What each sum begins with.
  @usableFromInline let bias: L.Vector
  /// The row's first pixel.
  @usableFromInline var out: Output

  /// Describes a row.
  @_alwaysEmitIntoClient @inline(always)
  package init(
    _: L.Type,
    ring: Input,
    slot: Int,
    weights: Input,
    bias: L.Vector,
    out: Output
  ) {
    self.ring = ring
    self.slot = slot
    self.weights = weights
    self.bias = bias
    self.out = out
  }
}

/// `pixels` output pixels, from pixel `x` of the row on; `kernel`, `stride` and `pixels` are
/// constants where they are common.
@_alwaysEmitIntoClient @inline(always)
package func window<L: Lanes>(
  _ kernel: Int,
  _ stride: Int,
  pixels: Int,
  _ p: InferenceDepthwise,
  _ row: WindowRow<L>,
  at x: Int
) {
  let bias = row.bias
  var y0 = bias, y1 = bias, y2 = bias, y3 = bias
  var y4 = bias, y5 = bias, y6 = bias, y7 = bias
  let step = stride * 16
  var slot = row.slot
  for ky in 0..<kernel {
    let from = row.ring + slot * p.rowFloats + x * step
    for kx in 0..<kernel {
      let w = L.load(row.weights + (ky * kernel + kx) * 16)
      let at = from + kx * 16
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
  let apart = p.outPixel
  let to = row.out + x * apart
  let f = p.activation
  L.store(L.activate(y0, f), to)
  if pixels > 1 { L.store(L.activate(y1, f), to + apart) }
  if pixels > 2 { L.store(L.activate(y2, f), to + 2 * apart) }
  if pixels > 3 { L.store(L.activate(y3, f), to + 3 * apart) }
  if pixels > 4 { L.store(L.activate(y4, f), to + 4 * apart) }
  if pixels > 5 { L.store(L.activate(y5, f), to + 5 * apart) }
  if pixels > 6 { L.store(L.activate(y6, f), to + 6 * apart) }
  if pixels > 7 { L.store(L.activate(y7, f), to + 7 * apart) }
}

/// Rows of channels that become planes of 16.
@usableFromInline
package struct ChannelSpread {
  /// Floats of a row.
  @usableFromInline package var channels: Int
  /// The first row.
  @usableFromInline package var source: Input
  /// Floats from row to row.
  @usableFromInline package var stride: Int
  /// The first plane, 16 floats a row.
  @usableFromInline package var out: Output
  /// Floats from plane to plane.
  @usableFromInline package var plane: Int

  /// Describes the work.
  @_alwaysEmitIntoClient
  package init(channels: Int, source: Input, stride: Int, out: Output, plane: Int) {
    self.channels = channels
    self.source = source
    self.stride = stride
    self.out = out
    self.plane = plane
  }
}

/// Copies `pixels` rows to planes, which are zero beyond the channels.
@_alwaysEmitIntoClient @inline(always)
package func spreadChannels<L: Lanes>(_: L.Type, _ p: ChannelSpread, pixels: Int) {
  for x in 0..<pixels {
    var c = 0
    while c < p.channels {
      let valid = max(0, min(L.count, p.channels - c))
      let row = p.source + x * p.stride
      L.store(L.load(row + c, valid), p.out + c / 16 * p.plane + x * 16 + c % 16)
      c += L.count
    }
    // A narrow vector leaves part of the last plane.
    while c % 16 != 0 {
      L.store(.zero, p.out + c / 16 * p.plane + x * 16 + c % 16)
      c += L.count
    }
  }
}
