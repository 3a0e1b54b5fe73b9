import Kernels

extension ResidualLayer {
  /// Hands the gradients of `outputs` back to the weights and to the input.
  ///
  /// A branch that got no gradient, having had no part in a hard choice, is left out.
  func backward(_ outputs: [Tensor]) {
    let gradients = outputs.map { engine.outputGradient(of: $0) }
    let active = branches.indices.filter { gradients[$0] != nil }
    if active.isEmpty { return }
    restoreMiddle()
    let kept = keepsGradient ? engine.pool.take(blocks.count * blockFloats) : nil
    let coefficients = backwardThroughProjection(outputs, gradients, active, kept)
    let partials = backwardThroughDepthwise(outputs, active, coefficients, kept)
    finishExpansion(partials, active)
  }

  // MARK: First pass

  /// The projections' gradients, and α, β, κ of the raw depthwise outputs', [blocks, 3, 16].
  ///
  /// Leaves the gradients of the raw outputs in their place.
  private func backwardThroughProjection(
    _ outputs: [Tensor],
    _ gradients: [Engine.OutputGradient?],
    _ active: [Int],
    _ kept: Buffer?
  ) -> Buffer {
    let pool = engine.pool
    let kernels = engine.kernels
    let rows = images * outputPixels
    let filterRows = (blockWidth + kernels.rows - 1) / kernels.rows * kernels.rows
    let stride = wholeBlocks(output)
    let blockFilter = filterRows * stride
    let chunks = Chunks(
      rows: rows,
      unit: convolutionBlock,
      rowFloats: 8 * (blockWidth + output),
      partialFloats: blocks.count * blockFilter
    )
    let trains = engine.trainsParameters
    let filters = trains ? pool.take(chunks.count * blocks.count * blockFilter) : nil
    let channels = blocks.count * blockWidth
    let sums = ChannelSums(chunks: chunks.count, channels: channels, pool: pool)
    let works = branches.indices.map { index in
      let first = branches[index].blocks.lowerBound
      var work = projection(
        index,
        filter: projectTransposed.pointer + first * output * blockWidth
      )
      work.gradient = kept.map { $0.pointer + first * blockFloats }
      return work
    }
    let order = bySize(active)
    engine.threadPool.run(
      projectBackwardWork(active),
      chunks: active.count * chunks.count,
      workspaceFloats: works.map(\.workspaceFloats).max() ?? 0
    ) { task, workspace in
      let (index, chunk) = (order[task / chunks.count], task % chunks.count)
      guard let gradient = gradients[index] else { return }
      let first = branches[index].blocks.lowerBound
      let own = sums.chunk(chunk, from: first * blockWidth)
      let filter = filters.map { $0.pointer + (chunk * blocks.count + first) * blockFilter }
      kernels.residual.projectBlocksBackward(
        works[index],
        gradient.source,
        outputs[index].buffer.pointer,
        chunks[chunk].lowerBound,
        chunks[chunk].upperBound,
        filter,
        own.sums,
        own.products,
        workspace
      )
    }
    if let filters {
      let used = active.flatMap { Array(branches[$0].blocks) }
      engine.threadPool.run(
        sumsWork(chunks: chunks.count, count: blocks.count * blockFilter),
        chunks: used.count
      ) { task, _ in
        let index = used[task]
        let block = blocks[index]
        let branch = branches[block.branch]
        let total = filters.pointer + index * blockFilter
        for chunk in 1..<max(1, chunks.count) {
          kernels.addScaled(blockFilter, 1, total + chunk * blocks.count * blockFilter, total)
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
            if let at = branch.projectIndex(block.first + j, o, output: output) {
              branch.weights.project.gradient.pointer[at] += total[j * stride + o]
            }
          }
        }
      }
    }
    let totals = sums.total()
    let coefficients = pool.takeZeros(3 * channels)
    for index in active {
      let branch = branches[index]
      let norm = depthwiseNorms[index]
      let first = branch.blocks.lowerBound * blockWidth
      norm.sums = Array(totals.sums[first..<first + branch.middle])
      norm.products = Array(totals.products[first..<first + branch.middle])
      let own = norm.coefficients(factor: 1, trainNorm: trains, pool: pool)
      for c in 0..<branch.middle {
        let to = coefficients.pointer + (first + c) / blockWidth * 3 * blockWidth + c % blockWidth
        for i in 0..<3 { to[i * blockWidth] = own.pointer[i * branch.middle + c] }
      }
    }
    return coefficients
  }

  // MARK: Second pass

  /// What the second pass leaves, summed over the chunks.
  struct ExpansionSums {
    /// xᵀ·g, [blocks, rows of whole tiles, 16]; nil if the weights rest.
    ///
    /// There is one for each of `chunks` chunks, `chunkFloats` apart, whose sum is still to be taken.
    let filter: UnsafeMutablePointer<Float>?
    let chunks: Int
    let chunkFloats: Int
    /// Floats from block to block of it.
    let blockFilter: Int
    /// Σ g and Σ g·y, y the expansion before its activation, [blocks, 2, 16].
    let sums: UnsafePointer<Float>
    /// What holds both.
    let partials: Buffer
    /// See `packExpansions`.
    let packed: Buffer
    /// Whether it was packed in rows.
    let inRows: Bool
    /// Blocks that are one matrix there.
    let run: Int
    /// Where g·Wᵀ was added; nil if the input wants no gradient.
    let dx: Buffer?
  }

  private func backwardThroughDepthwise(
    _ outputs: [Tensor],
    _ active: [Int],
    _ coefficients: Buffer,
    _ kept: Buffer?
  ) -> ExpansionSums {
    let pool = engine.pool
    let kernels = engine.kernels
    let tileRows = (input + kernels.rows - 1) / kernels.rows * kernels.rows
    let blockFilter = max(tileRows, wholeBlocks(input)) * blockWidth
    let channels = blocks.count * blockWidth
    let trains = engine.trainsParameters
    // One run of partial sums a chunk: sums and, if the weights are trained, taps and filter.
    let sumFloats = 2 * channels
    let partialFloats = sumFloats + (trains ? tapFloats + blocks.count * blockFilter : 0)
    let chunks = imageChunks
    let partials = pool.take(chunks.count * partialFloats)
    let inputStride = wholeBlocks(input)
    let target = x.requiresGradient ? engine.gradientTarget(of: x) : nil
    // Some images at a time; the gradients of a run of blocks go into dx together, both in cache.
    let used = active.flatMap { Array(branches[$0].blocks) }
    let set = max(1, min(chunks[0].count, ResidualLayer.cachedFloats / (inputPixels * inputStride)))
    let runFloats = (set * inputPixels + 8) * blockWidth
    let run = max(1, min(used.count, ResidualLayer.cachedFloats / runFloats))
    // Half of a gradient before a ReLU is zeros.
    let inRows =
      kernels.residual.skipsZeros(input)
      && active.allSatisfy { branches[$0].weights.activation == .relu }
    let packed = packExpansions(used, run: run, inRows: inRows)
    let dxFloats = (set * inputPixels + 8) * inputStride
    let blockWorkspace = blockWorkspace
    engine.threadPool.run(
      expandBackwardWork(active),
      chunks: chunks.count,
      workspaceFloats: dxFloats + run * runFloats + blockWorkspace
    ) { chunk, workspace in
      let sums = partials.pointer + chunk * partialFloats
      let taps = trains ? sums + sumFloats : nil
      let filter = taps.map { $0 + tapFloats }
      let dx = workspace
      let made = dx + dxFloats
      let spare = made + run * runFloats
      sums.update(repeating: 0, count: sumFloats + (trains ? tapFloats : 0))
      for image in stride(from: chunks[chunk].lowerBound, to: chunks[chunk].upperBound, by: set) {
        let count = min(set, chunks[chunk].upperBound - image)
        for first in stride(from: 0, to: used.count, by: run) {
          let slices = min(run, used.count - first)
          for slice in 0..<slices {
            let block = used[first + slice]
            kernels.residual.expandDepthwiseBackward(
              work(block, image: image),
              wayBack(block, image: image, outputs, coefficients, kept, inRows),
              count,
              image == chunks[chunk].lowerBound,
              filter.map { $0 + block * blockFilter },
              taps.map { $0 + blocks[block].taps },
              sums + block * 2 * blockWidth,
              made + slice * runFloats,
              spare
            )
          }
          if target == nil { continue }
          let product = SliceProduct(
            columns: input,
            slices: slices,
            sliceStride: runFloats,
            packed: packed.pointer + first * blockWidth * inputStride,
            inRows: inRows,
            skipsZeros: inRows,
            workspace: spare
          )
          kernels.residual.multiplySlices(product, count * inputPixels, made, dx, first > 0)
        }
        guard let target else { continue }
        kernels.residual.copyRows(
          count * inputPixels,
          input,
          dx,
          inputStride,
          target.buffer.pointer + image * inputPixels * input,
          target.accumulate
        )
      }
    }
    let summed = sumFloats + (trains ? tapFloats : 0)
    let parts = Chunks(rows: summed, rowFloats: chunks.count)
    engine.threadPool.run(sumsWork(chunks: chunks.count, count: summed), chunks: parts.count) {
      part,
      _ in
      let range = parts[part]
      for chunk in 1..<max(1, chunks.count) {
        kernels.addScaled(
          range.count,
          1,
          partials.pointer + chunk * partialFloats + range.lowerBound,
          partials.pointer + range.lowerBound
        )
      }
    }
    let taps = trains ? partials.pointer + sumFloats : nil
    if let taps { addTapGradients(taps, active) }
    return ExpansionSums(
      filter: taps.map { $0 + tapFloats },
      chunks: chunks.count,
      chunkFloats: partialFloats,
      blockFilter: blockFilter,
      sums: UnsafePointer(partials.pointer),
      partials: partials,
      packed: packed,
      inRows: inRows,
      run: run,
      dx: target?.buffer
    )
  }

  /// The second pass's view of block `index` from `image` on.
  private func wayBack(
    _ index: Int,
    image: Int,
    _ outputs: [Tensor],
    _ coefficients: Buffer,
    _ kept: Buffer?,
    _ skipsZeros: Bool
  ) -> ResidualBlockGradient {
    let pixel = image * outputPixels
    return ResidualBlockGradient(
      projectTransposed: projectTransposed.pointer + index * output * blockWidth,
      scale: pending.pointer + index * blockWidth,
      shift: pending.pointer + (blocks.count + index) * blockWidth,
      coefficients: coefficients.pointer + index * 3 * blockWidth,
      d: middle(index, pixel: pixel),
      gradient: outputs[blocks[index].branch].buffer.pointer + pixel * output,
      gradientChannels: output,
      skipsZeros: skipsZeros,
      hiddenGradient: kept.map { UnsafePointer($0.pointer + index * blockFloats + pixel * blockWidth) }
    )
  }

  /// The folded expansions of blocks, transposed and packed, `run` blocks at a time one matrix.
  private func packExpansions(_ used: [Int], run: Int, inRows: Bool) -> Buffer {
    let columns = wholeBlocks(input)
    let packed = engine.pool.take(used.count * blockWidth * columns)
    let kernels = engine.kernels
    engine.threadPool.run(packWork(.backward), chunks: used.count) { task, _ in
      let first = task / run * run
      kernels.residual.packSlice(
        input,
        folded.pointer + used[task] * input * blockWidth,
        task - first,
        min(run, used.count - first),
        inRows,
        packed.pointer + first * blockWidth * columns
      )
    }
    return packed
  }

  private func addTapGradients(_ taps: UnsafeMutablePointer<Float>, _ active: [Int]) {
    let used = active.flatMap { Array(branches[$0].blocks) }
    engine.threadPool.run(packWork(.backward), chunks: used.count) { task, _ in
      let block = blocks[used[task]]
      let branch = branches[block.branch]
      let gradient = branch.weights.depthwise.gradient.pointer
      for t in 0..<branch.geometry.kernel * branch.geometry.kernel {
        for j in 0..<block.count {
          gradient[t * branch.middle + block.first + j] +=
            taps[block.taps + t * blockWidth + j]
        }
      }
    }
  }
}
