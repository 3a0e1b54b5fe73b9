import Kernels

extension Engine {
  /// y = Σ wᵢ·fᵢ(u), a choice between activations, u what stands behind the batch-norm of `x`.
  ///
  /// - Shapes: `x` any of two dimensions or more, plain or with a batch-norm and no activation
  ///   deferred; `weights` [k], or [N, k] with a draw for each image, in the order of
  ///   `activations`; result as `x`, plain.
  /// - `forward` replaces the weights' values while the gradient still goes to `weights`: the
  ///   straight-through choice of spec S5.
  /// - Backward: ∂L/∂u = g·Σ wᵢ·fᵢ′(u) and ∂L/∂wᵢ = Σ g·fᵢ(u). The gradient of `x` stands in the
  ///   place of the result's where it is the first.
  /// - Cost: one pass over the elements each way, batch-norm's sums with it; bound by memory.
  /// - Reference: `ReferenceGraph.mixActivations`. Source: spec S22.
  package func mixActivations(
    _ x: Tensor,
    _ activations: [Activation],
    weights: Tensor,
    forward: [Float]? = nil
  ) -> Tensor {
    let k = activations.count
    let values = forward ?? weights.values
    let (images, channels) = (x.shape[0], x.channels)
    precondition(
      x.shape.count > 1 && (weights.shape == [k] || weights.shape == [images, k])
        && values.count == weights.count && weights.normalisation == nil,
      "mixActivations: weights \(weights.shape) of \(k) activations for input \(x.shape)"
    )
    precondition(
      (x.normalisation?.activation ?? Activation.none) == Activation.none,
      "mixActivations: an activation is deferred on \(x.shape)"
    )
    let pixels = x.rows / images
    let isPerImage = weights.shape.count == 2
    let mixtures = (0..<weights.rows).map { row in
      var mixture = ActivationWeights(linear: 0, relu: 0, hswish: 0)
      for (i, activation) in activations.enumerated() {
        let value = values[row * k + i]
        switch activation {
        case .none: mixture.linear += value
        case .relu: mixture.relu += value
        case .hswish: mixture.hswish += value
        }
      }
      return mixture
    }
    let out = pool.take(x.count)
    threadPool.run(
      Work("mixed activation", .forward, arithmetic: 9 * x.count, floats: 2 * x.count),
      chunks: images,
      workspaceFloats: x.gatheredFloats
    ) { image, workspace in
      let mixture = ActivationMixture(
        source: imageRows(of: x, image: image, workspace),
        weights: mixtures[isPerImage ? image : 0],
        out: out.pointer + image * pixels * channels
      )
      kernels.mixActivations(mixture, 0..<pixels)
    }
    let y = Tensor(shape: x.shape, buffer: out, requiresGradient: wantsGradient([x, weights]))
    record(y) { [unowned self] in
      guard y.gradient != nil else { return }
      let gradient = ownGradient(of: y)
      y.gradient = nil
      let ofView = GridGradient(of: x, engine: self)
      let accumulate = x.gradient != nil
      let target = !x.requiresGradient ? nil : accumulate ? ownGradient(of: x) : gradient
      let sums = target == nil ? nil : gradientSums(of: x, chunks: images)
      let dots = pool.takeZeros(images * 3 * channels)
      threadPool.run(
        Work("mixed activation", .backward, arithmetic: 22 * x.count, floats: 3 * x.count),
        chunks: images,
        workspaceFloats: x.gatheredFloats
      ) { image, workspace in
        let first = image * pixels * channels
        let backward = ActivationMixtureBackward(
          source: imageRows(of: x, image: image, workspace),
          weights: mixtures[isPerImage ? image : 0],
          gradient: gradient.pointer + first,
          out: target.map { $0.pointer + first },
          accumulate: accumulate,
          sums: sums?.chunk(image),
          dots: dots.pointer + image * 3 * channels
        )
        kernels.mixActivationsBackward(backward, 0..<pixels)
        ofView?.add(image, gradient.pointer + first)
      }
      if let target, !accumulate, ofView == nil { x.gradient = Tensor.Gradient(buffer: target) }
      sums?.add(to: x.normalisation)
      guard weights.requiresGradient else { return }
      let dw = ownGradient(of: weights)
      for (i, activation) in activations.enumerated() {
        for row in 0..<weights.rows {
          var sum = 0.0
          for image in isPerImage ? row..<row + 1 : 0..<images {
            let run = dots.pointer + (image * 3 + Int(activation.rawValue)) * channels
            for c in 0..<channels { sum += Double(run[c]) }
          }
          dw.pointer[row * k + i] += Float(sum)
        }
      }
    }
    return y
  }
}
