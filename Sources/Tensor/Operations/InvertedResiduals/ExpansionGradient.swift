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
  /// Rows of xᵀ·g behind both, [blocks, rows of whole tiles, 16].
  let filterRows: Int
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
    filterRows = max((channels + tileRows - 1) / tileRows * tileRows, inputStride)
    let filterFloats = trains ? blocks * filterRows * blockWidth : 0
    partialFloats = sumFloats + self.depthwiseFloats + filterFloats
  }

  /// Partial sums that `reduce` adds up over the chunks: all but the filters'.
  var reducedFloats: Int { sumFloats + depthwiseFloats }
}

/// What the second pass leaves for the expansion's own gradients.
struct ExpansionSums {
  let plan: ExpansionPlan
  /// The chunks' partial sums.
  let partials: Buffer
  /// The folded expansions, see `packExpansions`.
  let packed: BlockedArray
  /// Where g·Wᵀ was added; nil if the input wants no gradient.
  let dx: Buffer?

  /// A chunk's share.
  struct Chunk {
    /// Σ g and Σ g·y, y the expansion before its activation, [blocks, 2, 16].
    let sums: BlockedArray
    /// The gradient of the depthwise weights; nil if they are frozen.
    let depthwise: UnsafeMutablePointer<Float>?
    /// P = xᵀ·g, [blocks, rows of whole tiles, 16]; nil if the weights are frozen.
    let filter: BlockedArray?
  }

  /// The share of chunk `index`.
  func chunk(_ index: Int) -> Chunk {
    let sums = partials.pointer + index * plan.partialFloats
    let depthwise = plan.trains ? sums + plan.sumFloats : nil
    return Chunk(
      sums: BlockedArray(part: sums, rows: 2),
      depthwise: depthwise,
      filter: depthwise.map {
        BlockedArray(part: $0 + plan.depthwiseFloats, rows: plan.filterRows)
      }
    )
  }

  /// The first chunk's share, to which `reduce` has added the others' but for `filter`.
  var total: Chunk { chunk(0) }
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
    _ coefficients: BlockedArray,
    _ hiddenGradient: BlockedArray?
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
    if let depthwise = expansionSums.total.depthwise {
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
      let own = expansionSums.chunk(chunk)
      let dx = workspace
      let gradients = dx + plan.inputGradientFloats
      let rest = gradients + plan.blockGroup * plan.gradientFloats
      own.sums[0].update(repeating: 0, count: plan.reducedFloats)
      for image in stride(from: images.lowerBound, to: images.upperBound, by: plan.imageGroup) {
        let count = min(plan.imageGroup, images.upperBound - image)
        for first in stride(from: 0, to: plan.activeBlocks.count, by: plan.blockGroup) {
          let slices = min(plan.blockGroup, plan.activeBlocks.count - first)
          for slice in 0..<slices {
            let block = plan.activeBlocks[first + slice]
            let backward = ExpandDepthwiseBackward(
              expansion: expansion(block, image: image),
              upstream: view(block, image),
              gradient: gradients + slice * plan.gradientFloats,
              sums: PartialSums(sums: own.sums[block], products: own.sums[block, row: 1]),
              filterGradient: own.filter.map { $0[block] },
              isFirst: image == images.lowerBound,
              weightGradients: own.depthwise.map { $0 + blocks[block].depthwise }
            )
            kernels.residual.expandDepthwiseBackward(backward, count, rest)
          }
          if expansionSums.dx == nil { continue }
          let product = SliceProduct(
            columns: input,
            slices: slices,
            a: gradients,
            sliceStride: plan.gradientFloats,
            packed: expansionSums.packed[first],
            inRows: plan.skipsZeros,
            c: dx,
            accumulate: first > 0,
            skipsZeros: plan.skipsZeros
          )
          kernels.residual.multiplySlices(product, count * inputPixels, rest)
        }
        guard let target = expansionSums.dx else { continue }
        let copy = RowCopy(
          columns: input,
          source: dx,
          stride: plan.inputStride,
          out: target.pointer + image * inputPixels * input,
          accumulate: accumulate
        )
        kernels.residual.copyRows(copy, count * inputPixels)
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
    _ coefficients: BlockedArray,
    _ hiddenGradient: BlockedArray?,
    _ skipsZeros: Bool
  ) -> ResidualBlockGradient {
    let pixel = image * outputPixels
    return ResidualBlockGradient(
      projectTransposed: projectTransposed[index],
      scale: deferredScale[index],
      shift: deferredShift[index],
      coefficients: coefficients[index],
      d: hidden(index, pixel: pixel),
      gradient: outputs[blocks[index].branch].buffer.pointer + pixel * output,
      gradientChannels: output,
      skipsZeros: skipsZeros,
      hiddenGradient: hiddenGradient.map { UnsafePointer($0[index, row: pixel]) }
    )
  }

  /// The folded expansions of the active blocks, transposed and packed, a group of blocks one
  /// matrix.
  private func packExpansions(_ plan: ExpansionPlan) -> BlockedArray {
    let count = plan.activeBlocks.count
    let packed = BlockedArray(blocks: count, rows: plan.inputStride, pool: engine.pool)
    let kernels = engine.kernels
    engine.threadPool.run(packWork(.backward), chunks: count) { task, _ in
      let first = task / plan.blockGroup * plan.blockGroup
      kernels.residual.packSlice(
        SlicePacking(
          columns: input,
          block: foldedWeights[plan.activeBlocks[task]],
          slice: task - first,
          slices: min(plan.blockGroup, count - first),
          inRows: plan.skipsZeros,
          packed: packed[first]
        )
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
