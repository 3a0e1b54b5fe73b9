import Kernels

extension Engine {
  /// Global average pool: [N, H, W, C] → [N, C], through what is pending on `x`.
  package func averagePool(_ x: Tensor) -> Tensor {
    precondition(x.shape.count == 4, "averagePool: input \(x.shape) is no image")
    let (images, pixels, channels) = (x.shape[0], x.shape[1] * x.shape[2], x.channels)
    let out = pool.take(images * channels)
    let source = x.source
    profile?.next = Work("average pool", .forward, arithmetic: 3 * x.count, floats: x.count)
    team.run(chunks: images, scratchFloats: 0, pool: pool) { image, _ in
      kernels.averageRows(source, image * pixels, pixels, out.pointer + image * channels)
    }
    let y = Tensor(shape: [images, channels], buffer: out, requiresGradient: wantsGradient([x]))
    record(y) { [unowned self] in
      guard y.gradient != nil else { return }
      let gradient = ownGradient(of: y)
      y.gradient = nil
      let target = gradientTarget(of: x)
      let sums = x.normalisation == nil ? nil : pool.takeZeros(images * 2 * channels)
      profile?.next = Work("average pool", .backward, arithmetic: 6 * x.count, floats: 2 * x.count)
      team.run(chunks: images, scratchFloats: 0, pool: pool) { image, _ in
        let s = sums.map { $0.pointer + image * 2 * channels }
        kernels.averageRowsBackward(
          source,
          gradient.pointer + image * channels,
          image * pixels,
          pixels,
          target.buffer.pointer,
          target.accumulate,
          s,
          s.map { $0 + channels }
        )
      }
      if let sums, let normalisation = x.normalisation {
        addSums(sums, chunks: images, to: normalisation)
      }
    }
    return y
  }
}
