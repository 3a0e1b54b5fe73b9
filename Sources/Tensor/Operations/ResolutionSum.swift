import Kernels

/// A choice of resolution: the options of one operator meet in one map.
///
/// - Source: FBNetV2 (arXiv 2004.05565) section 3.3; spec S23.
extension Engine {
  /// Σ gᵢ·scatter(F(subsample(x, sizeᵢ))): a choice of resolution for the operator F.
  ///
  /// `x` [N, H, W, C] is deferred or plain, and `sizes` are none larger than it; one as large reads
  /// all of it. Everything else is as in the form that reads a map at a size.
  package func resolutionSum(
    _ x: Tensor,
    sizes: [MapSize],
    weights: Tensor,
    forward: [Float]? = nil,
    inputs: [Tensor] = [],
    to size: MapSize,
    _ body: @escaping (Tensor) -> Tensor
  ) -> Tensor {
    resolutionSum(
      of: x.shape[0],
      sizes: sizes,
      weights: weights,
      forward: forward,
      inputs: [x] + inputs,
      to: size
    ) { [unowned self] size, _ in body(reading(x, at: size)) }
  }

  /// Whether `resolutionSum` runs more than one of its options: those that count in the sum, and
  /// all for the gradient of their weights.
  package func runsManyOptions(weights: Tensor, forward: [Float]? = nil) -> Bool {
    let used = usedOptions(forward ?? weights.values, of: weights.channels)
    return used.count > 1 || isRecording && weights.requiresGradient && weights.channels > 1
  }

  /// The options that count in a sum: those of a weight other than 0 for an image.
  private func usedOptions(_ values: [Float], of count: Int) -> [Int] {
    (0..<count).filter { option in
      stride(from: option, to: values.count, by: count).contains { values[$0] != 0 }
    }
  }

  /// Σ gᵢ·scatter(F(sizeᵢ)): a choice of resolution for an operator F that reads a map at a size.
  ///
  /// The options' values meet in one map. F is run again for each in the backward pass, so the
  /// memory is that of one option, however many there are. What is the same for all of them, as a
  /// 1×1 convolution is, runs once forward, once more in the backward pass, and once backward.
  ///
  /// - Parameters:
  ///   - images: N.
  ///   - sizes: of the options.
  ///   - weights: g, [k], or [N, k] with a draw for each image.
  ///   - forward: replaces the weights' values while the gradient still goes to `weights` (spec
  ///     S5). An option of weight 0 is not run then, unless for the gradient of its weight.
  ///   - inputs: tensors from outside that F reads and that may want a gradient.
  ///   - size: of the result; F of the whole map has it.
  ///   - shared: what all options read of its result; must give the same bits each time.
  ///   - body: F of a size and the result of `shared`, of one kernel of weights for all options;
  ///     must give the same bits each time.
  /// - Returns: [N, H', W', C'], plain; [N, C'] where F ends in a mean over the pixels.
  /// - Backward: ∂L/∂gᵢ = Σ g·Fᵢ over the pixels of option i, and gᵢ·g at these pixels is the
  ///   gradient of Fᵢ.
  /// - Reference: `ReferenceGraph.resolutionSum`.
  package func resolutionSum(
    of images: Int,
    sizes: [MapSize],
    weights: Tensor,
    forward: [Float]? = nil,
    inputs: [Tensor],
    to size: MapSize,
    shared: (() -> Tensor)? = nil,
    _ body: @escaping (MapSize, Tensor?) -> Tensor
  ) -> Tensor {
    let k = sizes.count
    let values = forward ?? weights.values
    precondition(
      k > 0 && (weights.shape == [k] || weights.shape == [images, k])
        && values.count == weights.count && weights.normalisation == nil,
      "resolutionSum: weights \(weights.shape) of \(k) sizes for \(images) images"
    )
    func option(_ i: Int, _ common: Tensor?) -> Tensor {
      let y = body(sizes[i], common)
      return y.normalisation == nil ? y : materialise(y)
    }
    func factor(_ i: Int, _ image: Int) -> Float {
      values[(weights.rows > 1 ? image * k : 0) + i]
    }
    var out: Buffer?
    var channels = 0
    var isMap = true
    let used = usedOptions(values, of: k)
    let common = shared.map { shared in pool.lendingLarger { withoutRecording(shared) } }
    // The largest first, whose buffers then serve the others.
    for i in used.isEmpty ? [0] : used.reversed() {
      let y = pool.lendingLarger { withoutRecording { option(i, common) } }
      let grid = grid(of: mapSize(of: y), in: size)
      (channels, isMap) = (y.channels, y.shape.count == 4)
      let sum = out ?? pool.takeZeros(images * size.height * size.width * channels)
      out = sum
      threadPool.run(
        Work("pixels scattered", .forward, arithmetic: 2 * y.count, floats: 3 * y.count),
        chunks: images
      ) { image, _ in
        let from = y.buffer.pointer + image * y.count / images
        let to = sum.pointer + image * size.height * size.width * channels
        for run in grid {
          kernels.addScaled(
            run.count * channels,
            factor(i, image),
            from + run.small * channels,
            to + run.large * channels
          )
        }
      }
    }
    guard let out else { preconditionFailure("resolutionSum: no options") }
    let y = Tensor(
      shape: isMap ? [images, size.height, size.width, channels] : [images, channels],
      buffer: out,
      requiresGradient: wantsGradient([weights] + inputs, parameters: true)
    )
    let mode = mode
    record(y) { [unowned self] in
      guard y.gradient != nil else { return }
      let gradient = ownGradient(of: y)
      y.gradient = nil
      replay(mode: mode) {
        let common = pool.lendingLarger { shared?() }
        for i in (weights.requiresGradient ? Array(0..<k) : used).reversed() {
          let isUsed = used.contains(i)
          pool.lendingLarger {
            replay(mode: mode) {
              let again =
                isUsed ? option(i, common) : withoutRecording { option(i, common) }
              let factors = (0..<images).map { factor(i, $0) }
              let (own, dots) = gather(gradient, from: size, to: again, times: factors)
              if weights.requiresGradient {
                let dg = ownGradient(of: weights)
                for (image, dot) in dots.enumerated() {
                  dg.pointer[(weights.rows > 1 ? image * k : 0) + i] += Float(dot)
                }
              }
              if isUsed { hand(Tensor.Gradient(buffer: own), to: again) }
            }
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
    let floats = y.count / images
    let out = pool.take(y.count)
    let sums = pool.takeZeros(images * 3 * channels)
    threadPool.run(
      Work("pixels scattered", .backward, arithmetic: 5 * y.count, floats: 4 * y.count),
      chunks: images
    ) { image, _ in
      let from = gradient.pointer + image * size.height * size.width * channels
      let offset = image * floats
      let to = out.pointer + offset
      gather(grid, of: from, to, channels: channels)
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
        0..<floats / channels
      )
      kernels.scale(floats, factors[image], to, to)
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
}
