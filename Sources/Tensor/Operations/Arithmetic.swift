#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Arithmetic on small vectors and scalars: architecture parameters, mixture weights, costs,
/// losses.
///
/// Plain loops over values of any shape; nothing here is hot. Each rule stands beside its forward:
/// with g the gradient of the result, ∂L/∂x = g·f'(x), element by element.
///
/// - Reference: `ReferenceGraph.unary`, `add`, `multiply` and `repeatRows`.
extension Engine {
  /// a + b, element by element, same shape; ∂L/∂a = ∂L/∂b = g.
  package func add(_ a: Tensor, _ b: Tensor) -> Tensor {
    binary(a, b, "add", { $0 + $1 }, da: { _, _ in 1 }, db: { _, _ in 1 })
  }

  /// a · b, element by element, same shape; ∂L/∂a = g·b, ∂L/∂b = g·a.
  package func multiply(_ a: Tensor, _ b: Tensor) -> Tensor {
    binary(a, b, "multiply", { $0 * $1 }, da: { $1 }, db: { a, _ in a })
  }

  /// factor · x + constant; ∂L/∂x = factor·g.
  package func affine(_ x: Tensor, factor: Float, constant: Float = 0) -> Tensor {
    unary(x, { factor * $0 + constant }, derivative: { _, _ in factor })
  }

  /// eˣ = y; ∂L/∂x = g·y.
  package func exponential(_ x: Tensor) -> Tensor {
    unary(x, { exp($0) }, derivative: { _, y in y })
  }

  /// Natural logarithm, x above 0; ∂L/∂x = g/x.
  package func logarithm(_ x: Tensor) -> Tensor {
    unary(x, { log($0) }, derivative: { x, _ in 1 / x })
  }

  /// max(x, 0), with derivative 0 at 0.
  package func relu(_ x: Tensor) -> Tensor {
    unary(x, { $0 > 0 ? $0 : 0 }, derivative: { x, _ in x > 0 ? 1 : 0 })
  }

  /// The activation of every element of a plain tensor of any shape.
  package func activate(_ x: Tensor, _ activation: Activation) -> Tensor {
    precondition(x.normalisation == nil, "activate: a normalisation is deferred on \(x.shape)")
    return switch activation {
    case .none: affine(x, factor: 1)
    case .relu: relu(x)
    case .hswish:
      unary(
        x,
        { $0 * min(max($0 + 3, 0), 6) / 6 },
        derivative: { x, _ in x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6 }
      )
    }
  }

  /// The hard sigmoid min(max(x + 3, 0), 6)/6 of a plain tensor of any shape (MobileNetV3, arXiv
  /// 1905.02244).
  package func hsigmoid(_ x: Tensor) -> Tensor {
    precondition(x.normalisation == nil, "hsigmoid: a normalisation is deferred on \(x.shape)")
    return unary(
      x,
      { min(max($0 + 3, 0), 6) / 6 },
      derivative: { x, _ in x > -3 && x < 3 ? 1 / 6 : 0 }
    )
  }

  /// x · values, element by element; the constants get no gradient.
  ///
  /// - Shapes: `x` any, plain; `values` as many as `x` has elements.
  package func multiply(_ x: Tensor, constant values: [Float]) -> Tensor {
    precondition(
      values.count == x.count && x.normalisation == nil,
      "multiply: \(values.count) constants for shape \(x.shape)"
    )
    let out = pool.take(x.count)
    for i in 0..<x.count { out.pointer[i] = x.buffer.pointer[i] * values[i] }
    let y = Tensor(shape: x.shape, buffer: out, requiresGradient: wantsGradient([x]))
    record(y) { [unowned self] in
      guard let g = takeSmallGradient(of: y) else { return }
      let dx = ownGradient(of: x)
      for i in 0..<x.count { dx.pointer[i] += g[i] * values[i] }
    }
    return y
  }

  /// Sum of all elements, a scalar; ∂L/∂x = g for each.
  package func sum(_ x: Tensor) -> Tensor {
    let out = pool.take(1)
    out.pointer[0] = Float(x.buffer.elements.reduce(0.0) { $0 + Double($1) })
    let y = Tensor(shape: [], buffer: out, requiresGradient: wantsGradient([x]))
    record(y) { [unowned self] in
      guard let g = takeSmallGradient(of: y) else { return }
      let dx = ownGradient(of: x)
      for i in 0..<x.count { dx.pointer[i] += g[0] }
    }
    return y
  }

  /// `count` copies of a vector [K] as rows [count, K]; the gradient is the sum over the rows.
  package func repeatRows(_ x: Tensor, count: Int) -> Tensor {
    let k = x.count
    let out = pool.take(count * k)
    for i in 0..<count * k { out.pointer[i] = x.buffer.pointer[i % k] }
    let y = Tensor(shape: [count, k], buffer: out, requiresGradient: wantsGradient([x]))
    record(y) { [unowned self] in
      guard let g = takeSmallGradient(of: y) else { return }
      let dx = ownGradient(of: x)
      for i in 0..<count * k { dx.pointer[i % k] += g[i] }
    }
    return y
  }

  private func unary(
    _ x: Tensor,
    _ f: (Float) -> Float,
    derivative: @escaping (_ x: Float, _ y: Float) -> Float
  ) -> Tensor {
    let out = pool.take(x.count)
    for i in 0..<x.count { out.pointer[i] = f(x.buffer.pointer[i]) }
    let y = Tensor(shape: x.shape, buffer: out, requiresGradient: wantsGradient([x]))
    record(y) { [unowned self] in
      guard let g = takeSmallGradient(of: y) else { return }
      let dx = ownGradient(of: x)
      for i in 0..<x.count {
        dx.pointer[i] += g[i] * derivative(x.buffer.pointer[i], out.pointer[i])
      }
    }
    return y
  }

  private func binary(
    _ a: Tensor,
    _ b: Tensor,
    _ name: String,
    _ f: (Float, Float) -> Float,
    da: @escaping (Float, Float) -> Float,
    db: @escaping (Float, Float) -> Float
  ) -> Tensor {
    precondition(a.shape == b.shape, "\(name): shapes \(a.shape) and \(b.shape) differ")
    let out = pool.take(a.count)
    for i in 0..<a.count { out.pointer[i] = f(a.buffer.pointer[i], b.buffer.pointer[i]) }
    let y = Tensor(shape: a.shape, buffer: out, requiresGradient: wantsGradient([a, b]))
    record(y) { [unowned self] in
      guard let g = takeSmallGradient(of: y) else { return }
      for (x, derivative) in [(a, da), (b, db)] where x.requiresGradient {
        let dx = ownGradient(of: x)
        for i in 0..<x.count {
          dx.pointer[i] += g[i] * derivative(a.buffer.pointer[i], b.buffer.pointer[i])
        }
      }
    }
    return y
  }

  /// Takes the gradient of a small output; nil if none came.
  func takeSmallGradient(of y: Tensor) -> UnsafeMutableBufferPointer<Float>? {
    guard y.gradient != nil else { return nil }
    let buffer = ownGradient(of: y)
    // Kept in `y` until its closure is dropped, so the memory outlives the loop that reads it.
    return buffer.elements
  }
}
