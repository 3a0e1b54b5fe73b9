import Kernels

/// Masks: options that share the weights of the largest, each a nested part of it.
///
/// With the options' weights gᵢ and parts S₁ ⊂ … ⊂ Sₘ, the mixture Σ gᵢ·b(x)∘1[Sᵢ] of m outputs is
/// one output times one mask, b(x)∘M with M[p] = Σᵢ gᵢ·[p ∈ Sᵢ]. So a choice costs one pass,
/// however many options it has.
///
/// - Source: FBNetV2 (arXiv 2004.05565) equation 3; spec S20.
extension Engine {
  /// The mask of a choice of widths: M[c] = Σ gᵢ·[c < kᵢ].
  ///
  /// - Shapes: `weights` g [m], or [N, m] with a draw for each image; `widths` k, ascending, m of
  ///   them; result [kₘ] or [N, kₘ].
  /// - `forward` replaces the weights' values while the gradient still goes to `weights`: the
  ///   straight-through choice of spec S5.
  /// - Backward: ∂L/∂gᵢ = Σ dM[c] over c < kᵢ.
  /// - Cost: N·kₘ additions.
  /// - Reference: `ReferenceGraph.channelMask`.
  /// - Edge: equal widths may follow one another, as rounding gives them.
  package func channelMask(_ weights: Tensor, widths: [Int], forward: [Float]? = nil) -> Tensor {
    precondition(
      widths.first ?? 0 > 0 && zip(widths, widths.dropFirst()).allSatisfy { $0 <= $1 },
      "channelMask: widths \(widths) do not ascend"
    )
    let first = (0..<(widths.last ?? 0)).map { c in widths.count { $0 <= c } }
    return nestedMask(weights, first: first, options: widths.count, forward: forward)
  }

  /// The mask of a choice of kernels: option i is the centre kᵢ×kᵢ of the largest.
  ///
  /// M[y·K + x] = Σ gᵢ over the options whose centre has the tap (x, y).
  ///
  /// - Shapes: `weights` g [m]; `sides` k, odd and ascending, m of them; result [K·K], K = kₘ.
  /// - `forward` as in `channelMask`.
  /// - Backward: ∂L/∂gᵢ = Σ dM over the taps of option i.
  /// - Reference: `ReferenceGraph.tapMask`. Source: spec S22.
  package func tapMask(_ weights: Tensor, sides: [Int], forward: [Float]? = nil) -> Tensor {
    precondition(
      weights.shape.count == 1 && sides.allSatisfy { $0 > 0 && $0 % 2 == 1 }
        && zip(sides, sides.dropFirst()).allSatisfy { $0 < $1 },
      "tapMask: weights \(weights.shape) of sides \(sides)"
    )
    let side = sides.last ?? 0
    let first = (0..<side * side).map { tap in
      let distance = max(abs(tap / side - side / 2), abs(tap % side - side / 2))
      return sides.count { $0 / 2 < distance }
    }
    return nestedMask(weights, first: first, options: sides.count, forward: forward)
  }

  /// M[p] = Σ gᵢ over i from first[p] on, the options that hold the place p.
  private func nestedMask(
    _ weights: Tensor,
    first: [Int],
    options: Int,
    forward: [Float]?
  ) -> Tensor {
    let values = forward ?? weights.values
    precondition(
      weights.channels == options && values.count == weights.count && weights.normalisation == nil,
      "mask: weights \(weights.shape) and \(values.count) values for \(options) options"
    )
    let places = first.count
    let rows = weights.rows
    let out = pool.take(rows * places)
    for row in 0..<rows {
      // From the last option down, so that a one-hot choice gives 1 and 0 to the bit.
      var sums = [Float](repeating: 0, count: options)
      var sum: Float = 0
      for i in (0..<options).reversed() {
        sum += values[row * options + i]
        sums[i] = sum
      }
      for (p, i) in first.enumerated() { out.pointer[row * places + p] = sums[i] }
    }
    let mask = Tensor(
      shape: weights.shape.dropLast() + [places],
      buffer: out,
      requiresGradient: wantsGradient([weights])
    )
    record(mask) { [unowned self] in
      guard let g = takeSmallGradient(of: mask) else { return }
      let dg = ownGradient(of: weights)
      for row in 0..<rows {
        var sums = [Double](repeating: 0, count: options)
        for (p, i) in first.enumerated() { sums[i] += Double(g[row * places + p]) }
        var sum = 0.0
        for i in 0..<options {
          sum += sums[i]
          dg.pointer[row * options + i] += Float(sum)
        }
      }
    }
    return mask
  }

  /// y = x ∘ M behind everything deferred on `x`: a channel whose M is 0 is 0, whatever the shift
  /// of its batch-norm.
  ///
  /// Where only batch-norm or ReLU is deferred, M folds into the normalisation and costs no pass:
  /// M·relu(s·x + t) = relu(M·s·x + M·t) for M ≥ 0. The result is then a view of `x`.
  ///
  /// - Shapes: `x` [N, H, W, C] or [N, C]; `mask` [C], or [N, C] for each image; result as `x`,
  ///   deferred where it is a view, else plain.
  /// - Backward of a view: with g the gradient after M·s and M·t, whose sums Σ g and Σ g·x its
  ///   readers take, ∂L/∂(s·x + t) = M·g and ∂L/∂M = Σ G·relu(s·x + t) = s·Σ g·x + t·Σ g, since
  ///   G·relu(z) = g·z. So batch-norm's sums give the gradient of the mask as well.
  /// - Cost: C operations for a view; else that of `scaleChannels`, which takes ∂L/∂M in its pass:
  ///   for hswish, for masks by image, for plain tensors, and for a ReLU under a mask of which some
  ///   value is 0 while its gradient is wanted. Such a channel is 0 to the readers of a view, so
  ///   they cannot tell what it would have been.
  /// - Reference: `ReferenceGraph.scaleChannels`. Source: spec S20.
  /// - Edge: a view must be the only reader of `x` before it in the backward pass.
  package func mask(_ x: Tensor, by mask: Tensor) -> Tensor {
    guard let whole = x.normalisation, mask.shape == [x.channels], mask.normalisation == nil,
      folds(mask, into: whole.activation)
    else { return scaleChannels(x, by: mask) }
    let view = Normalisation(whole, by: mask.buffer, pool: pool)
    let y = Tensor(
      shape: x.shape,
      buffer: x.buffer,
      normalisation: view,
      requiresGradient: wantsGradient([x, mask])
    )
    record(y) { [unowned self] in
      guard var gradient = y.gradient else { return }
      y.gradient = nil
      // One access to the class for all channels: each costs more than the arithmetic.
      let (sums, products) = (view.sums, view.products)
      if mask.requiresGradient {
        let dM = ownGradient(of: mask)
        for c in sums.indices {
          let (s, t) = (Double(whole.scale.pointer[c]), Double(whole.shift.pointer[c]))
          dM.pointer[c] += Float(s * products[c] + t * sums[c])
        }
      }
      guard x.requiresGradient else { return }
      precondition(x.gradient == nil, "mask: a view must be the last reader of what it masks")
      gradient.channelFactors = channelFactors(mask.buffer, and: gradient.channelFactors)
      x.gradient = gradient
      var (wholeSums, wholeProducts) = (whole.sums, whole.products)
      for c in sums.indices {
        let m = Double(mask.buffer.pointer[c])
        wholeSums[c] += m * sums[c]
        wholeProducts[c] += m * products[c]
      }
      (whole.sums, whole.products) = (wholeSums, wholeProducts)
    }
    return y
  }

  /// The product of two masks, of which one may be missing.
  private func channelFactors(_ mask: Buffer, and other: Buffer?) -> Buffer {
    guard let other else { return mask }
    let product = pool.take(mask.count)
    for c in 0..<mask.count { product.pointer[c] = mask.pointer[c] * other.pointer[c] }
    return product
  }

  /// Whether `mask` folds into a batch-norm that `activation` follows.
  private func folds(_ mask: Tensor, into activation: Activation) -> Bool {
    switch activation {
    case .none: true
    case .relu:
      wantsGradient([mask])
        ? mask.buffer.elements.allSatisfy { $0 > 0 } : mask.buffer.elements.allSatisfy { $0 >= 0 }
    case .hswish: false
    }
  }
}
