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
  @_alwaysEmitIntoClient
  package init(base: Input, scale: Input?, shift: Input?, activation: Activation, weight: Float) {
    self.base = base
    self.scale = scale
    self.shift = shift
    self.activation = activation
    self.weight = weight
  }
}

/// A sum of branches, each with its weight.
@usableFromInline
package struct WeightedSum {
  /// The branches.
  @usableFromInline package var branches: UnsafePointer<Branch>
  /// How many.
  @usableFromInline package var count: Int
  /// Channels of each.
  @usableFromInline package var channels: Int
  /// The sum, [rows, channels].
  @usableFromInline package var out: Output

  /// Describes a sum.
  @_alwaysEmitIntoClient
  package init(branches: UnsafePointer<Branch>, count: Int, channels: Int, out: Output) {
    self.branches = branches
    self.count = count
    self.channels = channels
    self.out = out
  }
}

/// out[r, c] = Σ weight · activation(scale · x + shift) over the branches.
///
/// One pass: every branch is read once and the sum is written once.
@_alwaysEmitIntoClient @inline(always)
package func weightedSum<L: Lanes>(_: L.Type, _ p: WeightedSum, rows: Range<Int>) {
  let channels = p.channels
  // The same rows of the next call, which the hardware does not see coming between so many
  // branches.
  let ahead = rows.count * channels
  var c = 0
  while c < channels {
    let width = min(L.count, channels - c)
    for i in 0..<p.count {
      let branch = p.branches[i]
      let weight = L.Vector(repeating: branch.weight)
      let base = branch.base + c
      let to = p.out + c
      if let scale = branch.scale, let shift = branch.shift {
        let a = L.load(scale + c, width)
        let b = L.load(shift + c, width)
        if branch.activation == .none {
          // Linear: weight and normalisation fold into one affine map.
          let wa = weight * a
          let wb = weight * b
          for r in rows {
            let at = r * channels
            prefetch(base + at + ahead)
            let before = i == 0 ? wb : L.load(to + at, width) + wb
            L.store(L.fma(L.load(base + at, width), wa, before), to + at, width)
          }
        } else {
          for r in rows {
            let at = r * channels
            let z = L.activate(L.fma(L.load(base + at, width), a, b), branch.activation)
            let before = i == 0 ? .zero : L.load(to + at, width)
            L.store(L.fma(z, weight, before), to + at, width)
          }
        }
      } else {
        for r in rows {
          let at = r * channels
          let before = i == 0 ? .zero : L.load(to + at, width)
          L.store(L.fma(L.load(base + at, width), weight, before), to + at, width)
        }
      }
    }
    c += L.count
  }
}

/// What the gradient of a weighted sum needs from one of its branches.
@usableFromInline
package struct BranchSums {
  /// The branch; its weight counts for nothing.
  @usableFromInline package var branch: Branch
  /// Gradient G of the sum, [rows, channels].
  @usableFromInline package var gradient: Input
  /// Channels.
  @usableFromInline package var channels: Int
  /// Gain Σ g and Σ g·x, for batch-norm.
  @usableFromInline package var sums: PartialSums
  /// Gains Σ G·f, [C], for the weight.
  @usableFromInline package var dots: Output

  /// Describes the work.
  @_alwaysEmitIntoClient
  package init(
    branch: Branch,
    gradient: Input,
    channels: Int,
    sums: PartialSums,
    dots: Output
  ) {
    self.branch = branch
    self.gradient = gradient
    self.channels = channels
    self.sums = sums
    self.dots = dots
  }
}

/// The reductions of one branch of a weighted sum over `rows`.
///
/// With z the branch before its activation, f = activation(z) and x the raw value: g = G·f′(z),
/// from which the weight is still missing.
@_alwaysEmitIntoClient @inline(always)
package func branchSums<L: Lanes>(_: L.Type, _ p: BranchSums, rows: Range<Int>) {
  let branch = p.branch
  let channels = p.channels
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
      for r in rows {
        prefetch(branch.base + r * channels + c + 32 * channels)
        let g = L.load(p.gradient + r * channels + c, width)
        sum += g
        product = L.fma(g, L.load(branch.base + r * channels + c, width), product)
      }
      // Σ G·(a·x + b) needs no pass of its own.
      dot = L.fma(a, product, b * sum)
    } else {
      for r in rows {
        let upstream = L.load(p.gradient + r * channels + c, width)
        let x = L.load(branch.base + r * channels + c, width)
        let z = L.fma(x, a, b)
        let g = L.activationGradient(upstream, at: z, activation)
        sum += g
        product = L.fma(g, x, product)
        dot = L.fma(upstream, L.activate(z, activation), dot)
      }
    }
    p.sums.add(L.self, sum, product, at: c, width)
    L.store(L.load(p.dots + c, width) + dot, p.dots + c, width)
    c += L.count
  }
}
