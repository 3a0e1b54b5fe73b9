#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension Engine {
  /// Softmax over the last dimension (spec S4, S5).
  ///
  /// - Shapes: `x` [N, K] or [K], plain; result the same.
  /// - Forward: p_i = exp(x_i)/Σ exp(x_j), the largest x taken off first.
  /// - Backward: ∂L/∂x = p ∘ (g − Σ g·p), row by row.
  /// - Cost: one exponential an element, in Double; nothing beside a network.
  /// - Reference: `ReferenceGraph.unary` with `.softmax`.
  package func softmax(_ x: Tensor) -> Tensor {
    let (rows, k) = (x.rows, x.channels)
    let out = pool.take(x.count)
    for r in 0..<rows {
      let row = x.buffer.pointer + r * k
      let p = out.pointer + r * k
      let top = (0..<k).reduce(-Float.infinity) { max($0, row[$1]) }
      var sum = 0.0
      for i in 0..<k { sum += exp(Double(row[i] - top)) }
      for i in 0..<k { p[i] = Float(exp(Double(row[i] - top)) / sum) }
    }
    let y = Tensor(shape: x.shape, buffer: out, requiresGradient: wantsGradient([x]))
    record(y) { [unowned self] in
      guard let g = takeSmallGradient(of: y) else { return }
      let dx = ownGradient(of: x)
      for r in 0..<rows {
        var dot: Float = 0
        for i in r * k..<(r + 1) * k { dot += g[i] * out.pointer[i] }
        for i in r * k..<(r + 1) * k { dx.pointer[i] += out.pointer[i] * (g[i] - dot) }
      }
    }
    return y
  }
}
