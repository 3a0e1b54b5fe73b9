import Kernels

/// The trained arrays of one inverted residual.
package struct InvertedResidualWeights {
  /// 1×1 expansion, [1, 1, C, M], or [g, C/g, M/g] with groups.
  package var expand: Parameter
  /// Its batch-norm.
  package var expandNorm: BatchNorm
  /// Depthwise filter, [K, K, M], K odd; with groups it stands behind a channel shuffle.
  package var depthwise: Parameter
  /// Its batch-norm.
  package var depthwiseNorm: BatchNorm
  /// 1×1 projection, [1, 1, M, D], or [g, M/g, D/g] with groups.
  package var project: Parameter
  /// Its batch-norm, deferred to the output's readers.
  package var projectNorm: BatchNorm
  /// Groups of both 1×1 convolutions.
  package var groups: Int
  /// Activation after expansion and depthwise convolution.
  package var activation: Activation

  /// Gathers the arrays.
  package init(
    expand: Parameter,
    expandNorm: BatchNorm,
    depthwise: Parameter,
    depthwiseNorm: BatchNorm,
    project: Parameter,
    projectNorm: BatchNorm,
    groups: Int,
    activation: Activation
  ) {
    self.expand = expand
    self.expandNorm = expandNorm
    self.depthwise = depthwise
    self.depthwiseNorm = depthwiseNorm
    self.project = project
    self.projectNorm = projectNorm
    self.groups = groups
    self.activation = activation
  }

  /// Hidden width M, of the expanded channels.
  package var hidden: Int { depthwise.shape[2] }
  /// Channels C of the input.
  package var input: Int { expand.value.count / hidden * groups }
  /// Channels D of the output.
  package var output: Int { project.value.count / hidden * groups }

  /// The expanded channel that the shuffle brings under depthwise channel `c`.
  package func expanded(_ c: Int) -> Int {
    if groups == 1 { return c }
    return c % groups * (hidden / groups) + c / groups
  }

  /// Where the expansion's weight from input `i` to expanded channel `c` stands; nil across groups.
  package func expandIndex(_ i: Int, _ c: Int, input: Int) -> Int? {
    groupedIndex(i, c, rows: input, columns: hidden)
  }

  /// Where the projection's weight from hidden channel `c` to output `o` stands; nil across groups.
  package func projectIndex(_ c: Int, _ o: Int, output: Int) -> Int? {
    groupedIndex(c, o, rows: hidden, columns: output)
  }

  private func groupedIndex(_ i: Int, _ j: Int, rows: Int, columns: Int) -> Int? {
    let (r, c) = (rows / groups, columns / groups)
    guard i / r == j / c else { return nil }
    return (j / c * r + i % r) * c + j % c
  }
}

extension Engine {
  /// Inverted residuals side by side on one input, all candidates of a layer at once.
  ///
  /// - Shapes: `x` [N, H, W, C], plain; one result for each branch, [N, H', W', D], with its
  ///   batch-norm deferred; H' = (H − 1)/stride + 1.
  /// - Forward: z = φ(BN(K ⋆ φ(BN(x·W))))·V, W the expansion, K the depthwise weights, V the
  ///   projection. The expanded activations never exist in memory: their batch statistics follow
  ///   from the input's, so expansion, normalisation, activation and depthwise convolution are one
  ///   pass over rows in cache.
  /// - Backward: three passes, for ∂L/∂V and the depthwise output's sums, for ∂L/∂K and the
  ///   expansion's sums, and for what the expansion's statistics take back. The README beside this
  ///   file has all formulas.
  /// - Kept for backward: the raw projections, and the raw depthwise output in the engine's
  ///   `activationPrecision`, or not at all if it `recomputes`.
  /// - Cost: 2·N·M·(H·W·C/g + H'·W'·(K² + D/g)) floating-point operations a branch, twice that
  ///   backward.
  /// - Reference: `ReferenceGraph.invertedResiduals`, and the plain operations. Source: spec S3,
  ///   S100.
  package func invertedResiduals(
    _ x: Tensor,
    _ branches: [InvertedResidualWeights],
    stride: Int
  ) -> [Tensor] {
    let layer = ResidualLayer(x, branches, stride: stride, engine: self)
    layer.expandAndConvolve()
    let outputs = layer.project()
    guard let first = outputs.first else { return [] }
    record(first) { layer.backward(outputs) }
    return outputs
  }
}

/// One layer of inverted residuals: shapes, packed filters, and what the backward pass needs.
///
/// The README beside this file has the mathematics, and which symbol is which field.
final class ResidualLayer {
  /// Sixteen hidden channels of a branch.
  struct Block {
    /// Which branch.
    let branch: Int
    /// First channel, in the order that the depthwise convolution sees.
    let first: Int
    /// Channels in use; the others are zeros.
    let count: Int
    /// Where its depthwise weights begin.
    let depthwise: Int
  }

  /// Shapes of a branch.
  struct Branch {
    let weights: InvertedResidualWeights
    /// Hidden width M, of the expanded channels.
    let hidden: Int
    let geometry: Patches
    /// Its blocks.
    let blocks: Range<Int>
  }

  unowned let engine: Engine
  let x: Tensor
  let branches: [Branch]
  let blocks: [Block]
  let images: Int
  let inputPixels: Int
  let outputPixels: Int
  /// C.
  let input: Int
  /// D.
  let output: Int
  let outputShape: [Int]
  /// Floats of all depthwise weights.
  let depthwiseFloats: Int

  /// Expansion weights, [blocks, C, 16]: as trained, and with the normalisation folded in.
  let expandWeights: BlockedArray
  let foldedWeights: BlockedArray
  /// The normalisation's shift, [blocks, 1, 16].
  let bias: BlockedArray
  /// Depthwise filters, [K, K, 16] each.
  let depthwiseWeights: Buffer
  /// Projection weights, [blocks, D, 16].
  let projectTransposed: BlockedArray
  /// Means of the input's channels, and Σ·W, [blocks, C, 16]; nil with running statistics.
  var inputMean: [Double]?
  var covarianceTimesWeights: BlockedArray?
  var expandNorms: [Normalisation] = []
  var depthwiseNorms: [Normalisation] = []
  /// Scale and shift of the depthwise outputs' deferred normalisation, [blocks, 1, 16].
  let deferredScale: BlockedArray
  let deferredShift: BlockedArray
  /// Raw depthwise output, [blocks, N·H'·W', 16]; nil where it is made anew for the backward pass.
  var saved: Buffer?
  let isHalf: Bool
  /// The expanded channels before the depthwise convolution, [blocks, N·H·W, 16]; nil where making
  /// them anew is cheaper.
  var expanded: BlockedArray?

  init(_ x: Tensor, _ weights: [InvertedResidualWeights], stride: Int, engine: Engine) {
    self.engine = engine
    self.x = x
    input = x.channels
    let depth = x.channels
    precondition(
      x.shape.count == 4 && x.normalisation == nil && stride > 0,
      "invertedResiduals: the input \(x.shape) must be a plain image"
    )
    output = weights.first?.output ?? 0
    let (height, width) = (x.shape[1], x.shape[2])
    let (outHeight, outWidth) = ((height - 1) / stride + 1, (width - 1) / stride + 1)
    images = x.shape[0]
    inputPixels = height * width
    outputPixels = outHeight * outWidth
    outputShape = [images, outHeight, outWidth, output]
    var branches: [Branch] = []
    var blocks: [Block] = []
    var depthwiseFloats = 0
    for (index, w) in weights.enumerated() {
      let kernel = w.depthwise.shape[0]
      let hidden = w.hidden
      precondition(
        kernel % 2 == 1 && w.expand.value.count * w.groups == depth * hidden
          && w.project.value.count * w.groups == hidden * output
          && depth % w.groups == 0 && hidden % w.groups == 0 && output % w.groups == 0,
        "invertedResiduals: filters \(w.expand.shape), \(w.depthwise.shape), \(w.project.shape)"
      )
      let first = blocks.count
      for c in Swift.stride(from: 0, to: hidden, by: blockWidth) {
        let count = min(blockWidth, hidden - c)
        blocks.append(Block(branch: index, first: c, count: count, depthwise: depthwiseFloats))
        depthwiseFloats += kernel * kernel * blockWidth
      }
      let geometry = Patches(
        height: height,
        width: width,
        outHeight: outHeight,
        outWidth: outWidth,
        kernel: kernel,
        stride: stride,
        padding: kernel / 2
      )
      branches.append(
        Branch(weights: w, hidden: hidden, geometry: geometry, blocks: first..<blocks.count)
      )
    }
    self.branches = branches
    self.blocks = blocks
    self.depthwiseFloats = depthwiseFloats
    let pool = engine.pool
    expandWeights = BlockedArray(blocks: blocks.count, rows: input, pool: pool)
    foldedWeights = BlockedArray(blocks: blocks.count, rows: input, pool: pool)
    bias = BlockedArray(zeros: blocks.count, rows: 1, pool: pool)
    depthwiseWeights = pool.takeZeros(depthwiseFloats)
    projectTransposed = BlockedArray(blocks: blocks.count, rows: output, pool: pool)
    deferredScale = BlockedArray(zeros: blocks.count, rows: 1, pool: pool)
    deferredShift = BlockedArray(zeros: blocks.count, rows: 1, pool: pool)
    isHalf = engine.activationPrecision == .bfloat16
    pack()
  }

  /// From so many terms of a sum on, storing and reading a value is faster than making it again.
  private static let worthKeeping = 48

  /// Floats that stay in the second-level cache beside what else a pass touches.
  static let cachedFloats = 1 << 15

  /// Whether the expanded channels are kept for the backward pass.
  var keepsExpanded: Bool {
    engine.isRecording && !engine.recomputes && input >= ResidualLayer.worthKeeping
  }

  /// Whether the gradient of the hidden values goes from the first pass to the second.
  var keepsGradient: Bool { !engine.recomputes && output >= ResidualLayer.worthKeeping }

  /// Whether the projection of `branch` passes over the zeros that its ReLU leaves.
  func skipsZeros(_ branch: Branch) -> Bool {
    branch.weights.activation == .relu && engine.kernels.residual.skipsZeros(output)
  }

  /// The raw depthwise output of block `index` from pixel `pixel` of all images on.
  func hidden(_ index: Int, pixel: Int = 0) -> SavedBlocks {
    guard let saved else {
      preconditionFailure("invertedResiduals: the hidden values are not there")
    }
    return SavedBlocks(base: saved.pointer, isHalf: isHalf)
      .dropFirst(index * blockFloats + pixel * blockWidth)
  }

  /// Elements of one block of the depthwise output.
  var blockFloats: Int { images * outputPixels * blockWidth }

  /// Images cut into chunks; every chunk has partial sums of its own.
  var imageChunks: Chunks {
    Chunks(
      rows: images,
      rowFloats: (inputPixels + outputPixels) * blocks.count * blockWidth,
      partialFloats: input * blocks.count * blockWidth
    )
  }

  /// Branches in the order in which they go to the workers: the largest first, so that none is left
  /// over.
  func bySize(_ indices: some Sequence<Int>) -> [Int] {
    indices.sorted { (branches[$0].blocks.count, $1) > (branches[$1].blocks.count, $0) }
  }

  /// `count` zeros in a worker's workspace.
  func doubles(_ workspace: UnsafeMutablePointer<Float>, count: Int) -> UnsafeMutablePointer<Double>
  {
    let doubles = UnsafeMutableRawPointer(workspace).assumingMemoryBound(to: Double.self)
    doubles.update(repeating: 0, count: count)
    return doubles
  }

  private func pack() {
    engine.threadPool.run(packWork(.forward), chunks: blocks.count) { index, _ in
      let block = blocks[index]
      let branch = branches[block.branch]
      packDepthwise(block, of: branch)
      let (expand, project) = (expandWeights[index], projectTransposed[index])
      if block.count < blockWidth || branch.weights.groups > 1 {
        expand.update(repeating: 0, count: input * blockWidth)
        project.update(repeating: 0, count: output * blockWidth)
      }
      if branch.weights.groups == 1 {
        packPlain(block, of: branch, expand: expand, project: project)
      } else {
        packGrouped(block, of: branch, expand: expand, project: project)
      }
    }
  }

  private func packDepthwise(_ block: Block, of branch: Branch) {
    let from = branch.weights.depthwise.value.pointer + block.first
    for t in 0..<branch.geometry.kernel * branch.geometry.kernel {
      (depthwiseWeights.pointer + block.depthwise + t * blockWidth).update(
        from: from + t * branch.hidden,
        count: block.count
      )
    }
  }

  private func packPlain(
    _ block: Block,
    of branch: Branch,
    expand: UnsafeMutablePointer<Float>,
    project: UnsafeMutablePointer<Float>
  ) {
    let from = branch.weights.expand.value.pointer + block.first
    if block.count == blockWidth {
      for i in 0..<input {
        // A copy of one length: a call for each would take longer.
        let row = UnsafeRawPointer(from + i * branch.hidden).loadUnaligned(as: SIMD16<Float>.self)
        UnsafeMutableRawPointer(expand + i * blockWidth).storeBytes(of: row, as: SIMD16<Float>.self)
      }
    } else {
      for i in 0..<input {
        (expand + i * blockWidth).update(from: from + i * branch.hidden, count: block.count)
      }
    }
    let rows = branch.weights.project.value.pointer + block.first * output
    if block.count == blockWidth {
      return engine.kernels.residual.packBlock(output, rows, output, project)
    }
    for j in 0..<block.count {
      for o in 0..<output { project[o * blockWidth + j] = rows[j * output + o] }
    }
  }

  private func packGrouped(
    _ block: Block,
    of branch: Branch,
    expand: UnsafeMutablePointer<Float>,
    project: UnsafeMutablePointer<Float>
  ) {
    for j in 0..<block.count {
      let c = block.first + j
      let source = branch.weights.expanded(c)
      for i in 0..<input {
        if let at = branch.weights.expandIndex(i, source, input: input) {
          expand[i * blockWidth + j] = branch.weights.expand.value.pointer[at]
        }
      }
      for o in 0..<output {
        if let at = branch.weights.projectIndex(c, o, output: output) {
          project[o * blockWidth + j] = branch.weights.project.value.pointer[at]
        }
      }
    }
  }
}
