import Kernels

/// Height and width of a map, in pixels.
package struct MapSize: Sendable, Equatable {
  /// Rows.
  package var height: Int
  /// Columns.
  package var width: Int

  /// Makes a size.
  package init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }
}

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
    return move(x, grid.enumerated().map { (from: $1, to: $0) }, to: size)
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
    return move(x, grid.enumerated().map { (from: $0, to: $1) }, to: size)
  }

  /// Σ gᵢ·scatter(F(subsample(x, sizeᵢ))): a choice of resolution for the operator F.
  ///
  /// The options' values meet in one map. F is run again for each in the backward pass, so the
  /// memory is that of one option, however many there are.
  ///
  /// - Parameters:
  ///   - x: [N, H, W, C], deferred or plain.
  ///   - sizes: of the options, none larger than the map; one as large reads all of it.
  ///   - weights: g, [k], or [N, k] with a draw for each image.
  ///   - forward: replaces the weights' values while the gradient still goes to `weights` (spec
  ///     S5). An option of weight 0 is not run then, unless for the gradient of its weight.
  ///   - inputs: tensors from outside that F reads beside `x` and that may want a gradient.
  ///   - size: of the result; F of the whole map has it.
  ///   - body: F, of one kernel of weights for all options; must give the same bits each time.
  /// - Returns: [N, H', W', C'], plain; [N, C'] where F ends in a mean over the pixels.
  /// - Backward: ∂L/∂gᵢ = Σ g·Fᵢ over the pixels of option i, and gᵢ·g at these pixels is the
  ///   gradient of Fᵢ.
  /// - Reference: `ReferenceGraph.resolutionSum`.
  package func resolutionSum(
    _ x: Tensor,
    sizes: [MapSize],
    weights: Tensor,
    forward: [Float]? = nil,
    inputs: [Tensor] = [],
    to size: MapSize,
    _ body: @escaping (Tensor) -> Tensor
  ) -> Tensor {
    let k = sizes.count
    let images = x.shape[0]
    let values = forward ?? weights.values
    precondition(
      k > 0 && (weights.shape == [k] || weights.shape == [images, k])
        && values.count == weights.count && weights.normalisation == nil,
      "resolutionSum: weights \(weights.shape) of \(k) sizes for input \(x.shape)"
    )
    let whole = MapSize(height: x.shape[1], width: x.shape[2])
    func option(_ i: Int) -> Tensor {
      // Plain, so that F may read it more than once, and by any operation.
      let isWhole = sizes[i] == whole && x.normalisation == nil
      let y = body(isWhole ? x : subsample(x, to: sizes[i]))
      return y.normalisation == nil ? y : materialise(y)
    }
    func factor(_ i: Int, _ image: Int) -> Float {
      values[(weights.rows > 1 ? image * k : 0) + i]
    }
    func isUsed(_ i: Int) -> Bool { (0..<images).contains { factor(i, $0) != 0 } }

    var out: Buffer?
    var channels = 0
    var isMap = true
    let used = (0..<k).filter(isUsed)
    // The largest first, whose buffers then serve the others.
    for i in used.isEmpty ? [0] : used.reversed() {
      let y = pool.lendingLarger { withoutRecording { option(i) } }
      let grid = grid(of: mapSize(of: y), in: size)
      (channels, isMap) = (y.channels, y.shape.count == 4)
      let sum = out ?? pool.takeZeros(images * size.height * size.width * channels)
      out = sum
      threadPool.run(
        Work("pixels scattered", .forward, arithmetic: 2 * y.count, floats: 3 * y.count),
        chunks: images
      ) { image, _ in
        let from = y.buffer.pointer + image * grid.count * channels
        let to = sum.pointer + image * size.height * size.width * channels
        for (p, q) in grid.enumerated() {
          kernels.addScaled(channels, factor(i, image), from + p * channels, to + q * channels)
        }
      }
    }
    guard let out else { preconditionFailure("resolutionSum: no options") }
    let y = Tensor(
      shape: isMap ? [images, size.height, size.width, channels] : [images, channels],
      buffer: out,
      requiresGradient: wantsGradient([x, weights] + inputs, parameters: true)
    )
    let mode = mode
    record(y) { [unowned self] in
      guard y.gradient != nil else { return }
      let gradient = ownGradient(of: y)
      y.gradient = nil
      for i in (0..<k).reversed() where isUsed(i) || weights.requiresGradient {
        pool.lendingLarger {
          replay(mode: mode) {
            let again = isUsed(i) ? option(i) : withoutRecording { option(i) }
            let factors = (0..<images).map { factor(i, $0) }
            let (own, dots) = gather(gradient, from: size, to: again, times: factors)
            if weights.requiresGradient {
              let dg = ownGradient(of: weights)
              for (image, dot) in dots.enumerated() {
                dg.pointer[(weights.rows > 1 ? image * k : 0) + i] += Float(dot)
              }
            }
            if isUsed(i) { hand(Tensor.Gradient(buffer: own), to: again) }
          }
        }
      }
    }
    return y
  }

  /// The gradient of an option `y` of a map of `size`: the map's gradient at the option's pixels
  /// times a factor for each image, and Σ g·y of each image without it.
  private func gather(
    _ gradient: Buffer,
    from size: MapSize,
    to y: Tensor,
    times factors: [Float]
  ) -> (gradient: Buffer, dots: [Double]) {
    let (images, channels) = (y.shape[0], y.channels)
    let grid = grid(of: mapSize(of: y), in: size)
    let out = pool.take(y.count)
    let sums = pool.takeZeros(images * 3 * channels)
    threadPool.run(
      Work("pixels scattered", .backward, arithmetic: 5 * y.count, floats: 4 * y.count),
      chunks: images
    ) { image, _ in
      let from = gradient.pointer + image * size.height * size.width * channels
      let offset = image * grid.count * channels
      let to = out.pointer + offset
      for (p, q) in grid.enumerated() {
        (to + p * channels).update(from: from + q * channels, count: channels)
      }
      let branch = Branch(
        base: y.buffer.pointer + offset,
        scale: nil,
        shift: nil,
        activation: .none,
        weight: 1
      )
      let own = sums.pointer + image * 3 * channels
      kernels.branchSums(
        BranchSums(
          branch: branch,
          gradient: to,
          channels: channels,
          sums: PartialSums(sums: own, products: own + channels),
          dots: own + 2 * channels
        ),
        0..<grid.count
      )
      kernels.scale(grid.count * channels, factors[image], to, to)
    }
    let dots = (0..<images).map { image in
      (0..<channels).reduce(0.0) { $0 + Double(sums.pointer[(image * 3 + 2) * channels + $1]) }
    }
    return (out, dots)
  }

  /// The size of a map [N, H, W, C]; of [N, C] one pixel.
  private func mapSize(of x: Tensor) -> MapSize {
    x.shape.count == 4
      ? MapSize(height: x.shape[1], width: x.shape[2]) : MapSize(height: 1, width: 1)
  }

  /// The pixels of a grid of `size` in a map of `whole`, row by row.
  private func grid(of size: MapSize, in whole: MapSize) -> [Int] {
    precondition(
      (1...whole.height).contains(size.height) && (1...whole.width).contains(size.width),
      "grid: \(size.height)×\(size.width) pixels of \(whole.height)×\(whole.width)"
    )
    return (0..<size.height * size.width).map { p in
      p / size.width * whole.height / size.height * whole.width
        + p % size.width * whole.width / size.width
    }
  }

  /// A map of `size` with pixels of `x` at other places, and zeros where none comes.
  private func move(_ x: Tensor, _ pixels: [(from: Int, to: Int)], to size: MapSize) -> Tensor {
    let (images, channels) = (x.shape[0], x.channels)
    let inFloats = x.count / images
    let outFloats = size.height * size.width * channels
    let out =
      pixels.count * channels < outFloats
      ? pool.takeZeros(images * outFloats) : pool.take(images * outFloats)
    let source = x.source
    let moved = images * pixels.count * channels
    threadPool.run(
      Work("pixels moved", .forward, arithmetic: 2 * moved, floats: 2 * moved),
      chunks: images
    ) { image, _ in
      var row = source
      for (from, to) in pixels {
        row.base = source.base + image * inFloats + from * channels
        kernels.materialise(row, 0..<1, out.pointer + image * outFloats + to * channels)
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
        for (from, to) in pixels {
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
          kernels.finishGradientRows(finish, 0..<1)
        }
      }
      sums?.add(to: x.normalisation)
    }
    return y
  }
}
