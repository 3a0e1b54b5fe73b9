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
  /// The options' values meet in one map. What the largest option saves is kept for the backward
  /// pass, as a network without the choice keeps it; the others run again there, in the memory that
  /// the largest then no longer needs. So the memory is that of one option, however many there are.
  /// What is the same for all of them, as a 1×1 convolution is, runs once forward and once
  /// backward.
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
  ///   - finish: the last step of F, of the result of `body` and its size; runs again in the
  ///     backward pass for all options, so it should be one pass over a map, and may take no
  ///     statistics. Nil makes a deferred result plain.
  ///   - body: F but for its last step, of a size and the result of `shared`, of one kernel of
  ///     weights for all options; must give the same bits each time.
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
    finish: ((Tensor, MapSize) -> Tensor)? = nil,
    _ body: @escaping (MapSize, Tensor?) -> Tensor
  ) -> Tensor {
    let k = sizes.count
    let values = forward ?? weights.values
    precondition(
      k > 0 && (weights.shape == [k] || weights.shape == [images, k])
        && values.count == weights.count && weights.normalisation == nil,
      "resolutionSum: weights \(weights.shape) of \(k) sizes for \(images) images"
    )
    func finished(_ i: Int, _ result: Tensor) -> Tensor {
      finish?(result, sizes[i]) ?? (result.normalisation == nil ? result : materialise(result))
    }
    func factor(_ i: Int, _ image: Int) -> Float {
      values[(weights.rows > 1 ? image * k : 0) + i]
    }
    func memory(_ i: Int) -> Double {
      let largest = sizes[k - 1]
      return Double(largest.height * largest.width) / Double(sizes[i].height * sizes[i].width)
    }
    let used = usedOptions(values, of: k)
    let requiresGradient = wantsGradient([weights] + inputs, parameters: true)
    let keeps = isRecording && requiresGradient
    // At a stem in a step on the architecture parameters nothing but the weights does.
    let operatorLearns = wantsGradient(inputs, parameters: true)
    let (common, sharedSteps) = recordingApart(keeps) { shared?() }
    // Their gradient is added below, once for all options.
    common?.grids = PixelGrids(used.map { sizes[$0] })
    var kept: KeptOption?
    var out: (sum: Buffer, shape: [Int])?
    // The largest last, in the memory that the others have used.
    for i in used.isEmpty ? [0] : used {
      let isKept = keeps && i == used.last ?? 0
      let y = pool.lendingLarger(times: isKept ? nil : memory(i)) {
        let (result, steps) = recordingApart(isKept) { body(sizes[i], common) }
        if isKept {
          kept = KeptOption(
            option: i,
            sharedSteps: sharedSteps,
            result: result,
            steps: steps
          )
        }
        return recording(false) { finished(i, result) }
      }
      let isMap = y.shape.count == 4
      let shape = [images] + (isMap ? [size.height, size.width] : []) + [y.channels]
      let sum = out?.sum ?? pool.takeZeros(shape.reduce(1, *))
      scatter(y, to: sum, size, times: (0..<images).map { factor(i, $0) })
      out = (sum, shape)
    }
    guard let out else { preconditionFailure("resolutionSum: no options") }
    let y = Tensor(shape: out.shape, buffer: out.sum, requiresGradient: requiresGradient)
    let mode = mode
    record(y) { [unowned self] in
      guard y.gradient != nil else { return }
      let gradient = ownGradient(of: y)
      y.gradient = nil
      replay(mode: mode) {
        var own = kept
        kept = nil
        tape = own?.sharedSteps ?? []
        own?.sharedSteps = []
        // The kept option first, in whose memory the others then run.
        let first = own?.option
        let all = weights.requiresGradient ? Array(0..<k) : used
        for i in all.filter({ $0 == first }) + all.reversed().filter({ $0 != first }) {
          pool.lendingLarger(times: memory(i)) {
            replay(mode: mode) {
              let learns = operatorLearns && used.contains(i)
              let result: Tensor
              if i == first, let option = own {
                tape = option.steps
                own = nil
                result = option.result
              } else {
                result = recording(learns) { body(sizes[i], common) }
              }
              // Its values count in the gradient of its weight, and nowhere else.
              let again =
                weights.requiresGradient
                ? recording(learns) { finished(i, result) }
                : recordingAlone { finished(i, result) }
              // Nobody reads the last step's result any more, so its gradient takes that memory.
              let target =
                learns ? (again === result ? pool.take(again.count) : again.buffer) : nil
              let dots = gather(
                gradient,
                from: size,
                of: again,
                to: target,
                times: (0..<images).map { factor(i, $0) },
                takesDots: weights.requiresGradient
              )
              if !dots.isEmpty {
                let dg = ownGradient(of: weights)
                for (image, dot) in dots.enumerated() {
                  dg.pointer[(weights.rows > 1 ? image * k : 0) + i] += Float(dot)
                }
              }
              if let target { hand(Tensor.Gradient(buffer: target), to: again) }
            }
          }
        }
        if let common, let grids = common.grids { addStatisticsGradient(of: grids, to: common) }
      }
    }
    return y
  }

  /// The option whose operations wait on the tape for the backward pass.
  private struct KeptOption {
    /// Its place.
    let option: Int
    /// The operations that made what all options read.
    var sharedSteps: [() -> Void]
    /// Its result but for the last step, and the operations that made it.
    let result: Tensor
    let steps: [() -> Void]
  }

  /// The result of `body`, and its operations if they are wanted; none goes on the tape under way.
  private func recordingApart<Result>(
    _ isWanted: Bool,
    _ body: () -> Result
  ) -> (result: Result, steps: [() -> Void]) {
    let outer = (tape, isRecording)
    defer { (tape, isRecording) = outer }
    (tape, isRecording) = ([], isWanted)
    let result = body()
    return (result, tape)
  }

  /// Adds an option `y` times a factor for each image to a map of `size`.
  private func scatter(_ y: Tensor, to sum: Buffer, _ size: MapSize, times factors: [Float]) {
    let images = y.shape[0]
    let channels = y.channels
    let small = mapSize(of: y)
    let grid = grid(of: small, in: y.shape.count == 4 ? size : small)
    let floats = sum.count / images
    threadPool.run(
      Work("pixels scattered", .forward, arithmetic: 2 * y.count, floats: 3 * y.count),
      chunks: images
    ) { image, _ in
      let from = y.buffer.pointer + image * y.count / images
      let to = sum.pointer + image * floats
      for run in grid {
        kernels.addScaled(
          run.count * channels,
          factors[image],
          from + run.small * channels,
          to + run.large * channels
        )
      }
    }
  }

  /// Writes the gradient of an option `y` of a map of `size` to `out`, which may be its memory: the
  /// map's gradient at the option's pixels times a factor for each image.
  ///
  /// - Returns: Σ g·y of each image, without the factor, where these dots are taken.
  private func gather(
    _ gradient: Buffer,
    from size: MapSize,
    of y: Tensor,
    to out: Buffer?,
    times factors: [Float],
    takesDots: Bool
  ) -> [Double] {
    let (images, channels) = (y.shape[0], y.channels)
    let grid = grid(of: mapSize(of: y), in: size)
    let floats = y.count / images
    let sums = takesDots ? pool.takeZeros(images * 3 * channels) : nil
    threadPool.run(
      Work(
        "pixels scattered",
        .backward,
        arithmetic: (takesDots ? 5 : 1) * y.count,
        floats: (takesDots ? 3 : 2) * y.count
      ),
      chunks: images,
      workspaceFloats: takesDots ? floats : 0
    ) { image, own in
      let from = gradient.pointer + image * size.height * size.width * channels
      let offset = image * floats
      guard let sums else {
        guard let out else { return }
        for run in grid {
          kernels.scale(
            run.count * channels,
            factors[image],
            from + run.large * channels,
            out.pointer + offset + run.small * channels
          )
        }
        return
      }
      gather(grid, of: from, own, channels: channels)
      let branch = Branch(
        base: y.buffer.pointer + offset,
        scale: nil,
        shift: nil,
        activation: .none,
        weight: 1
      )
      let sum = sums.pointer + image * 3 * channels
      kernels.branchSums(
        BranchSums(
          branch: branch,
          gradient: own,
          channels: channels,
          sums: PartialSums(sums: sum, products: sum + channels),
          dots: sum + 2 * channels
        ),
        0..<floats / channels
      )
      if let out { kernels.scale(floats, factors[image], own, out.pointer + offset) }
    }
    guard let sums else { return [] }
    return (0..<images).map { image in
      (0..<channels).reduce(0.0) { $0 + Double(sums.pointer[(image * 3 + 2) * channels + $1]) }
    }
  }

  /// The size of a map [N, H, W, C]; of [N, C] one pixel.
  private func mapSize(of x: Tensor) -> MapSize {
    x.shape.count == 4
      ? MapSize(height: x.shape[1], width: x.shape[2]) : MapSize(height: 1, width: 1)
  }
}
