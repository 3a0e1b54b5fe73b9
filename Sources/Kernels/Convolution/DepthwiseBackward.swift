/// The backward pass of a depthwise convolution over one image.
@usableFromInline
package struct DepthwiseBackward {
  /// Input, geometry and filter.
  @usableFromInline package var convolution: Depthwise
  /// The image's output pixels.
  @usableFromInline package var gradient: GradientSource
  /// The input gradient, rows as those of `convolution.source`; nil where none is wanted.
  @usableFromInline package var out: Output?
  /// Whether the input gradient is added to what is there.
  @usableFromInline package var accumulate: Bool
  /// [C], multiply what goes to `out`; nil for 1.
  @usableFromInline package var factors: Input?
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
    factors: Input? = nil,
    filterGradient: Output?,
    sums: PartialSums?
  ) {
    self.convolution = convolution
    self.gradient = gradient
    self.out = out
    self.accumulate = accumulate
    self.factors = factors
    self.filterGradient = filterGradient
    self.sums = sums
  }
}

/// One image backward: filter gradient and input gradient from one pass.
///
/// The raw output's gradient dy stands in planes U with a border of zeros, so that both gradients
/// are plain sliding sums: dx[y, x] = Σ w[ky, kx]·dy[(y + p − ky)/s, (x + p − kx)/s] and dw[ky, kx]
/// = Σ z[y, x]·dy[…] over the taps for which both divisions leave no rest. Those are the same for
/// every s-th pixel of a row, whose dy follow one another; so they are done together.
@_alwaysEmitIntoClient @inline(always)
package func depthwiseBackward<L: Lanes>(
  _: L.Type,
  _ job: DepthwiseBackward,
  workspace: Output
) {
  let p = job.convolution
  let gradient = job.gradient
  let g = p.geometry
  let (k, s) = (g.kernel, g.stride)
  let channels = p.source.channels
  let vectors = (channels + L.count - 1) / L.count
  // Of dy: its first column in the planes, and as many as any tap of a pixel meets.
  let firstColumn = -((k - 1 - g.padding) / s)
  let rowWidth = (g.width - 1 + g.padding) / s - firstColumn + 1
  let rowFloats = rowWidth * L.count
  let band = p.band(rowFloats: (g.width + k - 1) * L.count * vectors, halo: k, stride: 1)
  let line = workspace
  let weights = line + L.padded(channels)
  let weightGradients = weights + k * k * L.count
  let planes = weightGradients + k * k * L.count
  let activation = p.source.scale == nil ? Activation.none : p.source.activation
  let trainsFilter = job.filterGradient != nil
  var y0 = 0
  while y0 < g.height {
    let rows = min(band, g.height - y0)
    let top = y0 + g.padding - (k - 1)
    let firstRow = top > 0 ? (top + s - 1) / s : -(-top / s)
    let inRows = (y0 + rows - 1 + g.padding) / s - firstRow + 1
    let planeFloats = inRows * rowFloats
    for r in 0..<inRows {
      let to = planes + r * rowFloats
      let oy = firstRow + r
      let rowHolds = oy >= 0 && oy < g.outHeight
      for x in 0..<rowWidth {
        let ox = firstColumn + x
        if rowHolds && ox >= 0 && ox < g.outWidth {
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
      for i in 0..<k * k {
        L.store(L.load(p.filter + i * channels + c, width), weights + i * L.count)
        L.store(.zero, weightGradients + i * L.count)
      }
      let scale = if let s = p.source.scale { L.load(s + c, width) } else { L.Vector(repeating: 1) }
      let shift = if let s = p.source.shift { L.load(s + c, width) } else { L.Vector.zero }
      let factor = if let f = job.factors { L.load(f + c, width) } else { L.Vector(repeating: 1) }
      var sum = L.Vector.zero
      var product = L.Vector.zero
      for r in 0..<rows {
        let y = y0 + r
        let firstKy = (y + g.padding) % s
        for phase in 0..<min(s, g.width) {
          let firstKx = (phase + g.padding) % s
          let count = (g.width - phase + s - 1) / s
          var i = 0
          while i < count {
            // Four pixels at a time; beyond the row they read the border and count for nothing.
            let n = min(4, count - i)
            let pixel = y * g.width + phase + i * s
            let at0 = p.offset(pixel) + c
            let at1 = n > 1 ? p.offset(pixel + s) + c : at0
            let at2 = n > 2 ? p.offset(pixel + 2 * s) + c : at0
            let at3 = n > 3 ? p.offset(pixel + 3 * s) + c : at0
            // A pass reads one line of each pixel, which the processor does not foresee.
            if r + 1 < rows {
              for next in 0..<n {
                let ahead = p.offset(pixel + g.width + next * s) + c
                prefetch(p.source.base + ahead)
                if let out = job.out { prefetch(out + ahead) }
              }
            }
            let r0 = L.load(p.source.base + at0, width)
            let r1 = n > 1 ? L.load(p.source.base + at1, width) : .zero
            let r2 = n > 2 ? L.load(p.source.base + at2, width) : .zero
            let r3 = n > 3 ? L.load(p.source.base + at3, width) : .zero
            let p0 = L.fma(r0, scale, shift)
            let p1 = L.fma(r1, scale, shift)
            let p2 = L.fma(r2, scale, shift)
            let p3 = L.fma(r3, scale, shift)
            let z0 = L.activate(p0, activation)
            let z1 = n > 1 ? L.activate(p1, activation) : .zero
            let z2 = n > 2 ? L.activate(p2, activation) : .zero
            let z3 = n > 3 ? L.activate(p3, activation) : .zero
            var g0 = L.Vector.zero, g1 = L.Vector.zero, g2 = L.Vector.zero, g3 = L.Vector.zero
            var ky = firstKy
            while ky < k {
              let row = planes + v * planeFloats + ((y + g.padding - ky) / s - firstRow) * rowFloats
              var kx = firstKx
              while kx < k {
                let column = (phase + g.padding - kx) / s - firstColumn + i
                let at = row + column * L.count
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
                if trainsFilter {
                  let even = L.fma(z2, u2, L.fma(z0, u0, L.load(weightGradients + index)))
                  let odd = L.fma(z3, u3, z1 * u1)
                  L.store(even + odd, weightGradients + index)
                }
                kx += s
              }
              ky += s
            }
            if let out = job.out {
              g0 = L.activationGradient(g0, at: p0, activation)
              g1 = L.activationGradient(g1, at: p1, activation)
              g2 = L.activationGradient(g2, at: p2, activation)
              g3 = L.activationGradient(g3, at: p3, activation)
              let (o0, o1, o2, o3) = (out + at0, out + at1, out + at2, out + at3)
              L.store(L.fma(factor, g0, job.accumulate ? L.load(o0, width) : .zero), o0, width)
              sum += g0
              product = L.fma(g0, r0, product)
              if n > 1 {
                L.store(L.fma(factor, g1, job.accumulate ? L.load(o1, width) : .zero), o1, width)
                sum += g1
                product = L.fma(g1, r1, product)
              }
              if n > 2 {
                L.store(L.fma(factor, g2, job.accumulate ? L.load(o2, width) : .zero), o2, width)
                sum += g2
                product = L.fma(g2, r2, product)
              }
              if n > 3 {
                L.store(L.fma(factor, g3, job.accumulate ? L.load(o3, width) : .zero), o3, width)
                sum += g3
                product = L.fma(g3, r3, product)
              }
            }
            i += 4
          }
        }
      }
      if let filterGradient = job.filterGradient {
        for i in 0..<k * k {
          let to = filterGradient + i * channels + c
          L.store(L.load(to, width) + L.load(weightGradients + i * L.count), to, width)
        }
      }
      job.sums?.add(L.self, sum, product, at: c, width)
    }
    y0 += rows
  }
}
