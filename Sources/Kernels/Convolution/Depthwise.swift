/// A depthwise convolution of one image: geometry, input and filter.
@usableFromInline
package struct Depthwise {
  /// Input pixels of the image, with the deferred normalisation.
  @usableFromInline package var source: RowSource
  /// Geometry; `source.patches` is not used.
  @usableFromInline package var geometry: Patches
  /// Filter [k, k, channels].
  @usableFromInline package var filter: Input

  /// Describes a depthwise convolution.
  @inlinable
  package init(source: RowSource, geometry: Patches, filter: Input) {
    self.source = source
    self.geometry = geometry
    self.filter = filter
  }

  /// Output rows done at a time, so that the transformed input rows stay in the second-level cache.
  @inlinable @inline(always)
  package func band(rowFloats: Int, halo: Int, stride: Int) -> Int {
    max(1, (96 * 1024 / max(1, rowFloats) - halo) / stride)
  }

  /// Floats of workspace, forward and backward, for any table.
  @inlinable
  package var workspaceFloats: Int {
    let g = geometry
    let row =
      (max(g.width, (g.outWidth - 1) * g.stride + 1) + 2 * g.kernel) * (source.channels + 16)
    let rows = max(96 * 1024 / row + 2 * g.kernel + g.stride, g.kernel + g.stride)
    return (rows + 1) * row + source.channels + 16 + 2 * g.kernel * g.kernel * 16
  }
}

/// One image forward.
///
/// `out` is its first output pixel (pixels of `channels` floats). Adds Σ y and Σ y².
///
/// The input band is transformed into planes of one vector of channels with a zero border, which a
/// plain sliding loop then reads: the border costs no test, and every element is normalised about
/// once.
@inlinable @inline(always)
package func depthwise<L: Lanes>(
  _: L.Type,
  _ p: Depthwise,
  out: Output,
  sums: Output?,
  squares: Output?,
  workspace: Output
) {
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
            from: p.source.base + (y * g.width + ix) * p.source.stride,
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
        let to = out + ((oy0 + r) * g.outWidth) * channels + c
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
      if let sums, let squares {
        L.store(L.load(sums + c, width) + sum, sums + c, width)
        L.store(L.load(squares + c, width) + square, squares + c, width)
      }
    }
    oy0 += rows
  }
}

/// The backward pass of a depthwise convolution over one image.
@usableFromInline
package struct DepthwiseBackward {
  /// Input, geometry and filter.
  @usableFromInline package var forward: Depthwise
  /// The image's output pixels.
  @usableFromInline package var gradient: GradientSource
  /// The image's first pixel of the input gradient, or nil.
  @usableFromInline package var out: Output?
  /// Whether the input gradient is added to what is there.
  @usableFromInline package var accumulate: Bool
  /// [K, K, C], added to, or nil.
  @usableFromInline package var filterGradient: Output?
  /// Gains Σ g of the input gradient, [C], or nil.
  @usableFromInline package var sums: Output?
  /// Gains Σ g·x, [C], or nil.
  @usableFromInline package var products: Output?

  /// Describes the work.
  @inlinable
  package init(
    forward: Depthwise,
    gradient: GradientSource,
    out: Output?,
    accumulate: Bool,
    filterGradient: Output?,
    sums: Output?,
    products: Output?
  ) {
    self.forward = forward
    self.gradient = gradient
    self.out = out
    self.accumulate = accumulate
    self.filterGradient = filterGradient
    self.sums = sums
    self.products = products
  }
}

/// One image backward: filter gradient and input gradient from one pass.
///
/// The raw output's gradient is spread with zeros between (stride) into planes U with a border, so
/// that both gradients are plain sliding sums over U: dz[y, x] = Σ w[ky, kx]·U[y + k−1−ky, x +
/// k−1−kx] and dw[ky, kx] = Σ z[y, x]·U[y + k−1−ky, x + k−1−kx].
@inlinable @inline(always)
package func depthwiseBackward<L: Lanes>(
  _: L.Type,
  _ job: DepthwiseBackward,
  workspace: Output
) {
  let p = job.forward
  let gradient = job.gradient
  let accumulate = job.accumulate
  let g = p.geometry
  let channels = p.source.channels
  let vectors = (channels + L.count - 1) / L.count
  let rowWidth = g.width + g.kernel - 1
  let rowFloats = rowWidth * L.count
  let band = p.band(rowFloats: rowFloats * vectors, halo: g.kernel, stride: 1)
  let offset = g.kernel - 1 - g.padding
  let line = workspace
  let weights = line + L.padded(channels)
  let weightGradients = weights + g.kernel * g.kernel * L.count
  let planes = weightGradients + g.kernel * g.kernel * L.count
  let activation = p.source.scale == nil ? Activation.none : p.source.activation
  var y0 = 0
  while y0 < g.height {
    let rows = min(band, g.height - y0)
    let inRows = rows + g.kernel - 1
    let planeFloats = inRows * rowFloats
    for r in 0..<inRows {
      let to = planes + r * rowFloats
      let u = y0 + r - offset
      let oy = u / g.stride
      let rowHolds = u >= 0 && u % g.stride == 0 && oy < g.outHeight
      for x in 0..<rowWidth {
        let t = x - offset
        let ox = t / g.stride
        if rowHolds && t >= 0 && t % g.stride == 0 && ox < g.outWidth {
          loadGradientRow(
            L.self,
            gradient,
            at: (oy * g.outWidth + ox) * gradient.stride,
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
        L.store(.zero, weightGradients + i * L.count)
      }
      let scale = if let s = p.source.scale { L.load(s + c, width) } else { L.Vector(repeating: 1) }
      let shift = if let s = p.source.shift { L.load(s + c, width) } else { L.Vector.zero }
      var sum = L.Vector.zero
      var product = L.Vector.zero
      for r in 0..<rows {
        let from = planes + v * planeFloats + r * rowFloats
        let pixel = (y0 + r) * g.width
        let x = p.source.base + pixel * p.source.stride + c
        var ix = 0
        while ix < g.width {
          // Four pixels at a time; beyond the row they read the border and count for nothing.
          let n = min(4, g.width - ix)
          let step = p.source.stride
          let r0 = L.load(x + ix * step, width)
          let r1 = n > 1 ? L.load(x + (ix + 1) * step, width) : .zero
          let r2 = n > 2 ? L.load(x + (ix + 2) * step, width) : .zero
          let r3 = n > 3 ? L.load(x + (ix + 3) * step, width) : .zero
          let p0 = L.fma(r0, scale, shift)
          let p1 = L.fma(r1, scale, shift)
          let p2 = L.fma(r2, scale, shift)
          let p3 = L.fma(r3, scale, shift)
          let z0 = L.activate(p0, activation)
          let z1 = n > 1 ? L.activate(p1, activation) : .zero
          let z2 = n > 2 ? L.activate(p2, activation) : .zero
          let z3 = n > 3 ? L.activate(p3, activation) : .zero
          var g0 = L.Vector.zero, g1 = L.Vector.zero, g2 = L.Vector.zero, g3 = L.Vector.zero
          let k = g.kernel
          for ky in 0..<k {
            for kx in 0..<k {
              let at = from + (k - 1 - ky) * rowFloats + (ix + k - 1 - kx) * L.count
              let index = (ky * k + kx) * L.count
              let w = L.load(weights + index)
              let u0 = L.load(at)
              let u1 = n > 1 ? L.load(at + L.count) : .zero
              let u2 = n > 2 ? L.load(at + 2 * L.count) : .zero
              let u3 = n > 3 ? L.load(at + 3 * L.count) : .zero
              g0 = L.fma(w, u0, g0)
              g1 = L.fma(w, u1, g1)
              g2 = L.fma(w, u2, g2)
              g3 = L.fma(w, u3, g3)
              let even = L.fma(z2, u2, L.fma(z0, u0, L.load(weightGradients + index)))
              let odd = L.fma(z3, u3, z1 * u1)
              L.store(even + odd, weightGradients + index)
            }
          }
          if let out = job.out {
            let to = out + (pixel + ix) * p.source.stride + c
            g0 = L.activationGradient(g0, at: p0, activation)
            g1 = L.activationGradient(g1, at: p1, activation)
            g2 = L.activationGradient(g2, at: p2, activation)
            g3 = L.activationGradient(g3, at: p3, activation)
            L.store(accumulate ? L.load(to, width) + g0 : g0, to, width)
            sum += g0
            product = L.fma(g0, r0, product)
            if n > 1 {
              L.store(accumulate ? L.load(to + step, width) + g1 : g1, to + step, width)
              sum += g1
              product = L.fma(g1, r1, product)
            }
            if n > 2 {
              L.store(accumulate ? L.load(to + 2 * step, width) + g2 : g2, to + 2 * step, width)
              sum += g2
              product = L.fma(g2, r2, product)
            }
            if n > 3 {
              L.store(accumulate ? L.load(to + 3 * step, width) + g3 : g3, to + 3 * step, width)
              sum += g3
              product = L.fma(g3, r3, product)
            }
          }
          ix += 4
        }
      }
      if let filterGradient = job.filterGradient {
        for i in 0..<g.kernel * g.kernel {
          let to = filterGradient + i * channels + c
          L.store(L.load(to, width) + L.load(weightGradients + i * L.count), to, width)
        }
      }
      if let sums = job.sums, let products = job.products {
        L.store(L.load(sums + c, width) + sum, sums + c, width)
        L.store(L.load(products + c, width) + product, products + c, width)
      }
    }
    y0 += rows
  }
}
