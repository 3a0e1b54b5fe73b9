/// Pixels of the inference path, as rows of whole vectors.
@usableFromInline
package struct InferenceRows {
  /// The first pixel.
  @usableFromInline package var base: Input
  /// Floats from one pixel to the next.
  @usableFromInline package var stride: Int
  /// Channels of a pixel, whole vectors.
  @usableFromInline package var channels: Int
  /// Pixels.
  @usableFromInline package var count: Int

  /// Describes rows.
  @_alwaysEmitIntoClient
  package init(base: Input, stride: Int, channels: Int, count: Int) {
    self.base = base
    self.stride = stride
    self.channels = channels
    self.count = count
  }
}

/// The mean of every channel over all rows.
@_alwaysEmitIntoClient @inline(always)
package func inferenceMean<L: Lanes>(_: L.Type, _ rows: InferenceRows, out: Output) {
  let factor = L.Vector(repeating: 1 / Float(rows.count))
  let step = rows.stride
  var c = 0
  while c < rows.channels {
    // Four sums, so that an addition need not wait for the one before.
    var s0 = L.Vector.zero, s1 = L.Vector.zero, s2 = L.Vector.zero, s3 = L.Vector.zero
    var x = rows.base + c
    var r = 0
    while r + 4 <= rows.count {
      s0 += L.load(x)
      s1 += L.load(x + step)
      s2 += L.load(x + 2 * step)
      s3 += L.load(x + 3 * step)
      x += 4 * step
      r += 4
    }
    while r < rows.count {
      s0 += L.load(x)
      x += step
      r += 1
    }
    L.store(((s0 + s1) + (s2 + s3)) * factor, out + c)
    c += L.count
  }
}

/// out = rows · hsigmoid(gate) (+ shortcut), all three laid out like the rows; `out` may be the
/// rows themselves.
@_alwaysEmitIntoClient @inline(always)
package func inferenceGate<L: Lanes>(
  _: L.Type,
  _ rows: InferenceRows,
  by gate: Input,
  shortcut: Input?,
  out: Output
) {
  var c = 0
  while c < rows.channels {
    let factor = L.clamp(L.load(gate + c) + 3, 0, 6) * L.Vector(repeating: 1 / 6)
    var at = c
    for _ in 0..<rows.count {
      let x = L.load(rows.base + at)
      if let shortcut {
        L.store(L.fma(x, factor, L.load(shortcut + at)), out + at)
      } else {
        L.store(x * factor, out + at)
      }
      at += rows.stride
    }
    c += L.count
  }
}
