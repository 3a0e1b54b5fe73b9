/// Rows of a matrix as a kernel reads them: strided rows of a tensor or patches of an image, with
/// the deferred normalisation and activation of the producer applied on the view.
///
/// Value = activation(scale · x + shift); without `scale` the value is x alone.
@usableFromInline
package struct RowSource {
  /// First element of row 0.
  @usableFromInline package var base: Input
  /// Floats from one row (or pixel) to the next.
  @usableFromInline package var stride: Int
  /// Channels read from each row (or pixel).
  @usableFromInline package var channels: Int
  /// Per-channel scale of the deferred normalisation, or nil.
  @usableFromInline package var scale: Input?
  /// Per-channel shift; meaningful with `scale`.
  @usableFromInline package var shift: Input?
  /// Activation after scale and shift.
  @usableFromInline package var activation: Activation
  /// Patch geometry; nil means plain rows.
  @usableFromInline package var patches: Patches?

  /// Describes rows of a tensor.
  @_alwaysEmitIntoClient
  package init(
    base: Input,
    stride: Int,
    channels: Int,
    scale: Input? = nil,
    shift: Input? = nil,
    activation: Activation = .none,
    patches: Patches? = nil
  ) {
    self.base = base
    self.stride = stride
    self.channels = channels
    self.scale = scale
    self.shift = shift
    self.activation = activation
    self.patches = patches
  }

  /// Floats in one matrix row.
  @_alwaysEmitIntoClient @inline(always)
  package var depth: Int {
    if let patches { patches.kernel * patches.kernel * channels } else { channels }
  }
}

/// Geometry of k×k patches: matrix row (n, oy, ox) holds pixels (oy·s + ky − p, ox·s + kx − p).
@usableFromInline
package struct Patches {
  /// Input height.
  @usableFromInline package var height: Int
  /// Input width.
  @usableFromInline package var width: Int
  /// Output height.
  @usableFromInline package var outHeight: Int
  /// Output width.
  @usableFromInline package var outWidth: Int
  /// Kernel side.
  @usableFromInline package var kernel: Int
  /// Step between patches.
  @usableFromInline package var stride: Int
  /// Zero border.
  @usableFromInline package var padding: Int

  /// Describes patches of images of `height` × `width`.
  @_alwaysEmitIntoClient
  package init(
    height: Int,
    width: Int,
    outHeight: Int,
    outWidth: Int,
    kernel: Int,
    stride: Int,
    padding: Int
  ) {
    self.height = height
    self.width = width
    self.outHeight = outHeight
    self.outWidth = outWidth
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
  }

  /// The input pixel under patch element (ky, kx) of matrix row `row`, or nil in the border.
  @_alwaysEmitIntoClient @inline(always)
  package func pixel(row: Int, ky: Int, kx: Int) -> Int? {
    let ox = row % outWidth
    let rest = row / outWidth
    let oy = rest % outHeight
    let y = oy * stride + ky - padding
    let x = ox * stride + kx - padding
    return y >= 0 && y < height && x >= 0 && x < width
      ? (rest / outHeight * height + y) * width + x : nil
  }
}

/// Copies matrix rows to `out`, rows of `outStride` floats.
@_alwaysEmitIntoClient @inline(always)
package func loadRows<L: Lanes>(
  _: L.Type,
  _ s: RowSource,
  rows: Range<Int>,
  into out: Output,
  outStride: Int
) {
  if let patches = s.patches {
    let k = patches.kernel
    for r in 0..<rows.count {
      var to = out + r * outStride
      for ky in 0..<k {
        for kx in 0..<k {
          if let pixel = patches.pixel(row: rows.lowerBound + r, ky: ky, kx: kx) {
            loadRow(L.self, s, from: s.base + pixel * s.stride, into: to)
          } else {
            for c in 0..<s.channels { to[c] = 0 }
          }
          to += s.channels
        }
      }
    }
  } else {
    for r in 0..<rows.count {
      let from = s.base + (rows.lowerBound + r) * s.stride
      loadRow(L.self, s, from: from, into: out + r * outStride)
    }
  }
}

/// Copies the channels of one row, normalised and activated.
@_alwaysEmitIntoClient @inline(always)
package func loadRow<L: Lanes>(_: L.Type, _ s: RowSource, from: Input, into to: Output) {
  guard let scale = s.scale, let shift = s.shift else {
    var c = 0
    while c + L.count <= s.channels {
      L.store(L.load(from + c), to + c)
      c += L.count
    }
    if c < s.channels { L.store(L.load(from + c, s.channels - c), to + c, s.channels - c) }
    return
  }
  switch s.activation {
  case .none: transform(L.self, .none, s.channels, from, scale: scale, shift: shift, into: to)
  case .relu: transform(L.self, .relu, s.channels, from, scale: scale, shift: shift, into: to)
  case .hswish: transform(L.self, .hswish, s.channels, from, scale: scale, shift: shift, into: to)
  }
}

/// to = activation(scale · from + shift) over `channels`; `activation` is a constant where inlined.
@_alwaysEmitIntoClient @inline(always)
package func transform<L: Lanes>(
  _: L.Type,
  _ activation: Activation,
  _ channels: Int,
  _ from: Input,
  scale: Input,
  shift: Input,
  into to: Output
) {
  var c = 0
  while c + L.count <= channels {
    let z = L.fma(L.load(from + c), L.load(scale + c), L.load(shift + c))
    L.store(L.activate(z, activation), to + c)
    c += L.count
  }
  if c < channels {
    let n = channels - c
    let z = L.fma(L.load(from + c, n), L.load(scale + c, n), L.load(shift + c, n))
    L.store(L.activate(z, activation), to + c, n)
  }
}

/// The gradient of a raw convolution output, formed while it is loaded.
///
/// With a normalisation behind the convolution dy = α·g + β·y + κ per channel, where g is the
/// gradient of the normalised value and y the raw output: batch-norm's backward formula with its
/// two sums folded into α, β, κ. Without one dy = g.
@usableFromInline
package struct GradientSource {
  /// Gradient after the normalisation, rows of `stride` floats.
  @usableFromInline package var gradient: Input
  /// Raw convolution output, same rows; nil without normalisation.
  @usableFromInline package var raw: Input?
  /// Floats from row to row, of both.
  @usableFromInline package var stride: Int
  /// Channels.
  @usableFromInline package var channels: Int
  /// α, β, κ: three runs of `coefficientStride` floats; nil without normalisation.
  @usableFromInline package var coefficients: Input?
  /// Floats from α to β and from β to κ.
  @usableFromInline package var coefficientStride: Int
  /// Scale and shift of the normalisation, when `gradient` still lacks the activation's derivative.
  @usableFromInline package var scale: Input?
  /// See `scale`.
  @usableFromInline package var shift: Input?
  /// The activation whose derivative is missing; `.none` if none is.
  @usableFromInline package var activation: Activation

  /// Describes a gradient.
  @_alwaysEmitIntoClient
  package init(
    gradient: Input,
    raw: Input?,
    stride: Int,
    channels: Int,
    coefficients: Input?,
    coefficientStride: Int,
    scale: Input? = nil,
    shift: Input? = nil,
    activation: Activation = .none
  ) {
    self.gradient = gradient
    self.raw = raw
    self.stride = stride
    self.channels = channels
    self.coefficients = coefficients
    self.coefficientStride = coefficientStride
    self.scale = scale
    self.shift = shift
    self.activation = activation
  }
}

/// Writes the gradient of raw rows to `out`, which may be their place.
@_alwaysEmitIntoClient @inline(always)
package func loadGradientRows<L: Lanes>(
  _: L.Type,
  _ s: GradientSource,
  rows: Range<Int>,
  into out: Output,
  outStride: Int
) {
  guard s.raw != nil, s.coefficients != nil, s.activation == .none else {
    for r in 0..<rows.count {
      let at = (rows.lowerBound + r) * s.stride
      loadGradientRow(L.self, s, at: at, into: out + r * outStride)
    }
    return
  }
  // The usual case, column by column with the coefficients in registers.
  var c = 0
  while c + L.count <= s.channels {
    gradientColumn(L.self, s, c, width: L.count, rows: rows, into: out, outStride: outStride)
    c += L.count
  }
  let n = s.channels - c
  if n == L.Half.count {
    // The width is a constant, so no lane is taken by itself.
    let half = L.Half.count
    gradientColumn(L.Half.self, s, c, width: half, rows: rows, into: out, outStride: outStride)
  } else if n > 0 {
    gradientColumn(L.self, s, c, width: n, rows: rows, into: out, outStride: outStride)
  }
}

/// `n` columns from `c` on of `loadGradientRows`, one vector.
@_alwaysEmitIntoClient @inline(always)
package func gradientColumn<L: Lanes>(
  _: L.Type,
  _ s: GradientSource,
  _ c: Int,
  width n: Int,
  rows: Range<Int>,
  into out: Output,
  outStride: Int
) {
  guard let raw = s.raw, let alpha = s.coefficients else { return }
  let a = L.load(alpha + c, n)
  let b = L.load(alpha + s.coefficientStride + c, n)
  let k = L.load(alpha + 2 * s.coefficientStride + c, n)
  for r in 0..<rows.count {
    let at = (rows.lowerBound + r) * s.stride + c
    let affine = L.fma(L.load(raw + at, n), b, k)
    L.store(L.fma(L.load(s.gradient + at, n), a, affine), out + r * outStride + c, n)
  }
}

/// Writes the gradient of the raw row that starts at element `at`.
@_alwaysEmitIntoClient @inline(always)
package func loadGradientRow<L: Lanes>(
  _: L.Type,
  _ s: GradientSource,
  at: Int,
  into to: Output
) {
  let g = s.gradient + at
  guard let raw = s.raw, let alpha = s.coefficients else {
    var c = 0
    while c < s.channels {
      let n = min(L.count, s.channels - c)
      L.store(L.load(g + c, n), to + c, n)
      c += L.count
    }
    return
  }
  let y = raw + at
  let beta = alpha + s.coefficientStride
  let kappa = beta + s.coefficientStride
  var c = 0
  while c < s.channels {
    let n = min(L.count, s.channels - c)
    let value = L.load(y + c, n)
    var gradient = L.load(g + c, n)
    if s.activation != .none, let scale = s.scale, let shift = s.shift {
      let z = L.fma(value, L.load(scale + c, n), L.load(shift + c, n))
      gradient = L.activationGradient(gradient, at: z, s.activation)
    }
    let affine = L.fma(value, L.load(beta + c, n), L.load(kappa + c, n))
    L.store(L.fma(gradient, L.load(alpha + c, n), affine), to + c, n)
    c += L.count
  }
}
