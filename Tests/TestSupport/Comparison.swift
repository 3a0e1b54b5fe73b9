/// The worst difference between two arrays that is beyond tolerance, in words; nil if none is.
///
/// An element passes when |a − b| ≤ `absolute` + `relative` · max(|b|, root mean square of b): the
/// rounding of a sum follows the size of its terms, which the size of its neighbours shows.
package func difference(
  _ name: String,
  _ a: [Double],
  _ b: [Double],
  relative: Double = 1e-4,
  absolute: Double = 1e-5
) -> String? {
  guard a.count == b.count else { return "\(name): \(a.count) elements, expected \(b.count)" }
  let size = (b.reduce(0) { $0 + $1 * $1 } / Double(max(1, b.count))).squareRoot()
  var worst: (index: Int, excess: Double)?
  var beyond = 0
  for i in a.indices {
    let allowed = absolute + relative * max(abs(b[i]), size)
    let excess = abs(a[i] - b[i]) / allowed
    // A NaN fails every comparison, so ask for what passes.
    if !(excess <= 1) {
      beyond += 1
      if worst.map({ !(excess <= $0.excess) }) ?? true { worst = (i, excess) }
    }
  }
  return worst.map {
    "\(name): \(beyond) of \(a.count) elements differ; worst [\($0.index)] is \(a[$0.index]), "
      + "expected \(b[$0.index]) (\($0.excess) × tolerance; rms \(size))"
  }
}

/// The first difference between two outcomes that is beyond tolerance, in words; nil if none is.
package func difference(
  _ a: Outcome,
  _ b: Outcome,
  relative: Double = 1e-4,
  absolute: Double = 1e-5
) -> String? {
  if let d = difference("output", a.output, b.output, relative: relative, absolute: absolute) {
    return d
  }
  guard a.gradients.keys.sorted() == b.gradients.keys.sorted() else {
    return "gradients of \(a.gradients.keys.sorted()), expected \(b.gradients.keys.sorted())"
  }
  let differences = b.gradients.keys.sorted().compactMap { name in
    difference(
      "gradient of \(name)",
      a.gradients[name] ?? [],
      b.gradients[name] ?? [],
      relative: relative,
      absolute: absolute
    )
  }
  return differences.isEmpty ? nil : differences.joined(separator: "\n")
}

/// Whether two outcomes agree in every bit.
package func isIdentical(_ a: Outcome, _ b: Outcome) -> Bool {
  func same(_ x: [Double], _ y: [Double]) -> Bool {
    x.map(\.bitPattern) == y.map(\.bitPattern)
  }
  return same(a.output, b.output) && a.gradients.keys == b.gradients.keys
    && a.gradients.allSatisfy { same($0.value, b.gradients[$0.key] ?? []) }
}

/// Checks gradients by the central difference of the loss along the leaves' directions of ±1.
///
/// (L(x + h·d) − L(x − h·d)) / 2h, h being `step`, must be Σ g·d within `tolerance` times the norm
/// of g. Only the leaf `name` moves, or all leaves at once if it is nil. Returns the fault in
/// words, or nil.
package func centralDifferenceFault(
  _ outcome: Outcome,
  _ leaves: Leaves,
  moving name: String? = nil,
  step: Double,
  tolerance: Double,
  loss: (Leaves) -> Double
) -> String? {
  var moved = leaves
  moved.moved = name
  moved.step = step
  let above = loss(moved)
  moved.step = -step
  let below = loss(moved)
  let slope = (above - below) / (2 * step)
  var expected = 0.0
  var norm = 0.0
  for (leaf, gradient) in outcome.gradients where name == nil || name == leaf {
    let direction = leaves.direction(leaf, count: gradient.count)
    for i in gradient.indices {
      expected += gradient[i] * direction[i]
      norm += gradient[i] * gradient[i]
    }
  }
  norm = norm.squareRoot()
  return abs(slope - expected) <= tolerance * (norm + 0.1)
    ? nil
    : "\(name ?? "all leaves"): central difference \(slope), gradient \(expected), norm \(norm)"
}
