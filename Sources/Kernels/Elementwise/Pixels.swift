/// Pixels of a map, rows of [channels] floats, by their places in it.
@usableFromInline
package struct Pixels {
  /// The place of each; nil for all that there are, in their order.
  @usableFromInline package var places: UnsafePointer<Int32>?
  /// How many.
  @usableFromInline package var count: Int

  /// Names the pixels.
  @_alwaysEmitIntoClient @inline(always)
  package init(places: UnsafePointer<Int32>?, count: Int) {
    self.places = places
    self.count = count
  }

  /// The place of the i-th.
  @_alwaysEmitIntoClient @inline(always)
  package func place(_ i: Int) -> Int { places.map { Int($0[i]) } ?? i }
}

/// Adds Σ y and Σ y² of some pixels of the map `y`, [H·W, C], to `sums`.
///
/// Vector by vector: a cache line of 16 channels is read by one of them alone, and the sums stay in
/// registers, however few pixels follow one another.
@_alwaysEmitIntoClient @inline(always)
package func addPixelSums<L: Lanes>(
  _: L.Type,
  _ y: Input,
  _ pixels: Pixels,
  channels: Int,
  to sums: PartialSums
) {
  // Few summands for each sum, which is a float.
  let block = 256
  var first = 0
  while first < pixels.count {
    let end = min(first + block, pixels.count)
    var c = 0
    while c < channels {
      let n = min(L.count, channels - c)
      var sum = L.Vector.zero
      var square = L.Vector.zero
      for i in first..<end {
        let value = L.load(y + pixels.place(i) * channels + c, n)
        sum += value
        square = L.fma(value, value, square)
      }
      sums.add(L.self, sum, square, at: c, n)
      c += L.count
    }
    first = end
  }
}

/// An affine map of pixels that is added to those of another map.
@usableFromInline
package struct AffinePixels {
  /// What is read, [H·W, C].
  @usableFromInline package var from: Input
  /// The pixels of it.
  @usableFromInline package var pixels: Pixels
  /// The factor of each channel, [C].
  @usableFromInline package var factors: Input
  /// The summand of each channel, [C].
  @usableFromInline package var summands: Input
  /// What gains, [H'·W', C].
  @usableFromInline package var to: Output
  /// The place there of each pixel; nil for their order.
  @usableFromInline package var places: UnsafePointer<Int32>?

  /// Describes the work.
  @_alwaysEmitIntoClient
  package init(
    from: Input,
    pixels: Pixels,
    factors: Input,
    summands: Input,
    to: Output,
    places: UnsafePointer<Int32>?
  ) {
    self.from = from
    self.pixels = pixels
    self.factors = factors
    self.summands = summands
    self.to = to
    self.places = places
  }
}

/// to[p] += factor · from[q] + summand for each pixel, of `channels` floats.
@_alwaysEmitIntoClient @inline(always)
package func addAffinePixels<L: Lanes>(_: L.Type, _ p: AffinePixels, channels: Int) {
  let targets = Pixels(places: p.places, count: p.pixels.count)
  var c = 0
  while c < channels {
    let n = min(L.count, channels - c)
    let factor = L.load(p.factors + c, n)
    let summand = L.load(p.summands + c, n)
    for i in 0..<p.pixels.count {
      let to = p.to + targets.place(i) * channels + c
      let value = L.load(p.from + p.pixels.place(i) * channels + c, n)
      L.store(L.load(to, n) + L.fma(value, factor, summand), to, n)
    }
    c += L.count
  }
}
