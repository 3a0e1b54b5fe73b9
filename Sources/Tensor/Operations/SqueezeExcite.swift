import Kernels

extension Engine {
  /// y[n, h, w, c] = x[n, h, w, c] · gate[n, c], through what is deferred on `x`.
  ///
  /// - Shapes: `x` [N, H, W, C] or [N, C], `gate` [N, C], or [C] for all images, and plain; result
  ///   as `x`, plain.
  /// - Backward: ∂L/∂x[n, h, w, c] = g[n, h, w, c]·gate[n, c], and ∂L/∂gate[n, c] = Σ g[n, h, w,
  ///   c]·x[n, h, w, c] over h and w, and over n where the images share it. The gradient of `x`
  ///   stands in the place of the result's where it is the first.
  /// - Cost: one pass over the elements each way, batch-norm's sums with it; bound by memory.
  /// - Reference: `ReferenceGraph.scaleChannels`.
  /// - Source: squeeze-and-excitation (arXiv 1709.01507) equation 4.
  package func scaleChannels(_ x: Tensor, by gate: Tensor) -> Tensor {
    let (images, channels) = (x.shape[0], x.channels)
    let isShared = gate.shape == [channels]
    precondition(
      x.shape.count > 1 && (isShared || gate.shape == [images, channels])
        && gate.normalisation == nil,
      "scaleChannels: gate \(gate.shape) for input \(x.shape)"
    )
    let pixels = x.rows / images
    let gateStride = isShared ? 0 : channels
    let out = pool.take(x.count)
    let source = x.source
    threadPool.run(
      Work("scale channels", .forward, arithmetic: 3 * x.count, floats: 2 * x.count),
      chunks: images
    ) { image, _ in
      kernels.scaleRows(
        ChannelScale(
          source: source,
          gate: gate.buffer.pointer + image * gateStride,
          out: out.pointer
        ),
        image * pixels..<(image + 1) * pixels
      )
    }
    let y = Tensor(shape: x.shape, buffer: out, requiresGradient: wantsGradient([x, gate]))
    record(y) { [unowned self] in
      guard y.gradient != nil else { return }
      let gradient = ownGradient(of: y)
      y.gradient = nil
      let accumulate = x.gradient != nil
      let target = !x.requiresGradient ? nil : accumulate ? ownGradient(of: x) : gradient
      let sums = target == nil ? nil : gradientSums(of: x, chunks: images)
      // A shared gate has a partial gradient for each image, so that no two chunks write to one.
      let gates =
        !gate.requiresGradient
        ? nil : isShared ? pool.takeZeros(images * channels) : ownGradient(of: gate)
      threadPool.run(
        Work(
          "scale channels",
          .backward,
          arithmetic: 9 * x.count,
          floats: 3 * x.count
        ),
        chunks: images
      ) { image, _ in
        kernels.scaleRowsBackward(
          ChannelScaleBackward(
            source: source,
            gate: gate.buffer.pointer + image * gateStride,
            gradient: gradient.pointer,
            out: target?.pointer,
            accumulate: accumulate,
            sums: sums?.chunk(image),
            dots: gates.map { $0.pointer + image * channels }
          ),
          image * pixels..<(image + 1) * pixels
        )
      }
      if let target, !accumulate { x.gradient = Tensor.Gradient(buffer: target) }
      sums?.add(to: x.normalisation)
      if let gates, isShared { addRows(gates, count: images, to: ownGradient(of: gate)) }
    }
    return y
  }

  /// Adds the sum of `count` rows, in their order, to `row`.
  func addRows(_ rows: Buffer, count: Int, to row: Buffer) {
    for c in 0..<row.count {
      var sum = 0.0
      for r in 0..<count { sum += Double(rows.pointer[r * row.count + c]) }
      row.pointer[c] += Float(sum)
    }
  }

  /// Squeeze-and-excitation: every channel times a factor that all channels of its image decide.
  ///
  /// gate = hsigmoid(restore(inner(reduce(averagePool(x))))), both 1×1 with bias; result x · gate.
  ///
  /// - Shapes: `x` [N, H, W, C], deferred or plain; `reduce` [1, 1, C, S] or [C, S], `reduceBias`
  ///   [S], `restore` [1, 1, S, C] or [S, C], `restoreBias` [C]; result [N, H, W, C], plain.
  /// - Backward: that of its parts.
  /// - Cost: two passes over `x` and 4·N·C·S operations.
  /// - Reference: `ReferenceGraph.squeezeExcite`.
  /// - Source: squeeze-and-excitation (arXiv 1709.01507) with the hard sigmoid of MobileNetV3
  ///   (arXiv 1905.02244), as in FBNetV2 (arXiv 2004.05565) and FBNetV3 (arXiv 2006.02049).
  package func squeezeExcite(
    _ x: Tensor,
    reduce: Parameter,
    reduceBias: Parameter,
    restore: Parameter,
    restoreBias: Parameter,
    inner: Activation
  ) -> Tensor {
    let squeezed = convolution(averagePool(x), filter: reduce, bias: reduceBias)
    let excited = convolution(activate(squeezed, inner), filter: restore, bias: restoreBias)
    return scaleChannels(x, by: hsigmoid(excited))
  }
}
