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
  /// - Shapes: `x` [N, H, W, C], plain; result [N, h, w, C], a view of `x`, for
  ///   `depthwiseConvolution`, `averagePool` and `mixActivations`.
  /// - Backward: the raw gradient α·g + β·y + κ (see `convolution`) of a pixel is added to that of
  ///   the pixel that it came from: α·g by the view's readers, the rest by `PixelGrids`.
  /// - Cost: one pass over the map each way for all sizes that `PixelGrids` knows of.
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
    let grids: PixelGrids
    if let known = x.grids {
      grids = known
    } else {
      grids = PixelGrids()
      x.grids = grids
      // First on the tape, so that it comes after all views.
      record(x) { [unowned self] in addStatisticsGradient(of: grids, to: x) }
    }
    let rows = x.shape[0] * size.height * size.width
    let y = Tensor(
      shape: [x.shape[0], size.height, size.width, x.channels],
      buffer: x.buffer,
      normalisation: normalise(
        norm,
        activation: activation,
        rows: rows,
        moments: mode == .inference ? nil : moments(of: x, grids, at: size)
      ),
      requiresGradient: wantsGradient([x], parameters: true),
      view: GridView(of: x, grid(of: size, in: MapSize(height: x.shape[1], width: x.shape[2])))
    )
    record(y) { [unowned self] in
      precondition(y.gradient == nil, "subsample: a reader left a gradient at a view")
      guard y.view?.hasGradient == true, let normalisation = y.normalisation else { return }
      let coefficients = normalisation.coefficients(
        factor: 0,
        trainNorm: trainsParameters,
        pool: pool
      )
      if normalisation.fromBatch { grids.pending.append((size, coefficients)) }
    }
    return y
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
