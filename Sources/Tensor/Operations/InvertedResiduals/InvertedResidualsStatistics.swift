import Kernels

/// The third pass: back through the expansion's batch statistics.
extension ResidualLayer {
  /// The expansion's gradients, and what its batch statistics take back from the input's.
  ///
  /// With S = Σ g, P = xᵀg, dγ = (Σ W·P − E[y]·S)/σ, scale s and M rows:
  /// dW = s·(P − μ·Sᵀ − ΣW·dγ/σ), and dx = g·(sW)ᵀ − (x − μ)·(W·diag(s·dγ/(M·σ))·Wᵀ) − W·(s·S/M).
  /// Where the weights are frozen, P is not made: Σ W·P is Σ g·Wᵀx, for which Σ g·y is enough.
  func finishExpansion(_ expansionSums: ExpansionSums) {
    let slopes = takeSlopes(expansionSums)
    if let filter = expansionSums.total.filter {
      addExpansionGradients(expansionSums, filter, slopes)
    }
    guard let dx = expansionSums.dx, let inputMean else { return }
    subtractStatistics(expansionSums, slopes, inputMean, from: dx)
  }

  /// dγ/(M·σ) of every channel, in blocks; tells the normalisations their sums.
  private func takeSlopes(_ expansionSums: ExpansionSums) -> BlockedArray {
    let pool = engine.pool
    let rows = Double(images * inputPixels)
    let total = expansionSums.total
    let products = total.filter.map { filterProducts(expansionSums, $0) }
    let slopes = BlockedArray(zeros: blocks.count, rows: 1, pool: pool)
    for index in expansionSums.plan.activeBranches {
      let branch = branches[index]
      let norm = expandNorms[index]
      let first = branch.blocks.lowerBound * blockWidth
      var (sums, ownProducts) = (norm.sums, norm.products)
      for j in 0..<branch.hidden {
        let c = branch.weights.expanded(j)
        let block = branch.blocks.lowerBound + j / blockWidth
        sums[c] = Double(total.sums[block][j % blockWidth])
        if let products {
          ownProducts[c] = products[first + j]
        } else {
          // y = s·Wᵀx + shift. A scale of 0 passes nothing back, whatever stands here.
          let scale = Double(norm.scale.pointer[c])
          let product = Double(total.sums[block, row: 1][j % blockWidth])
          let rest = product - Double(norm.shift.pointer[c]) * sums[c]
          ownProducts[c] = scale == 0 ? 0 : rest / scale
        }
      }
      (norm.sums, norm.products) = (sums, ownProducts)
      let gamma = norm.gammaGradients()
      for j in 0..<branch.hidden {
        let c = branch.weights.expanded(j)
        slopes[0][first + j] = Float(gamma[c] * norm.inverseDeviation[c] / rows)
      }
      if products != nil { norm.addParameterGradients(gamma: gamma) }
    }
    return slopes
  }

  /// Σ W·P of every channel of the active branches, in blocks.
  ///
  /// P becomes the sum of the chunks' and lies as the packed filters do.
  private func filterProducts(
    _ expansionSums: ExpansionSums,
    _ filter: BlockedArray
  ) -> [Double] {
    let plan = expansionSums.plan
    let floats = wholeBlocks(input) * blockWidth
    var products = [Double](repeating: 0, count: blocks.count * blockWidth)
    products.withUnsafeMutableBufferPointer { products in
      guard let products = products.baseAddress else { return }
      engine.threadPool.run(
        packWork(.backward),
        chunks: plan.activeBlocks.count,
        workspaceFloats: floats + 2 * blockWidth
      ) { task, workspace in
        let block = plan.activeBlocks[task]
        let p = filter[block]
        for chunk in 1..<max(1, plan.chunks.count) {
          guard let part = expansionSums.chunk(chunk).filter else { continue }
          engine.kernels.addScaled(plan.filterRows * blockWidth, 1, part[block], p)
        }
        if plan.skipsZeros {
          workspace.update(from: p, count: floats)
          engine.kernels.residual.packBlock(input, workspace, wholeBlocks(input), p)
        }
        let w = expandWeights[block]
        let to = doubles(workspace + floats, count: blockWidth)
        for i in 0..<input * blockWidth { to[i % blockWidth] += Double(w[i]) * Double(p[i]) }
        (products + block * blockWidth).update(from: to, count: blockWidth)
      }
    }
    return products
  }

  /// What the statistics take back from dx, linear in x: x·matrix + offset, the matrix packed.
  private func statisticsCorrection(
    _ expansionSums: ExpansionSums,
    _ slopes: BlockedArray,
    _ inputMean: [Double]
  ) -> (matrix: Buffer, offset: Buffer) {
    let pool = engine.pool
    let kernels = engine.kernels
    let rows = Double(images * inputPixels)
    let stride = wholeBlocks(input)
    let tileRows = (input + kernels.rows - 1) / kernels.rows * kernels.rows
    let plan = expansionSums.plan
    // W·diag(slope)·(sW)ᵀ and W·(s·S/M), a few groups of blocks at a time, added up in their order.
    let groups = Chunks(
      rows: plan.activeBlocks.count,
      unit: plan.blockGroup,
      rowFloats: input * input,
      partialFloats: input * input
    )
    let partial = tileRows * stride
    let products = pool.take(groups.count * partial)
    var shifts = [Double](repeating: 0, count: groups.count * input)
    let blockFloats = tileRows * blockWidth
    shifts.withUnsafeMutableBufferPointer { shifts in
      guard let shifts = shifts.baseAddress else { return }
      engine.threadPool.run(
        packWork(.backward),
        chunks: groups.count,
        workspaceFloats: plan.blockGroup * blockFloats + 128
      ) {
        chunk,
        workspace in
        var first = groups[chunk].lowerBound
        while first < groups[chunk].upperBound {
          let slices = min(plan.blockGroup, plan.activeBlocks.count - first)
          for slice in 0..<slices {
            let block = plan.activeBlocks[first + slice]
            let (w, scaled) = (expandWeights[block], foldedWeights[block])
            let (slope, sums) = (slopes[block], expansionSums.total.sums[block])
            let to = workspace + slice * blockFloats
            for i in 0..<input {
              var shift: Float = 0
              for j in 0..<blockWidth {
                to[i * blockWidth + j] = w[i * blockWidth + j] * slope[j]
                shift += scaled[i * blockWidth + j] * sums[j]
              }
              shifts[chunk * input + i] += Double(shift) / rows
            }
          }
          let product = SliceProduct(
            columns: input,
            slices: slices,
            a: workspace,
            sliceStride: blockFloats,
            packed: expansionSums.packed[first],
            inRows: plan.skipsZeros,
            c: products.pointer + chunk * partial,
            accumulate: first > groups[chunk].lowerBound,
            isSymmetric: true,
            skipsZeros: false
          )
          let rest = workspace + plan.blockGroup * blockFloats
          kernels.residual.multiplySlices(product, input, rest)
          first += slices
        }
      }
    }
    var offsets = [Double](repeating: 0, count: input)
    for group in 0..<groups.count {
      if group > 0 {
        kernels.addScaled(partial, 1, products.pointer + group * partial, products.pointer)
      }
      for i in 0..<input { offsets[i] += shifts[group * input + i] }
    }
    for k in 0..<input {
      for i in 0..<k { products.pointer[k * stride + i] = products.pointer[i * stride + k] }
      for i in 0..<input { offsets[i] -= inputMean[k] * Double(products.pointer[k * stride + i]) }
    }
    let offset = pool.takeZeros(stride)
    for i in 0..<input { offset.pointer[i] = Float(offsets[i]) }
    let matrix = pool.take(stride * input)
    kernels.packColumns(
      ColumnPacking(
        depth: input,
        columns: input,
        b: products.pointer,
        depthStride: stride,
        columnStride: 1,
        packed: matrix.pointer
      )
    )
    return (matrix, offset)
  }

  /// dx −= (x − μ)·(W·diag(s·dγ/(M·σ))·Wᵀ) + W·(s·S/M), for all branches at once.
  private func subtractStatistics(
    _ expansionSums: ExpansionSums,
    _ slopes: BlockedArray,
    _ inputMean: [Double],
    from dx: Buffer
  ) {
    let (matrix, offset) = statisticsCorrection(expansionSums, slopes, inputMean)
    let kernels = engine.kernels
    let chunks = Chunks(rows: images * inputPixels, rowFloats: 2 * input)
    engine.threadPool.run(
      momentsBackwardWork,
      chunks: chunks.count,
      workspaceFloats: convolutionBlock * (input + wholeBlocks(input))
    ) { chunk, workspace in
      let correction = SubtractProduct(
        x: x.source,
        packed: matrix.pointer,
        offset: offset.pointer,
        y: dx.pointer
      )
      kernels.residual.subtractProduct(correction, chunks[chunk], workspace)
    }
  }

  /// dW = s·(P − μ·Sᵀ − ΣW·dγ/σ) of the active branches.
  private func addExpansionGradients(
    _ expansionSums: ExpansionSums,
    _ filter: BlockedArray,
    _ slopes: BlockedArray
  ) {
    let rows = Float(images * inputPixels)
    let plan = expansionSums.plan
    let mean = inputMean.map { $0.map { Float($0) } }
    engine.threadPool.run(
      packWork(.backward),
      chunks: plan.activeBlocks.count,
      workspaceFloats: 2 * blockWidth
    ) { task, scale in
      let index = plan.activeBlocks[task]
      let block = blocks[index]
      let branch = branches[block.branch]
      let gradient = branch.weights.expand.gradient.pointer
      let p = filter[index]
      let sums = expansionSums.total.sums[index]
      let slope = scale + blockWidth
      for j in 0..<block.count {
        let c = branch.weights.expanded(block.first + j)
        scale[j] = expandNorms[block.branch].scale.pointer[c]
        slope[j] = slopes[index][j] * rows
      }
      // In place: P becomes the gradient of the folded filter.
      if let mean, let covarianceTimesWeights {
        let t = covarianceTimesWeights[index]
        for i in 0..<input {
          for j in 0..<block.count {
            let at = i * blockWidth + j
            p[at] -= mean[i] * sums[j] + t[at] * slope[j]
          }
        }
      }
      if branch.weights.groups == 1 {
        for i in 0..<input {
          let to = gradient + i * branch.hidden + block.first
          for j in 0..<block.count { to[j] += scale[j] * p[i * blockWidth + j] }
        }
        return
      }
      for j in 0..<block.count {
        let c = branch.weights.expanded(block.first + j)
        for i in 0..<input {
          if let to = branch.weights.expandIndex(i, c, input: input) {
            gradient[to] += scale[j] * p[i * blockWidth + j]
          }
        }
      }
    }
  }
}
