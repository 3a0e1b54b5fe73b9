import Kernels

extension Engine {
  /// Global average pool, through what is deferred on `x`.
  ///
  /// - Shapes: `x` [N, H, W, C]; result [N, C].
  /// - Forward: y[n, c] = Σ x[n, h, w, c]/(H·W).
  /// - Backward: ∂L/∂x[n, h, w, c] = g[n, c]/(H·W).
  /// - Cost: N·H·W·C additions each way; bound by memory.
  /// - Reference: `ReferenceGraph.averagePool`.
  package func averagePool(_ x: Tensor) -> Tensor {
    precondition(x.shape.count == 4, "averagePool: input \(x.shape) is no image")
    let (images, pixels, channels) = (x.shape[0], x.shape[1] * x.shape[2], x.channels)
    let out = pool.take(images * channels)
    let source = x.source
    threadPool.run(
      Work("average pool", .forward, arithmetic: 3 * x.count, floats: x.count),
      chunks: images
    ) { image, _ in
      let rows = image * pixels..<(image + 1) * pixels
      kernels.averageRows(source, rows, out.pointer + image * channels)
    }
    let y = Tensor(shape: [images, channels], buffer: out, requiresGradient: wantsGradient([x]))
    record(y) { [unowned self] in
      guard y.gradient != nil else { return }
      let gradient = ownGradient(of: y)
      y.gradient = nil
      let target = gradientTarget(of: x)
      let sums = gradientSums(of: x, chunks: images)
      threadPool.run(
        Work("average pool", .backward, arithmetic: 6 * x.count, floats: 2 * x.count),
        chunks: images
      ) { image, _ in
        kernels.averageRowsBackward(
          AverageBackward(
            source: source,
            gradient: gradient.pointer + image * channels,
            out: target.buffer.pointer,
            accumulate: target.accumulate,
            sums: sums?.chunk(image)
          ),
          image * pixels..<(image + 1) * pixels
        )
      }
      sums?.add(to: x.normalisation)
    }
    return y
  }
}
