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
    threadPool.run(
      Work("average pool", .forward, arithmetic: 3 * x.count, floats: x.count),
      chunks: images,
      workspaceFloats: x.gatheredFloats
    ) { image, workspace in
      let source = imageRows(of: x, image: image, workspace)
      kernels.averageRows(source, 0..<pixels, out.pointer + image * channels)
    }
    let y = Tensor(shape: [images, channels], buffer: out, requiresGradient: wantsGradient([x]))
    record(y) { [unowned self] in
      guard y.gradient != nil else { return }
      let gradient = ownGradient(of: y)
      y.gradient = nil
      let ofView = GridGradient(of: x, engine: self)
      let target = ofView == nil ? gradientTarget(of: x) : nil
      let sums = gradientSums(of: x, chunks: images)
      threadPool.run(
        Work("average pool", .backward, arithmetic: 6 * x.count, floats: 2 * x.count),
        chunks: images,
        workspaceFloats: x.gatheredFloats
      ) { image, workspace in
        kernels.averageRowsBackward(
          AverageBackward(
            source: imageRows(of: x, image: image, workspace),
            gradient: gradient.pointer + image * channels,
            // What is gathered makes room for its gradient.
            out: target.map { $0.buffer.pointer + image * pixels * channels } ?? workspace,
            accumulate: target?.accumulate ?? false,
            sums: sums?.chunk(image)
          ),
          0..<pixels
        )
        ofView?.add(image, workspace)
      }
      sums?.add(to: x.normalisation)
    }
    return y
  }
}
