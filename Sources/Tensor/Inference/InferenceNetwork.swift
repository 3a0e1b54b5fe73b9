import Kernels

/// A network for inference alone: batch-norm folded, weights packed, no tape, no statistics.
///
/// Keeps a copy of the weights, so it stays as it is when training continues. Confined to the
/// engine's queue.
package final class InferenceNetwork {
  private let engine: Engine
  private let shape: [Int]
  private let stages: [any InferenceStage]
  private let classifier: InferenceProduct
  private let classes: Int
  // The stages hold pointers into it.
  private let weights: InferenceWeights
  /// Floats of a map between two stages, of which there are two.
  private let mapFloats: Int
  private let sharedFloats: Int
  private let workspaceFloats: Int
  private let pooledFloats: Int
  /// Maps of a single image that all workers work on.
  private let maps: Buffer?
  /// Marks the end of each stage of a call with a single image; the classifier is still to come
  /// then.
  package var stopwatch: Stopwatch?

  /// Packs the weights for the engine's instruction set and plans the memory.
  ///
  /// - Parameters:
  ///   - shape: of an image, `[H, W, C]`.
  ///   - layers: the stem first.
  ///   - head: 1×1 convolution before the mean over all pixels.
  ///   - classifier: linear layer behind it.
  ///   - engine: kernels, workers and memory.
  package init(
    shape: [Int],
    layers: [InferenceLayer],
    head: FoldedConvolution,
    classifier: FoldedConvolution,
    engine: Engine
  ) {
    let all = layers.flatMap(\.convolutions) + [head, classifier]
    let weights = InferenceWeights(
      floats: all.reduce(0) { $0 + InferenceWeights.floats($1) },
      kernels: engine.kernels,
      pool: engine.pool
    )
    var map = InferenceMap(image: shape)
    var stages: [any InferenceStage] = []
    for layer in layers {
      let next = map.convolved(to: layer.output, stride: layer.stride)
      stages.append(layer.stage(from: map, to: next, weights: weights))
      map = next
    }
    mapFloats = stages.map(\.outputFloats).max() ?? 0
    stages.append(HeadStage(head, from: map, weights: weights))
    sharedFloats = stages.map(\.sharedFloats).max() ?? 0
    workspaceFloats = stages.map(\.workspaceFloats).max() ?? 0
    let columns = weights.columns(classifier.output)
    var product = weights.product(classifier, depth: head.output, columns: columns)
    pooledFloats = weights.columns(head.output)
    product.aStride = pooledFloats
    product.cStride = columns
    self.classifier = product
    classes = classifier.output
    maps = engine.threadPool.threads > 1 ? engine.pool.take(2 * mapFloats + sharedFloats) : nil
    self.shape = shape
    self.stages = stages
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
        workspaceFloats: 2 * mapFloats + sharedFloats + workspaceFloats
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
    var memory = memory(image, arena)
    memory.workspace = memory.shared + sharedFloats
    for (index, stage) in stages.enumerated() {
      advance(&memory, to: index, arena, pooled)
      for (pass, units) in stage.units.enumerated() { stage.run(pass, 0..<units, memory) }
      stopwatch?.mark()
    }
  }

  /// One image on all workers, pass by pass.
  private func runTogether(
    _ image: UnsafePointer<Float>,
    _ arena: UnsafeMutablePointer<Float>,
    into pooled: UnsafeMutablePointer<Float>
  ) {
    var memory = memory(image, arena)
    for (index, stage) in stages.enumerated() {
      advance(&memory, to: index, arena, pooled)
      for (pass, units) in stage.units.enumerated() {
        let parts = min(units, engine.threadPool.threads)
        let constant = memory
        engine.threadPool.run(
          chunks: parts,
          workspaceFloats: workspaceFloats
        ) { part, workspace in
          var memory = constant
          memory.workspace = workspace
          stage.run(pass, units * part / parts..<units * (part + 1) / parts, memory)
        }
      }
      stopwatch?.mark()
    }
  }

  private func memory(
    _ image: UnsafePointer<Float>,
    _ arena: UnsafeMutablePointer<Float>
  ) -> InferenceMemory {
    InferenceMemory(
      input: image,
      output: arena,
      shared: arena + 2 * mapFloats,
      workspace: arena
    )
  }

  /// Makes the last stage's result the input; results take turns in the two maps.
  private func advance(
    _ memory: inout InferenceMemory,
    to index: Int,
    _ arena: UnsafeMutablePointer<Float>,
    _ pooled: UnsafeMutablePointer<Float>
  ) {
    if index > 0 { memory.input = UnsafePointer(memory.output) }
    memory.output = index == stages.count - 1 ? pooled : arena + index % 2 * mapFloats
  }

  private func classify(_ pooled: Buffer, images: Int) -> Tensor {
    var product = classifier
    product.pixels = images
    let columns = product.columns
    let wide = engine.pool.take(images * columns)
    let units = (columns + 63) / 64
    let parts = min(units, engine.threadPool.threads)
    engine.threadPool.run(chunks: parts) { part, _ in
      engine.kernels.inference.product(
        product,
        InferenceOperands(a: pooled.pointer, c: wide.pointer),
        units * part / parts * 64..<min(units * (part + 1) / parts * 64, columns)
      )
    }
    let scores = engine.pool.take(images * classes)
    for image in 0..<images {
      (scores.pointer + image * classes).update(
        from: wide.pointer + image * columns,
        count: classes
      )
    }
    return Tensor(shape: [images, classes], buffer: scores, requiresGradient: false)
  }
}

extension InferenceLayer {
  /// Its convolutions, in the order of their use.
  package var convolutions: [FoldedConvolution] {
    switch self {
    case .convolution(let convolution, _): [convolution]
    case .invertedResidual(let expand, let depthwise, let project, _, _):
      (expand.map { [$0] } ?? []) + [depthwise, project]
    }
  }

  /// Channels out.
  fileprivate var output: Int { convolutions.last?.output ?? 0 }

  fileprivate var stride: Int {
    switch self {
    case .convolution(_, let stride): stride
    case .invertedResidual(_, _, _, let stride, _): stride
    }
  }

  fileprivate func stage(
    from input: InferenceMap,
    to output: InferenceMap,
    weights: InferenceWeights
  ) -> any InferenceStage {
    switch self {
    case .convolution(let convolution, let stride):
      ConvolutionStage(convolution, stride: stride, from: input, to: output, weights: weights)
    case .invertedResidual(let expand, let depthwise, let project, let stride, let isResidual):
      ResidualStage(
        expand: expand,
        depthwise: depthwise,
        project: project,
        stride: stride,
        isResidual: isResidual,
        from: input,
        to: output,
        weights: weights
      )
    }
  }
}
