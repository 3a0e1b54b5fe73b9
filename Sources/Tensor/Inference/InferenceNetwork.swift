import Kernels

/// A network for inference alone: batch-norm folded, weights packed, no tape, no statistics.
///
/// Keeps a copy of the weights, so it stays as it is when training continues. Confined to the
/// engine's queue.
package final class InferenceNetwork {
  private let engine: Engine
  private let shape: [Int]
  private let plan: InferencePlan
  /// Linear layers behind the mean over all pixels, for all images of a call.
  private let tail: [InferenceProduct]
  private let classes: Int
  // The stages hold pointers into it.
  private let weights: InferenceWeights
  /// Floats of a map between two stages.
  private let mapFloats: Int
  private let sharedFloats: Int
  private let workspaceFloats: Int
  private let pooledFloats: Int
  /// Maps of a single image that all workers work on.
  private let maps: Buffer?
  /// Marks the end of each layer of a call with a single image; what follows the mean is still to
  /// come then.
  package var stopwatch: Stopwatch?

  /// Packs the weights for the engine's instruction set and plans the memory.
  ///
  /// - Parameters:
  ///   - shape: of an image, `[H, W, C]`.
  ///   - layers: the stem first; a mean over all pixels follows the last.
  ///   - tail: linear layers behind the mean, the classifier last.
  ///   - engine: kernels, workers and memory.
  package init(
    shape: [Int],
    layers: [InferenceLayer],
    tail: [FoldedConvolution],
    engine: Engine
  ) {
    let all = layers.flatMap(\.convolutions) + tail
    let weights = InferenceWeights(
      // The plan may have to copy the image.
      floats: all.reduce((shape[2] + 31) * (shape[2] + 31)) { $0 + InferenceWeights.floats($1) },
      kernels: engine.kernels,
      pool: engine.pool
    )
    var plan = InferencePlan(image: shape, weights: weights)
    let head = layers.last?.pointwise
    for layer in head == nil ? layers[...] : layers.dropLast() { plan.add(layer) }
    plan.addMean(behind: head)
    let stages = plan.entries.map(\.stage)
    mapFloats = stages.dropLast().map(\.outputFloats).max() ?? 0
    sharedFloats = stages.map(\.sharedFloats).max() ?? 0
    workspaceFloats = stages.map(\.workspaceFloats).max() ?? 0
    pooledFloats = stages.last?.outputFloats ?? 0
    var width = pooledFloats
    self.tail = tail.map {
      let columns = weights.columns($0.output)
      var product = weights.product($0, depth: $0.input, columns: columns)
      product.aStride = width
      product.cStride = columns
      width = columns
      return product
    }
    classes = tail.last?.output ?? 0
    let isShared = engine.threadPool.threads > 1
    maps = isShared ? engine.pool.take(plan.places * mapFloats + sharedFloats) : nil
    self.shape = shape
    self.plan = plan
    self.weights = weights
    self.engine = engine
  }

  /// Class scores `[N, classes]` of images `[N, H, W, C]`.
  ///
  /// Several images are spread over the workers, each whole; a single one is cut within its layers.
  /// Asks the system for memory in the first call of a batch size only.
  package func callAsFunction(_ x: Tensor) -> Tensor {
    precondition(
      x.shape.count == 4 && Array(x.shape.dropFirst()) == shape && x.normalisation == nil,
      "inference: images of shape \(x.shape), expected \(shape)"
    )
    let images = x.shape[0]
    precondition(stopwatch == nil || images == 1, "inference: a stopwatch times one image")
    let pooled = engine.pool.take(images * pooledFloats)
    let input = UnsafePointer(x.buffer.pointer)
    if images == 1, let maps {
      runTogether(input, maps.pointer, into: pooled.pointer)
    } else {
      let pixels = shape.reduce(1, *)
      engine.threadPool.run(
        chunks: images,
        workspaceFloats: plan.places * mapFloats + sharedFloats + workspaceFloats
      ) { image, workspace in
        runAlone(input + image * pixels, workspace, into: pooled.pointer + image * pooledFloats)
      }
    }
    return classify(pooled, images: images)
  }

  /// One image on one worker.
  private func runAlone(
    _ image: UnsafePointer<Float>,
    _ arena: UnsafeMutablePointer<Float>,
    into pooled: UnsafeMutablePointer<Float>
  ) {
    for (index, entry) in plan.entries.enumerated() {
      var memory = memory(index, image, arena, pooled)
      memory.workspace = memory.shared + sharedFloats
      for (pass, units) in entry.stage.units.enumerated() {
        entry.stage.run(pass, 0..<units, memory)
      }
      if entry.endsLayer { stopwatch?.mark() }
    }
  }

  /// One image on all workers, pass by pass.
  private func runTogether(
    _ image: UnsafePointer<Float>,
    _ arena: UnsafeMutablePointer<Float>,
    into pooled: UnsafeMutablePointer<Float>
  ) {
    for (index, entry) in plan.entries.enumerated() {
      let constant = memory(index, image, arena, pooled)
      for (pass, units) in entry.stage.units.enumerated() {
        let parts = min(units, engine.threadPool.threads)
        engine.threadPool.run(
          chunks: parts,
          workspaceFloats: workspaceFloats
        ) { part, workspace in
          var memory = constant
          memory.workspace = workspace
          let range = units * part / parts..<units * (part + 1) / parts
          entry.stage.run(pass, range, memory)
        }
      }
      if entry.endsLayer { stopwatch?.mark() }
    }
  }

  /// Where a stage works, the workspace still to be named.
  private func memory(
    _ index: Int,
    _ image: UnsafePointer<Float>,
    _ arena: UnsafeMutablePointer<Float>,
    _ pooled: UnsafeMutablePointer<Float>
  ) -> InferenceMemory {
    let entry = plan.entries[index]
    let isLast = index == plan.entries.count - 1
    return InferenceMemory(
      input: entry.input.map { UnsafePointer(arena + $0 * mapFloats) } ?? image,
      output: isLast ? pooled : arena + entry.output * mapFloats,
      shortcut: entry.shortcut.map { UnsafePointer(arena + $0 * mapFloats) },
      shared: arena + plan.places * mapFloats,
      workspace: arena
    )
  }

  private func classify(_ pooled: Buffer, images: Int) -> Tensor {
    var last = pooled
    var width = pooledFloats
    for var product in tail {
      product.pixels = images
      width = product.columns
      let wide = engine.pool.take(images * width)
      let units = (width + 63) / 64
      let parts = min(units, engine.threadPool.threads)
      let operands = InferenceOperands(a: last.pointer, c: wide.pointer)
      engine.threadPool.run(chunks: parts) { [product] part, _ in
        let columns =
          units * part / parts * 64..<min(units * (part + 1) / parts * 64, product.columns)
        engine.kernels.inference.product(product, operands, columns)
      }
      last = wide
    }
    let scores = engine.pool.take(images * classes)
    for image in 0..<images {
      (scores.pointer + image * classes).update(from: last.pointer + image * width, count: classes)
    }
    return Tensor(shape: [images, classes], buffer: scores, requiresGradient: false)
  }
}
