import Kernels

/// How the second pass is cut up, and where its partial sums lie.
///
/// It depends on shapes alone, never on the number of threads, so the bits do not either.
struct ExpansionPlan {
  /// The branches that got a gradient.
  let activeBranches: [Int]
  /// Their blocks, branch by branch.
  let activeBlocks: [Int]
  /// Images of a chunk; each chunk has partial sums of its own.
  let chunks: Chunks
  /// Images whose input gradient stays in cache while all blocks add to it.
  let imageGroup: Int
  /// Blocks whose gradients stay in cache and go into the input's as one product of great depth.
  let blockGroup: Int
  /// Floats of one block's gradient for a group of images.
  let gradientFloats: Int
  /// Floats of the input gradient of a group of images.
  let inputGradientFloats: Int
  /// Floats from row to row of it.
  let inputStride: Int
  /// Σ g and Σ g·y of all blocks, [blocks, 2, 16]: what a chunk's partial sums begin with.
  let sumFloats: Int
  /// The gradient of the depthwise weights behind them; 0 where the weights are frozen.
  let depthwiseFloats: Int
  /// xᵀ·g of one block behind both, [rows of whole tiles, 16].
  let filterFloats: Int
  /// All partial sums of a chunk.
  let partialFloats: Int
  /// Whether weights get gradients.
  let trains: Bool
  /// Whether products pass over the zeros that a ReLU leaves in g; filters are packed in rows then.
  let skipsZeros: Bool

  /// Plans the pass.
  ///
  /// - Parameters:
  ///   - activeBranches: those that got a gradient.
  ///   - activeBlocks: their blocks.
  ///   - blocks: of all branches.
  ///   - chunks: images of each chunk.
  ///   - pixels: of an input image.
  ///   - channels: of the input.
  ///   - tileRows: rows of the kernels' tiles.
  ///   - depthwiseFloats: of all depthwise weights; nil where the weights are frozen.
  ///   - skipsZeros: see the property.
  init(
    activeBranches: [Int],
    activeBlocks: [Int],
    blocks: Int,
    chunks: Chunks,
    pixels: Int,
    channels: Int,
    tileRows: Int,
    depthwiseFloats: Int?,
    skipsZeros: Bool
  ) {
    self.activeBranches = activeBranches
    self.activeBlocks = activeBlocks
    self.chunks = chunks
    self.skipsZeros = skipsZeros
    trains = depthwiseFloats != nil
    inputStride = wholeBlocks(channels)
    let cached = ResidualLayer.cachedFloats
    imageGroup = max(1, min(chunks[0].count, cached / (pixels * inputStride)))
    // A product reads whole tiles, up to 8 rows.
    let rows = imageGroup * pixels + 8
    gradientFloats = rows * blockWidth
    inputGradientFloats = rows * inputStride
    blockGroup = max(1, min(activeBlocks.count, cached / gradientFloats))
    sumFloats = 2 * blocks * blockWidth
    self.depthwiseFloats = depthwiseFloats ?? 0
    let filterRows = (channels + tileRows - 1) / tileRows * tileRows
    filterFloats = max(filterRows, inputStride) * blockWidth
    partialFloats = sumFloats + self.depthwiseFloats + (trains ? blocks * filterFloats : 0)
  }

  /// Partial sums that `reduce` adds up over the chunks: all but the filters'.
  var reducedFloats: Int { sumFloats + depthwiseFloats }
}

/// What the second pass leaves for the expansion's own gradients.
struct ExpansionSums {
  let plan: ExpansionPlan
  /// The chunks' partial sums; those of the first are sums over all chunks but for `filter`.
  let partials: Buffer
  /// The folded expansions, see `packExpansions`.
  let packed: Buffer
  /// Where g·Wᵀ was added; nil if the input wants no gradient.
  let dx: Buffer?

  /// Σ g and Σ g·y, y the expansion before its activation, [blocks, 2, 16].
  var sums: UnsafePointer<Float> { UnsafePointer(partials.pointer) }
  /// The gradient of the depthwise weights; nil if they are frozen.
  var depthwise: UnsafeMutablePointer<Float>? {
    plan.trains ? partials.pointer + plan.sumFloats : nil
  }
  /// xᵀ·g, [blocks, rows of whole tiles, 16]; nil if the weights are frozen.
  ///
  /// It is the first chunk's, with the others' `partialFloats` apart: their sum is still to be
  /// taken.
  var filter: UnsafeMutablePointer<Float>? { depthwise.map { $0 + plan.depthwiseFloats } }
}

/// The second pass: back through depthwise convolution and expansion, rows in cache.
extension ResidualLayer {
  /// The plan for the branches that got a gradient.
  func expansionPlan(_ active: [Int]) -> ExpansionPlan {
    // Half of a gradient before a ReLU is zeros.
    let skipsZeros =
      engine.kernels.residual.skipsZeros(input)
      && active.allSatisfy { branches[$0].weights.activation == .relu }
    return ExpansionPlan(
      activeBranches: active,
      activeBlocks: blocks(of: active),
      blocks: blocks.count,
      chunks: imageChunks,
      pixels: inputPixels,
      channels: input,
      tileRows: engine.kernels.rows,
      depthwiseFloats: engine.trainsParameters ? depthwiseFloats : nil,
      skipsZeros: skipsZeros
    )
  }

  /// Runs the plan and adds up its partial sums; hands the depthwise weights their gradients.
  func expansionGradients(
    _ plan: ExpansionPlan,
    _ outputs: [Tensor],
    _ coefficients: Buffer,
    _ hiddenGradient: Buffer?
  ) -> ExpansionSums {
    let target = x.requiresGradient ? engine.gradientTarget(of: x) : nil
    let expansionSums = ExpansionSums(
      plan: plan,
      partials: engine.pool.take(plan.chunks.count * plan.partialFloats),
      packed: packExpansions(plan),
      dx: target?.buffer
    )
    run(
      plan,
      into: expansionSums,
      accumulate: target?.accumulate ?? false
    ) { block, image in
      gradientView(block, image, outputs, coefficients, hiddenGradient, plan.skipsZeros)
    }
    reduce(expansionSums)
    if let depthwise = expansionSums.depthwise {
      addDepthwiseGradients(depthwise, plan.activeBlocks)
    }
    return expansionSums
  }

  /// Chunk by chunk, group of images by group of images, the gradients of groups of blocks; each
  /// group's go into dx together, both in cache.
  private func run(
    _ plan: ExpansionPlan,
    into expansionSums: ExpansionSums,
    accumulate: Bool,
    view: (_ block: Int, _ image: Int) -> ResidualBlockGradient
  ) {
    let kernels = engine.kernels
    let blockWorkspace = blockWorkspace
    engine.threadPool.run(
      expandBackwardWork(plan.activeBranches),
      chunks: plan.chunks.count,
      workspaceFloats: plan.inputGradientFloats + plan.blockGroup * plan.gradientFloats
        + blockWorkspace
    ) { chunk, workspace in
      let images = plan.chunks[chunk]
      let sums = expansionSums.partials.pointer + chunk * plan.partialFloats
      let depthwise = plan.trains ? sums + plan.sumFloats : nil
      let filter = depthwise.map { $0 + plan.depthwiseFloats }
      let dx = workspace
      let gradients = dx + plan.inputGradientFloats
      let rest = gradients + plan.blockGroup * plan.gradientFloats
      sums.update(repeating: 0, count: plan.reducedFloats)
      for image in stride(from: images.lowerBound, to: images.upperBound, by: plan.imageGroup) {
        let count = min(plan.imageGroup, images.upperBound - image)
        for first in stride(from: 0, to: plan.activeBlocks.count, by: plan.blockGroup) {
          let slices = min(plan.blockGroup, plan.activeBlocks.count - first)
          for slice in 0..<slices {
            let block = plan.activeBlocks[first + slice]
            kernels.residual.expandDepthwiseBackward(
              work(block, image: image),
              view(block, image),
              count,
              image == images.lowerBound,
              filter.map { $0 + block * plan.filterFloats },
              depthwise.map { $0 + blocks[block].depthwise },
              sums + block * 2 * blockWidth,
              gradients + slice * plan.gradientFloats,
              rest
            )
          }
          if expansionSums.dx == nil { continue }
          let product = SliceProduct(
            columns: input,
            slices: slices,
            sliceStride: plan.gradientFloats,
            packed: expansionSums.packed.pointer + first * blockWidth * plan.inputStride,
            inRows: plan.skipsZeros,
            skipsZeros: plan.skipsZeros,
            workspace: rest
          )
          kernels.residual.multiplySlices(product, count * inputPixels, gradients, dx, first > 0)
        }
        guard let target = expansionSums.dx else { continue }
        kernels.residual.copyRows(
          count * inputPixels,
          input,
          dx,
          plan.inputStride,
          target.pointer + image * inputPixels * input,
          accumulate
        )
      }
    }
  }

  /// Adds the chunks' sums and depthwise gradients to the first chunk's, in their order.
  private func reduce(_ expansionSums: ExpansionSums) {
    let plan = expansionSums.plan
    let partials = expansionSums.partials.pointer
    let kernels = engine.kernels
    let parts = Chunks(rows: plan.reducedFloats, rowFloats: plan.chunks.count)
    engine.threadPool.run(
      sumsWork(chunks: plan.chunks.count, count: plan.reducedFloats),
      chunks: parts.count
    ) { part, _ in
      let range = parts[part]
      for chunk in 1..<max(1, plan.chunks.count) {
        kernels.addScaled(
          range.count,
          1,
          partials + chunk * plan.partialFloats + range.lowerBound,
          partials + range.lowerBound
        )
      }
    }
  }

  /// The second pass's view of block `index` from `image` on.
  private func gradientView(
    _ index: Int,
    _ image: Int,
    _ outputs: [Tensor],
    _ coefficients: Buffer,
    _ hiddenGradient: Buffer?,
    _ skipsZeros: Bool
  ) -> ResidualBlockGradient {
    let pixel = image * outputPixels
    return ResidualBlockGradient(
      projectTransposed: projectTransposed.pointer + index * output * blockWidth,
      scale: deferred.pointer + index * blockWidth,
      shift: deferred.pointer + (blocks.count + index) * blockWidth,
      coefficients: coefficients.pointer + index * 3 * blockWidth,
      d: hidden(index, pixel: pixel),
      gradient: outputs[blocks[index].branch].buffer.pointer + pixel * output,
      gradientChannels: output,
      skipsZeros: skipsZeros,
      hiddenGradient: hiddenGradient.map {
        UnsafePointer($0.pointer + index * blockFloats + pixel * blockWidth)
      }
    )
  }

  /// The folded expansions of the active blocks, transposed and packed, a group of blocks one
  /// matrix.
  private func packExpansions(_ plan: ExpansionPlan) -> Buffer {
    let count = plan.activeBlocks.count
    let packed = engine.pool.take(count * blockWidth * plan.inputStride)
    let kernels = engine.kernels
    engine.threadPool.run(packWork(.backward), chunks: count) { task, _ in
      let first = task / plan.blockGroup * plan.blockGroup
      kernels.residual.packSlice(
        input,
        foldedWeights.pointer + plan.activeBlocks[task] * input * blockWidth,
        task - first,
        min(plan.blockGroup, count - first),
        plan.skipsZeros,
        packed.pointer + first * blockWidth * plan.inputStride
      )
    }
    return packed
  }

  private func addDepthwiseGradients(
    _ gradients: UnsafeMutablePointer<Float>,
    _ activeBlocks: [Int]
  ) {
    engine.threadPool.run(packWork(.backward), chunks: activeBlocks.count) { task, _ in
      let block = blocks[activeBlocks[task]]
      let branch = branches[block.branch]
      let gradient = branch.weights.depthwise.gradient.pointer
      for t in 0..<branch.geometry.kernel * branch.geometry.kernel {
        for j in 0..<block.count {
          gradient[t * branch.hidden + block.first + j] +=
            gradients[block.depthwise + t * blockWidth + j]
        }
      }
    }
  }
}
