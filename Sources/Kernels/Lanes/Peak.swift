/// `steps` rounds of 12 independent multiply–adds in registers: what the arithmetic units give at
/// most.
///
/// `values` holds a factor and a summand, one vector each, and gets a sum that depends on every
/// step. The factor is applied to the accumulators, so no step can be taken out of the loop.
@_alwaysEmitIntoClient @inline(always)
package func peakSteps<L: Lanes>(_: L.Type, steps: Int, values: Output) {
  let a = L.load(values)
  let b = L.load(values + L.count)
  var c0 = b, c1 = b, c2 = b, c3 = b, c4 = b, c5 = b
  var c6 = a, c7 = a, c8 = a, c9 = a, c10 = a, c11 = a
  for _ in 0..<steps {
    c0 = L.fma(c0, a, b)
    c1 = L.fma(c1, a, b)
    c2 = L.fma(c2, a, b)
    c3 = L.fma(c3, a, b)
    c4 = L.fma(c4, a, b)
    c5 = L.fma(c5, a, b)
    c6 = L.fma(c6, a, b)
    c7 = L.fma(c7, a, b)
    c8 = L.fma(c8, a, b)
    c9 = L.fma(c9, a, b)
    c10 = L.fma(c10, a, b)
    c11 = L.fma(c11, a, b)
  }
  let low = ((c0 + c1) + (c2 + c3)) + (c4 + c5)
  let high = ((c6 + c7) + (c8 + c9)) + (c10 + c11)
  L.store(low + high, values + 2 * L.count)
}

/// The matrix micro-kernel on the same operands `repeats` times, so from the first-level cache.
///
/// Takes `L.rows` rows of `depth` floats from `operands`, then `depth` rows of two vectors, and
/// adds to a tile behind them.
@_alwaysEmitIntoClient @inline(always)
package func peakTiles<L: Lanes>(_: L.Type, depth: Int, repeats: Int, operands: Output) {
  let b = operands + L.rows * depth
  for _ in 0..<repeats {
    tile(
      L.self,
      vectors: 2,
      TileOperands(
        depth: depth,
        a: operands,
        rowStride: depth,
        depthStride: 1,
        b: b,
        bStride: 2 * L.count
      ),
      c: b + 2 * L.count * depth,
      cStride: 2 * L.count,
      accumulate: true
    )
  }
}

/// The sum of `count` floats, of which only whole groups of eight vectors count: reads and little
/// else.
@_alwaysEmitIntoClient @inline(always)
package func readAll<L: Lanes>(_: L.Type, count: Int, _ x: Input, into out: Output) {
  typealias V = L.Vector
  var c0 = V.zero, c1 = V.zero, c2 = V.zero, c3 = V.zero
  var c4 = V.zero, c5 = V.zero, c6 = V.zero, c7 = V.zero
  var i = 0
  while i + 8 * L.count <= count {
    let p = x + i
    c0 += L.load(p)
    c1 += L.load(p + L.count)
    c2 += L.load(p + 2 * L.count)
    c3 += L.load(p + 3 * L.count)
    c4 += L.load(p + 4 * L.count)
    c5 += L.load(p + 5 * L.count)
    c6 += L.load(p + 6 * L.count)
    c7 += L.load(p + 7 * L.count)
    i += 8 * L.count
  }
  L.store(((c0 + c1) + (c2 + c3)) + ((c4 + c5) + (c6 + c7)), out)
}
