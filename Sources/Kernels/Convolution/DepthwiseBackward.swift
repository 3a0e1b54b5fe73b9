/// The backward pass of a depthwise convolution over one image.
@usableFromInline
package struct DepthwiseBackward {
  /// Input, geometry and filter.
  @usableFromInline package var convolution: Depthwise
  /// The image's output pixels.
  @usableFromInline package var gradient: GradientSource
  /// The image's first pixel of the input gradient, or nil.
  @usableFromInline package var out: Output?
  /// Whether the input gradient is added to what is there.
  @usableFromInline package var accumulate: Bool
  /// [K, K, C], added to, or nil.
  @usableFromInline package var filterGradient: Output?
  /// Gain Σ g of the input gradient and Σ g·x; nil where no normalisation wants them.
  @usableFromInline package var sums: PartialSums?

  /// Describes the work.
  @_alwaysEmitIntoClient
  package init(
    convolution: Depthwise,
    gradient: GradientSource,
    out: Output?,
    accumulate: Bool,
    filterGradient: Output?,
    sums: PartialSums?
  ) {
    self.convolution = convolution
    self.gradient = gradient
    self.out = out
    self.accumulate = accumulate
    self.filterGradient = filterGradient
    self.sums = sums
  }
}

/// One image backward: filter gradient and input gradient from one pass.
///
/// The raw output's gradient is spread with zeros between (stride) into planes U with a border, so
/// that both gradients are plain sliding sums over U: dz[y, x] = Σ w[ky, kx]·U[y + k−1−ky, x +
/// k−1−kx] and dw[ky, kx] = Σ z[y, x]·U[y + k−1−ky, x + k−1−kx].
@_alwaysEmitIntoClient @inline(always)
package func depthwiseBackward<L: Lanes>(
  _: L.Type,
  _ job: DepthwiseBackward,
  workspace: Output
) {
  let p = job.convolution
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
      job.sums?.add(L.self, sum, product, at: c, width)
    }
    y0 += rows
  }
}
