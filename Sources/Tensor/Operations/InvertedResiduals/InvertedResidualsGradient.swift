import Kernels

extension ResidualLayer {
  /// Hands the gradients of `outputs` back to the weights and to the input.
  ///
  /// A branch that got no gradient, having had no part in a hard choice, is left out.
  func backward(_ outputs: [Tensor]) {
    let gradients = outputs.map { engine.outputGradient(of: $0) }
    let active = branches.indices.filter { gradients[$0] != nil }
    if active.isEmpty { return }
    restoreHidden()
    let pixels = images * outputPixels
    let hiddenGradient =
      keepsGradient
      ? BlockedArray(blocks: blocks.count, rows: pixels, pool: engine.pool) : nil
    let coefficients = projectionGradients(outputs, gradients, active, hiddenGradient)
    let plan = expansionPlan(active)
    let expansionSums = expansionGradients(plan, outputs, coefficients, hiddenGradient)
    finishExpansion(expansionSums)
  }

  /// The blocks of some branches.
  func blocks(of active: [Int]) -> [Int] { active.flatMap { Array(branches[$0].blocks) } }

  // MARK: First pass

  /// The first pass: the projections' gradients, and the coefficients of the raw depthwise
  /// outputs'.
  ///
  /// Leaves the gradients of the raw outputs in their place.
  private func projectionGradients(
    _ outputs: [Tensor],
    _ gradients: [Engine.OutputGradient?],
    _ active: [Int],
    _ hiddenGradient: BlockedArray?
  ) -> BlockedArray {
    let pool = engine.pool
    let kernels = engine.kernels
    let rows = images * outputPixels
    let filterRows = (blockWidth + kernels.rows - 1) / kernels.rows * kernels.rows
    let stride = wholeBlocks(output)
    let filterFloats = filterRows * stride
    let chunks = Chunks(
      rows: rows,
      unit: convolutionBlock,
      rowFloats: 8 * (blockWidth + output),
      partialFloats: blocks.count * filterFloats
    )
    let trains = engine.trainsParameters
    let filters = trains ? pool.take(chunks.count * blocks.count * filterFloats) : nil
    let channels = blocks.count * blockWidth
    let sums = ChannelSums(chunks: chunks.count, channels: channels, pool: pool)
    let projections = branches.indices.map { index in
      projection(index, filter: projectTransposed[branches[index].blocks.lowerBound])
    }
    let order = bySize(active)
    engine.threadPool.run(
      projectBackwardWork(active),
      chunks: active.count * chunks.count,
      workspaceFloats: projections.map(\.workspaceFloats).max() ?? 0
    ) { task, workspace in
      let (index, chunk) = (order[task / chunks.count], task % chunks.count)
      guard let gradient = gradients[index] else { return }
      let first = branches[index].blocks.lowerBound
      let backward = ProjectBlocksBackward(
        projection: projections[index],
        gradient: gradient.source,
        outputGradient: outputs[index].buffer.pointer,
        hiddenGradient: hiddenGradient.map { $0[first] },
        filterGradient: filters.map {
          $0.pointer + (chunk * blocks.count + first) * filterFloats
        },
        sums: sums.chunk(chunk, from: first * blockWidth)
      )
      kernels.residual.projectBlocksBackward(backward, chunks[chunk], workspace)
    }
    if let filters { addProjectionGradients(filters, chunks.count, filterFloats, active) }
    return depthwiseCoefficients(sums, active)
  }

  /// Adds the chunks' filter gradients, [chunks, blocks, rows of whole tiles, wholeBlocks(D)], in
  /// their order, and the sums to the projections' gradients.
  private func addProjectionGradients(
    _ filters: Buffer,
    _ chunks: Int,
    _ filterFloats: Int,
    _ active: [Int]
  ) {
    let kernels = engine.kernels
    let stride = wholeBlocks(output)
    let activeBlocks = blocks(of: active)
    engine.threadPool.run(
      sumsWork(chunks: chunks, count: blocks.count * filterFloats),
      chunks: activeBlocks.count
    ) { task, _ in
      let index = activeBlocks[task]
      let block = blocks[index]
      let branch = branches[block.branch]
      let total = filters.pointer + index * filterFloats
      for chunk in 1..<max(1, chunks) {
        kernels.addScaled(filterFloats, 1, total + chunk * blocks.count * filterFloats, total)
      }
      if branch.weights.groups == 1 {
        let to = branch.weights.project.gradient.pointer + block.first * output
        for j in 0..<block.count {
          kernels.addScaled(output, 1, total + j * stride, to + j * output)
        }
        return
      }
      for j in 0..<block.count {
        for o in 0..<output {
          if let at = branch.weights.projectIndex(block.first + j, o, output: output) {
            branch.weights.project.gradient.pointer[at] += total[j * stride + o]
          }
        }
      }
    }
  }

  /// α, β, κ of the raw depthwise outputs' gradients, [blocks, 3, 16], from Σ g and Σ g·d.
  private func depthwiseCoefficients(_ sums: ChannelSums, _ active: [Int]) -> BlockedArray {
    let totals = sums.total()
    let coefficients = BlockedArray(zeros: blocks.count, rows: 3, pool: engine.pool)
    for index in active {
      let branch = branches[index]
      let norm = depthwiseNorms[index]
      let first = branch.blocks.lowerBound * blockWidth
      norm.sums = Array(totals.sums[first..<first + branch.hidden])
      norm.products = Array(totals.products[first..<first + branch.hidden])
      let own = norm.coefficients(factor: 1, trainNorm: engine.trainsParameters, pool: engine.pool)
      for c in 0..<branch.hidden {
        let block = branch.blocks.lowerBound + c / blockWidth
        for i in 0..<3 {
          coefficients[block, row: i][c % blockWidth] = own.pointer[i * branch.hidden + c]
        }
      }
    }
    return coefficients
  }
}
