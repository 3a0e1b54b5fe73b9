/// A depthwise convolution of one image: geometry, input and filter.
@usableFromInline
package struct Depthwise {
  /// Input pixels of the image, with the deferred normalisation.
  @usableFromInline package var source: RowSource
  /// Geometry; `source.patches` is not used.
  @usableFromInline package var geometry: Patches
  /// Filter [k, k, channels].
  @usableFromInline package var filter: Input
  /// Where each input pixel stands among the rows of `source`; nil where they follow one another.
  @usableFromInline package var pixels: UnsafePointer<Int32>?

  /// Describes a depthwise convolution.
  @_alwaysEmitIntoClient
  package init(
    source: RowSource,
    geometry: Patches,
    filter: Input,
    pixels: UnsafePointer<Int32>? = nil
  ) {
    self.source = source
    self.geometry = geometry
    self.filter = filter
    self.pixels = pixels
  }

  /// Floats from the first row of `source` to that of an input pixel.
  @_alwaysEmitIntoClient @inline(always)
  package func offset(_ pixel: Int) -> Int {
    let row = if let pixels { Int(pixels[pixel]) } else { pixel }
    return row * source.stride
  }

  /// Output rows done at a time, so that the transformed input rows stay in the second-level cache.
  @_alwaysEmitIntoClient @inline(always)
  package func band(rowFloats: Int, halo: Int, stride: Int) -> Int {
    max(1, (96 * 1024 / max(1, rowFloats) - halo) / stride)
  }

  /// Floats of workspace, forward and backward, for any table.
  @_alwaysEmitIntoClient
  package var workspaceFloats: Int {
    let g = geometry
    let row =
      (max(g.width, (g.outWidth - 1) * g.stride + 1) + 2 * g.kernel) * (source.channels + 16)
    let rows = max(96 * 1024 / row + 2 * g.kernel + g.stride, g.kernel + g.stride)
    return (rows + 1) * row + source.channels + 16 + 2 * g.kernel * g.kernel * 16
  }
}

/// The forward pass of a depthwise convolution over one image.
@usableFromInline
package struct DepthwiseForward {
  /// Input, geometry and filter.
  @usableFromInline package var convolution: Depthwise
  /// The image's first output pixel, pixels of C floats.
  @usableFromInline package var out: Output
  /// Gain Σ y and Σ y²; nil where no normalisation wants them.
  @usableFromInline package var sums: PartialSums?

  /// Describes the work.
  @_alwaysEmitIntoClient
  package init(convolution: Depthwise, out: Output, sums: PartialSums?) {
    self.convolution = convolution
    self.out = out
    self.sums = sums
  }
}

/// One image forward.
///
/// The input band is transformed into planes of one vector of channels with a zero border, which a
/// plain sliding loop then reads: the border costs no test, and every element is normalised about
/// once.
@_alwaysEmitIntoClient @inline(always)
package func depthwise<L: Lanes>(_: L.Type, _ job: DepthwiseForward, workspace: Output) {
  let p = job.convolution
  let g = p.geometry
  let channels = p.source.channels
  let vectors = (channels + L.count - 1) / L.count
  let rowWidth = (g.outWidth - 1) * g.stride + g.kernel
  let rowFloats = rowWidth * L.count
  let band = p.band(rowFloats: rowFloats * vectors, halo: g.kernel, stride: g.stride)
  let line = workspace
  let weights = line + L.padded(channels)
  let planes = weights + g.kernel * g.kernel * L.count
  var oy0 = 0
  while oy0 < g.outHeight {
    let rows = min(band, g.outHeight - oy0)
    let inRows = (rows - 1) * g.stride + g.kernel
    let planeFloats = inRows * rowFloats
    for r in 0..<inRows {
      let y = oy0 * g.stride + r - g.padding
      let to = planes + r * rowFloats
      for x in 0..<rowWidth {
        let ix = x - g.padding
        if y >= 0 && y < g.height && ix >= 0 && ix < g.width {
          loadRow(
            L.self,
            p.source,
            from: p.source.base + p.offset(y * g.width + ix),
            into: line
          )
          for v in 0..<vectors {
            L.store(L.load(line + v * L.count), to + v * planeFloats + x * L.count)
          }
        } else {
          for v in 0..<vectors { L.store(.zero, to + v * planeFloats + x * L.count) }
        }
      }
    }
    for v in 0..<vectors {
      let c = v * L.count
      let width = min(L.count, channels - c)
      for i in 0..<g.kernel * g.kernel {
        L.store(L.load(p.filter + i * channels + c, width), weights + i * L.count)
      }
      var sum = L.Vector.zero
      var square = L.Vector.zero
      for r in 0..<rows {
        let from = planes + v * planeFloats + r * g.stride * rowFloats
        let to = job.out + ((oy0 + r) * g.outWidth) * channels + c
        let ahead = r + 1 < rows ? g.outWidth * channels : 0
        var ox = 0
        while ox + 4 <= g.outWidth {
          var y0 = L.Vector.zero, y1 = L.Vector.zero, y2 = L.Vector.zero, y3 = L.Vector.zero
          let step = g.stride * L.count
          var f = Input(weights)
          for ky in 0..<g.kernel {
            var at = from + ky * rowFloats + ox * step
            for _ in 0..<g.kernel {
              let w = L.load(f)
              y0 = L.fma(w, L.load(at), y0)
              y1 = L.fma(w, L.load(at + step), y1)
              y2 = L.fma(w, L.load(at + 2 * step), y2)
              y3 = L.fma(w, L.load(at + 3 * step), y3)
              at += L.count
              f += L.count
            }
          }
          // A pass writes one line of each pixel, which the processor does not foresee.
          if ahead > 0 {
            for x in ox..<ox + 4 { prefetch(to + ahead + x * channels) }
          }
          L.store(y0, to + ox * channels, width)
          L.store(y1, to + (ox + 1) * channels, width)
          L.store(y2, to + (ox + 2) * channels, width)
          L.store(y3, to + (ox + 3) * channels, width)
          sum += (y0 + y1) + (y2 + y3)
          square = L.fma(y0, y0, square)
          square = L.fma(y1, y1, square)
          square = L.fma(y2, y2, square)
          square = L.fma(y3, y3, square)
          ox += 4
        }
        while ox < g.outWidth {
          var y = L.Vector.zero
          var f = Input(weights)
          for ky in 0..<g.kernel {
            var at = from + ky * rowFloats + ox * g.stride * L.count
            for _ in 0..<g.kernel {
              y = L.fma(L.load(f), L.load(at), y)
              at += L.count
              f += L.count
            }
          }
          L.store(y, to + ox * channels, width)
          sum += y
          square = L.fma(y, y, square)
          ox += 1
        }
      }
      job.sums?.add(L.self, sum, square, at: c, width)
    }
    oy0 += rows
  }
}
