/// One branch of a weighted sum: a tensor of [rows, channels] with its deferred normalisation.
@usableFromInline
package struct Branch {
  /// First element.
  @usableFromInline package var base: Input
  /// Per-channel scale of the deferred normalisation, or nil.
  @usableFromInline package var scale: Input?
  /// Per-channel shift.
  @usableFromInline package var shift: Input?
  /// Activation after scale and shift.
  @usableFromInline package var activation: Activation
  /// Weight in the sum.
  @usableFromInline package var weight: Float

  /// Describes a branch.
  @inlinable
  package init(base: Input, scale: Input?, shift: Input?, activation: Activation, weight: Float) {
    self.base = base
    self.scale = scale
    self.shift = shift
    self.activation = activation
    self.weight = weight
  }
}

/// out[r, c] = Σ weight · activation(scale · x + shift) over the branches, rows `first..<last`.
///
/// One pass: every branch is read once and the sum is written once.
@inlinable @inline(always)
package func weightedSum<L: Lanes>(
  _: L.Type,
  branches: UnsafePointer<Branch>,
  count: Int,
  channels: Int,
  first: Int,
  last: Int,
  out: Output
) {
  // The same rows of the next call, which the hardware does not see coming between so many
  // branches.
  let ahead = (last - first) * channels
  var c = 0
  while c < channels {
    let width = min(L.count, channels - c)
    for i in 0..<count {
      let branch = branches[i]
      let weight = L.Vector(repeating: branch.weight)
      let base = branch.base + c
      let to = out + c
      if let scale = branch.scale, let shift = branch.shift {
        let a = L.load(scale + c, width)
        let b = L.load(shift + c, width)
        if branch.activation == .none {
          // Linear: weight and normalisation fold into one affine map.
          let wa = weight * a
          let wb = weight * b
          for r in first..<last {
            let at = r * channels
            prefetch(base + at + ahead)
            let before = i == 0 ? wb : L.load(to + at, width) + wb
            L.store(L.fma(L.load(base + at, width), wa, before), to + at, width)
          }
        } else {
          for r in first..<last {
            let at = r * channels
            let z = L.activate(L.fma(L.load(base + at, width), a, b), branch.activation)
            let before = i == 0 ? .zero : L.load(to + at, width)
            L.store(L.fma(z, weight, before), to + at, width)
          }
        }
      } else {
        for r in first..<last {
          let at = r * channels
          let before = i == 0 ? .zero : L.load(to + at, width)
          L.store(L.fma(L.load(base + at, width), weight, before), to + at, width)
        }
      }
    }
    c += L.count
  }
}

/// The reductions of one branch of a weighted sum over rows `first..<last` of the gradient G.
///
/// With z the branch before its activation and f = activation(z): `sums` gets Σ g and `products` Σ
/// g·x with g = G·f′(z) and x the raw value (what batch-norm's backward needs, times the weight),
/// and `dots` gets Σ G·f, per channel (what the weight's gradient needs).
@inlinable @inline(always)
package func branchSums<L: Lanes>(
  _: L.Type,
  branch: Branch,
  gradient: Input,
  channels: Int,
  first: Int,
  last: Int,
  sums: Output,
  products: Output,
  dots: Output
) {
  var c = 0
  while c < channels {
    let width = min(L.count, channels - c)
    let a = if let s = branch.scale { L.load(s + c, width) } else { L.Vector(repeating: 1) }
    let b = if let s = branch.shift { L.load(s + c, width) } else { L.Vector.zero }
    let activation = branch.scale == nil ? Activation.none : branch.activation
    var sum = L.Vector.zero
    var product = L.Vector.zero
    var dot = L.Vector.zero
    if activation == .none {
      for r in first..<last {
        prefetch(branch.base + r * channels + c + 32 * channels)
        let g = L.load(gradient + r * channels + c, width)
        sum += g
        product = L.fma(g, L.load(branch.base + r * channels + c, width), product)
      }
      // Σ G·(a·x + b) needs no pass of its own.
      dot = L.fma(a, product, b * sum)
    } else {
      for r in first..<last {
        let upstream = L.load(gradient + r * channels + c, width)
        let x = L.load(branch.base + r * channels + c, width)
        let z = L.fma(x, a, b)
        let g = L.activationGradient(upstream, at: z, activation)
        sum += g
        product = L.fma(g, x, product)
        dot = L.fma(upstream, L.activate(z, activation), dot)
      }
    }
    L.store(L.load(sums + c, width) + sum, sums + c, width)
    L.store(L.load(products + c, width) + product, products + c, width)
    L.store(L.load(dots + c, width) + dot, dots + c, width)
    c += L.count
  }
}
