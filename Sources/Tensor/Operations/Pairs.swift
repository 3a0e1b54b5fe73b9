extension Engine {
  /// The weights of pairs of two independent choices, in a given order: y[p] = a[iₚ]·b[jₚ].
  ///
  /// - Shapes: `a` [m] and `b` [n], or [N, m] and [N, n]; result [P] or [N, P] for P pairs (i, j).
  /// - Backward: ∂L/∂a[i] = Σ dy[p]·b[jₚ] over the pairs with iₚ = i, and so for b.
  /// - Cost: N·P products.
  package func pairs(_ a: Tensor, _ b: Tensor, _ pairs: [(Int, Int)]) -> Tensor {
    let (m, n, rows) = (a.channels, b.channels, a.rows)
    precondition(
      b.rows == rows && a.shape.count == b.shape.count
        && pairs.allSatisfy { (0..<m).contains($0.0) && (0..<n).contains($0.1) },
      "pairs: of \(a.shape) and \(b.shape)"
    )
    let (left, right) = (a.values, b.values)
    let products = (0..<rows).flatMap { row in
      pairs.map { left[row * m + $0.0] * right[row * n + $0.1] }
    }
    let y = tensor(
      products,
      shape: a.shape.count == 1 ? [pairs.count] : [rows, pairs.count],
      requiresGradient: wantsGradient([a, b])
    )
    record(y) { [unowned self] in
      guard let gradient = takeSmallGradient(of: y) else { return }
      let da = a.requiresGradient ? ownGradient(of: a) : nil
      let db = b.requiresGradient ? ownGradient(of: b) : nil
      for row in 0..<rows {
        for (p, (i, j)) in pairs.enumerated() {
          let g = gradient[row * pairs.count + p]
          da?.pointer[row * m + i] += g * right[row * n + j]
          db?.pointer[row * n + j] += g * left[row * m + i]
        }
      }
    }
    return y
  }
}
