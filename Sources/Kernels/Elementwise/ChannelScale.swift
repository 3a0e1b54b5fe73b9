/// out = activation(scale · x + shift) · gate over the `rows` rows of one image from `first` on.
///
/// `gate` holds the image's factor of each channel; rows of `out` follow one another.
@inlinable @inline(always)
package func scaleRows<L: Lanes>(
  _: L.Type,
  _ s: RowSource,
  gate: Input,
  first: Int,
  rows: Int,
  out: Output
) {
  for r in first..<first + rows {
    let to = out + r * s.channels
    loadRow(L.self, s, from: s.base + r * s.stride, into: to)
    var c = 0
    while c < s.channels {
      let n = min(L.count, s.channels - c)
      L.store(L.load(to + c, n) * L.load(gate + c, n), to + c, n)
      c += L.count
    }
  }
}

/// Both gradients of `scaleRows` from one pass, for the gradient G of its output.
///
/// With z = scale · x + shift: `out` gets g = G·gate·f′(z) (its rows may be those of `gradient`),
/// `sums` and `products` Σ g and Σ g·x for the normalisation, `dots` Σ G·f(z), the gradient of the
/// gate. All three sums are added to what is there.
@inlinable @inline(always)
package func scaleRowsBackward<L: Lanes>(
  _: L.Type,
  _ s: RowSource,
  gate: Input,
  gradient: Input,
  first: Int,
  rows: Int,
  out: Output?,
  accumulate: Bool,
  sums: Output?,
  products: Output?,
  dots: Output?
) {
  let activation = s.scale == nil ? Activation.none : s.activation
  var row = first
  while row < first + rows {
    // Few rows at a time: a cache line that two vectors share is still there for the second.
    let last = min(first + rows, row + 16)
    let ahead = (last - row) * s.stride
    var c = 0
    while c < s.channels {
      let width = min(L.count, s.channels - c)
      let a = if let p = s.scale { L.load(p + c, width) } else { L.Vector(repeating: 1) }
      let b = if let p = s.shift { L.load(p + c, width) } else { L.Vector.zero }
      let factor = L.load(gate + c, width)
      var sum = L.Vector.zero
      var product = L.Vector.zero
      var dot = L.Vector.zero
      for r in row..<last {
        let at = r * s.stride + c
        // The same rows of the next block, which the hardware does not see coming.
        prefetch(gradient + at + ahead)
        prefetch(s.base + at + ahead)
        let upstream = L.load(gradient + at, width)
        let x = L.load(s.base + at, width)
        let z = L.fma(x, a, b)
        dot = L.fma(upstream, L.activate(z, activation), dot)
        if let out {
          let g = L.activationGradient(upstream * factor, at: z, activation)
          sum += g
          product = L.fma(g, x, product)
          L.store(accumulate ? L.load(out + at, width) + g : g, out + at, width)
        }
      }
      if let sums, let products {
        L.store(L.load(sums + c, width) + sum, sums + c, width)
        L.store(L.load(products + c, width) + product, products + c, width)
      }
      if let dots { L.store(L.load(dots + c, width) + dot, dots + c, width) }
      c += L.count
    }
    row = last
  }
}
