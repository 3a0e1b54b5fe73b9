import Kernels

/// Options of resolution that share one operator: each reads a grid of the map's pixels, and its
/// values go back to the pixels of that grid.
///
/// One rule chooses the grid everywhere: of n pixels along a side an option of h takes pixel
/// ⌊i·n/h⌋ for i in 0..<h. The first pixel is always among them, none twice, so an option's pixels
/// are a subset of the map's and a strided convolution's grid is one of them.
///
/// - Source: FBNetV2 (arXiv 2004.05565) section 3.3; spec S23.
extension Engine {
  /// The pixels of a smaller grid of `x`: y[i, j] = x[⌊i·H/h⌋, ⌊j·W/w⌋].
  ///
  /// - Shapes: `x` [N, H, W, C], deferred or plain; result [N, h, w, C], plain.
  /// - Backward: the gradient of a pixel goes to the pixel that it came from, 0 to the others.
  /// - Cost: one pass over the small map each way.
  /// - Reference: `ReferenceGraph.subsample`.
  package func subsample(_ x: Tensor, to size: MapSize) -> Tensor {
    precondition(x.shape.count == 4, "subsample: input \(x.shape) is no image")
    let grid = grid(of: size, in: MapSize(height: x.shape[1], width: x.shape[2]))
    return move(x, grid.map { (from: $0.large, to: $0.small, count: $0.count) }, to: size)
  }

  /// The pixels of a smaller grid of `x`, with a batch-norm and an activation deferred on them:
  /// what a 1×1 convolution with batch-norm makes of that grid, where `x` is its raw output on the
  /// whole map.
  ///
  /// A 1×1 convolution sees one pixel at a time, so one run of it serves every size; only the
  /// batch-norms are of the pixels that they stand on.
  ///
  /// - Shapes: `x` [N, H, W, C], plain; result [N, h, w, C], in the memory of `x`: a grid of all
  ///   pixels is an ordinary tensor, any other a view, for `depthwiseConvolution`, `averagePool`
  ///   and `mixActivations`.
  /// - Backward: the raw gradient α·g + β·y + κ (see `convolution`) of a pixel is added to that of
  ///   the pixel that it came from; of a view its readers add α·g.
  /// - Cost: one pass over the small map each way.
  /// - Reference: `ReferenceGraph.subsample` with a norm.
  package func subsample(
    _ x: Tensor,
    to size: MapSize,
    norm: BatchNorm,
    activation: Activation
  ) -> Tensor {
    precondition(
      x.shape.count == 4 && x.normalisation == nil,
      "subsample: input \(x.shape) is no raw image"
    )
    let whole = MapSize(height: x.shape[1], width: x.shape[2])
    let view = size == whole ? nil : GridView(of: x, grid(of: size, in: whole))
    let (images, channels, pixels) = (x.shape[0], x.channels, size.height * size.width)
    var moments = mode == .inference ? nil : x.gridMoments[size]
    let sums =
      moments == nil ? outputSums(norm, chunks: images, channels: channels) : nil
    let dots = pool.takeZeros(images * channels)
    func tensor(_ normalisation: Normalisation?) -> Tensor {
      Tensor(
        shape: [images, size.height, size.width, channels],
        buffer: x.buffer,
        normalisation: normalisation,
        requiresGradient: wantsGradient([x], parameters: true),
        view: view
      )
    }
    let raw = tensor(nil)
    if let sums {
      threadPool.run(
        Work("pixels moved", .forward, arithmetic: 4 * raw.count, floats: raw.count),
        chunks: images,
        workspaceFloats: raw.gatheredFloats
      ) { image, workspace in
        let rows = imageRows(of: raw, image: image, workspace)
        // Σ g and Σ g·y of the gradient g = y.
        let work = BranchSums(
          branch: Branch(base: rows.base, scale: nil, shift: nil, activation: .none, weight: 1),
          gradient: rows.base,
          channels: channels,
          sums: sums.chunk(image),
          dots: dots.pointer + image * channels
        )
        kernels.branchSums(work, 0..<pixels)
      }
      moments = sums.moments(rows: images * pixels)
      x.gridMoments[size] = moments
    }
    let y = tensor(
      normalise(norm, activation: activation, rows: images * pixels, moments: moments)
    )
    record(y) { [unowned self] in
      if let view = y.view {
        addStatisticsGradient(of: y, view)
      } else {
        addRawGradient(of: y, to: x)
      }
    }
    return y
  }

  /// Adds β·y + κ of a view to the gradient of the map that it is of; its readers have added α·g.
  private func addStatisticsGradient(of y: Tensor, _ view: GridView) {
    precondition(y.gradient == nil, "subsample: a reader left a gradient at a view")
    guard view.hasGradient, let normalisation = y.normalisation else { return }
    let channels = y.channels
    let coefficients = normalisation.coefficients(
      factor: 0,
      trainNorm: trainsParameters,
      pool: pool
    )
    guard normalisation.fromBatch else { return }
    let target = ownGradient(of: view.whole)
    let raw = view.whole.buffer.pointer
    let source = GradientSource(
      gradient: raw,
      raw: raw,
      stride: channels,
      channels: channels,
      coefficients: coefficients.pointer,
      coefficientStride: channels
    )
    let pixels = view.wholeFloats / channels
    threadPool.run(
      Work("pixels moved", .backward, arithmetic: 4 * y.count, floats: 3 * y.count),
      chunks: y.shape[0]
    ) { image, _ in
      for run in view.runs {
        let first = image * pixels + run.large
        kernels.addGradientRows(
          source,
          first..<first + run.count,
          target.pointer + first * channels
        )
      }
    }
  }

  /// Adds the gradient of `y`, behind the batch-norm of a raw `x`, to that of `x`.
  private func addRawGradient(of y: Tensor, to x: Tensor) {
    let isAlone = x.gradient == nil && y.gradient?.owned == true
    guard let gradient = outputGradient(of: y), x.requiresGradient else { return }
    let target = isAlone ? gradient.buffer : ownGradient(of: x)
    let chunks = Chunks(rows: y.rows, rowFloats: y.channels)
    threadPool.run(
      Work("pixels moved", .backward, arithmetic: 5 * y.count, floats: 4 * y.count),
      chunks: chunks.count
    ) { chunk, _ in
      let rows = chunks[chunk]
      let out = target.pointer + rows.lowerBound * y.channels
      if isAlone {
        kernels.loadGradientRows(gradient.source, rows, out)
      } else {
        kernels.addGradientRows(gradient.source, rows, out)
      }
    }
    // The first reader of all pixels leaves its own buffer.
    if isAlone { x.gradient = Tensor.Gradient(buffer: gradient.buffer) }
  }

  /// The pixels of `x` at their places in a larger map, with zeros between: the converse of
  /// `subsample`.
  ///
  /// - Shapes: `x` [N, h, w, C], deferred or plain; result [N, H, W, C], plain.
  /// - Backward: ∂L/∂x[i, j] = g[⌊i·H/h⌋, ⌊j·W/w⌋].
  /// - Cost: one pass over the small map each way, and the zeros.
  /// - Reference: `ReferenceGraph.scatter`.
  package func scatter(_ x: Tensor, to size: MapSize) -> Tensor {
    precondition(x.shape.count == 4, "scatter: input \(x.shape) is no image")
    let grid = grid(of: MapSize(height: x.shape[1], width: x.shape[2]), in: size)
    return move(x, grid.map { (from: $0.small, to: $0.large, count: $0.count) }, to: size)
  }

  /// `x` at a size of its own or a smaller one, plain, so that more than one operation may read it.
  package func reading(_ x: Tensor, at size: MapSize) -> Tensor {
    let isWhole = size == MapSize(height: x.shape[1], width: x.shape[2])
    return isWhole && x.normalisation == nil ? x : subsample(x, to: size)
  }

  /// A map of `size` with pixels of `x` at other places, and zeros where none comes.
  private func move(
    _ x: Tensor,
    _ runs: [(from: Int, to: Int, count: Int)],
    to size: MapSize
  ) -> Tensor {
    let (images, channels) = (x.shape[0], x.channels)
    let pixels = runs.reduce(0) { $0 + $1.count }
    let inFloats = x.count / images
    let outFloats = size.height * size.width * channels
    let out =
      pixels * channels < outFloats
      ? pool.takeZeros(images * outFloats) : pool.take(images * outFloats)
    let source = x.source
    let moved = images * pixels * channels
    threadPool.run(
      Work("pixels moved", .forward, arithmetic: 2 * moved, floats: 2 * moved),
      chunks: images
    ) { image, _ in
      var row = source
      for (from, to, count) in runs {
        row.base = source.base + image * inFloats + from * channels
        kernels.materialise(row, 0..<count, out.pointer + image * outFloats + to * channels)
      }
    }
    let y = Tensor(
      shape: [images, size.height, size.width, channels],
      buffer: out,
      requiresGradient: wantsGradient([x])
    )
    record(y) { [unowned self] in
      guard y.gradient != nil else { return }
      let gradient = ownGradient(of: y)
      y.gradient = nil
      let target = ownGradient(of: x)
      let sums = gradientSums(of: x, chunks: images)
      threadPool.run(
        Work("pixels moved", .backward, arithmetic: 6 * moved, floats: 4 * moved),
        chunks: images
      ) { image, _ in
        var row = source
        for (from, to, count) in runs {
          let at = image * inFloats + from * channels
          row.base = source.base + at
          let finish = GradientFinish(
            source: row,
            gradient: gradient.pointer + image * outFloats + to * channels,
            gradientStride: channels,
            out: target.pointer + at,
            accumulate: true,
            sums: sums?.chunk(image)
          )
          kernels.finishGradientRows(finish, 0..<count)
        }
      }
      sums?.add(to: x.normalisation)
    }
    return y
  }
}
