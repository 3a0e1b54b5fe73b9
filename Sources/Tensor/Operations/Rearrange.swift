import Kernels

extension Engine {
  /// The value of `x` with everything deferred applied, as plain elements.
  ///
  /// Worth it where several operations read one deferred normalisation, and at the end of a graph.
  ///
  /// - Shapes: any; result the same.
  /// - Backward: ∂L/∂x = g, with the activation's derivative and batch-norm's sums taken on the
  ///   way.
  /// - Cost: one pass over the elements each way; bound by memory.
  /// - Reference: `ReferenceGraph.materialise`.
  package func materialise(_ x: Tensor) -> Tensor {
    rearrange(x, channelOrder: nil)
  }

  /// Channel shuffle: channel i·(C/g) + j moves to j·g + i, so the next grouped convolution mixes
  /// groups.
  ///
  /// - Shapes: `x` [N, H, W, C] with C divisible by `groups`; result the same, plain.
  /// - Backward: the inverse order, ∂L/∂x[i·(C/g) + j] = g[j·g + i].
  /// - Cost: one pass over the elements each way; bound by memory.
  /// - Reference: `ReferenceGraph.channelShuffle`.
  /// - Source: ShuffleNet (arXiv 1707.01083); FBNetV1 section 4.1; spec S3.
  package func channelShuffle(_ x: Tensor, groups: Int) -> Tensor {
    precondition(
      x.channels % groups == 0,
      "channelShuffle: \(x.channels) channels, \(groups) groups"
    )
    let width = x.channels / groups
    return rearrange(x, channelOrder: (0..<x.channels).map { $0 % groups * width + $0 / groups })
  }

  /// Copies rows through what is deferred; output channel c reads input channel `channelOrder[c]`.
  private func rearrange(_ x: Tensor, channelOrder: [Int]?) -> Tensor {
    let channels = x.channels
    let out = pool.take(x.count)
    let chunks = Chunks(rows: x.rows, rowFloats: 2 * channels)
    let source = x.source
    let name = channelOrder == nil ? "materialise" : "channel shuffle"
    threadPool.run(
      Work(name, .forward, arithmetic: 2 * x.count, floats: 2 * x.count),
      chunks: chunks.count,
      workspaceFloats: channels
    ) { chunk, workspace in
      let range = chunks[chunk]
      guard let order = channelOrder else {
        kernels.materialise(source, range, out.pointer)
        return
      }
      order.withUnsafeBufferPointer { order in
        var row = source
        for r in range {
          row.base = source.base + r * channels
          kernels.materialise(row, 0..<1, workspace)
          let to = out.pointer + r * channels
          for c in 0..<channels { to[c] = workspace[order[c]] }
        }
      }
    }
    let y = Tensor(shape: x.shape, buffer: out, requiresGradient: wantsGradient([x]))
    record(y) { [unowned self] in
      guard y.gradient != nil else { return }
      let gradient = ownGradient(of: y)
      y.gradient = nil
      // A first reader writes in place; a later one needs its own derivative and sums before
      // adding.
      let existing = x.gradient == nil ? nil : ownGradient(of: x)
      let target = channelOrder == nil && existing == nil ? gradient : pool.take(x.count)
      let sums = gradientSums(of: x, chunks: chunks.count)
      threadPool.run(
        Work(name, .backward, arithmetic: 6 * x.count, floats: 3 * x.count),
        chunks: chunks.count
      ) { chunk, _ in
        let range = chunks[chunk]
        if let order = channelOrder {
          for r in range {
            let from = gradient.pointer + r * channels
            let to = target.pointer + r * channels
            for c in 0..<channels { to[order[c]] = from[c] }
          }
        } else if existing != nil {
          (target.pointer + range.lowerBound * channels).update(
            from: gradient.pointer + range.lowerBound * channels,
            count: range.count * channels
          )
        }
        if source.scale != nil {
          let finish = GradientFinish(
            inPlace: target.pointer,
            source: source,
            first: range.lowerBound,
            sums: sums?.chunk(chunk)
          )
          kernels.finishGradientRows(finish, range)
        }
        if let existing {
          kernels.addScaled(
            range.count * channels,
            1,
            target.pointer + range.lowerBound * channels,
            existing.pointer + range.lowerBound * channels
          )
        }
      }
      if existing == nil { x.gradient = Tensor.Gradient(buffer: target) }
      sums?.add(to: x.normalisation)
    }
    return y
  }

  /// `x` with channels of zeros behind its own.
  ///
  /// - Shapes: `x` [N, H, W, C], deferred or plain; result [N, H, W, `channels`], plain.
  /// - Backward: ∂L/∂x is the gradient of its own channels.
  /// - Cost: one pass over the elements each way; bound by memory.
  package func padChannels(_ x: Tensor, to channels: Int) -> Tensor {
    precondition(x.channels <= channels, "padChannels: \(x.channels) channels to \(channels)")
    let out = pool.takeZeros(x.rows * channels)
    let chunks = Chunks(rows: x.rows, rowFloats: x.channels + channels)
    let source = x.source
    threadPool.run(
      Work("channel padding", .forward, arithmetic: 2 * x.count, floats: 2 * x.count),
      chunks: chunks.count
    ) { chunk, _ in
      var row = source
      for r in chunks[chunk] {
        row.base = source.base + r * x.channels
        kernels.materialise(row, 0..<1, out.pointer + r * channels)
      }
    }
    let y = Tensor(
      shape: x.shape.dropLast() + [channels],
      buffer: out,
      requiresGradient: wantsGradient([x])
    )
    record(y) { [unowned self] in
      guard y.gradient != nil else { return }
      let gradient = ownGradient(of: y)
      y.gradient = nil
      let (target, accumulate) = gradientTarget(of: x)
      let sums = gradientSums(of: x, chunks: chunks.count)
      threadPool.run(
        Work("channel padding", .backward, arithmetic: 6 * x.count, floats: 3 * x.count),
        chunks: chunks.count
      ) { chunk, _ in
        let range = chunks[chunk]
        let finish = GradientFinish(
          source: source,
          gradient: gradient.pointer + range.lowerBound * channels,
          gradientStride: channels,
          out: target.pointer,
          accumulate: accumulate,
          sums: sums?.chunk(chunk)
        )
        kernels.finishGradientRows(finish, range)
      }
      sums?.add(to: x.normalisation)
    }
    return y
  }
}
