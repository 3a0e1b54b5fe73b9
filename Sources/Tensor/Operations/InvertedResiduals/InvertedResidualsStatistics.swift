import Kernels

/// The way back through the expansion's batch statistics.
extension ResidualLayer {
  /// The expansion's gradients, and what its batch statistics take back from the input's.
  ///
  /// With S = Σ g, P = xᵀg, dγ = (Σ W·P − E[y]·S)/σ, scale s and M rows:
  /// dW = s·(P − μ·Sᵀ − ΣW·dγ/σ), and dx = g·(sW)ᵀ − (x − μ)·(W·diag(s·dγ/(M·σ))·Wᵀ) − W·(s·S/M).
  /// Where the weights rest, P is not made: Σ W·P is Σ g·Wᵀx, for which Σ g·y is enough.
  func finishExpansion(_ found: ExpansionSums, _ active: [Int]) {
    let slopes = takeSlopes(found, active)
    if let filter = found.filter { addExpansionGradients(found, filter, active, slopes) }
    guard let dx = found.dx, let inputMean else { return }
    subtractStatistics(found, active, slopes, inputMean, from: dx)
  }

  /// dγ/(M·σ) of every channel, in blocks; tells the normalisations their sums.
  private func takeSlopes(_ found: ExpansionSums, _ active: [Int]) -> Buffer {
    let pool = engine.pool
    let rows = Double(images * inputPixels)
    let channels = blocks.count * blockWidth
    let products = found.filter.map { filterProducts(found, $0, active) }
    let slopes = pool.takeZeros(channels)
    for index in active {
      let branch = branches[index]
      let norm = expandNorms[index]
      let first = branch.blocks.lowerBound * blockWidth
      var (sums, ownProducts) = (norm.sums, norm.products)
      for j in 0..<branch.middle {
        let c = branch.expanded(j)
        let block = found.sums + (first + j) / blockWidth * 2 * blockWidth
        sums[c] = Double(block[j % blockWidth])
        if let products {
          ownProducts[c] = products[first + j]
        } else {
          // y = s·Wᵀx + shift. A scale of 0 passes nothing back, whatever stands here.
          let scale = Double(norm.scale.pointer[c])
          let product = Double(block[blockWidth + j % blockWidth])
          let rest = product - Double(norm.shift.pointer[c]) * sums[c]
          ownProducts[c] = scale == 0 ? 0 : rest / scale
        }
      }
      (norm.sums, norm.products) = (sums, ownProducts)
      let gamma = norm.gammaGradients()
      for j in 0..<branch.middle {
        let c = branch.expanded(j)
        slopes.pointer[first + j] = Float(gamma[c] * norm.inverseDeviation[c] / rows)
      }
      if products != nil { norm.addParameterGradients(gamma: gamma) }
    }
    return slopes
  }

  /// Σ W·P of every channel of the active branches, in blocks; P becomes the sum of the chunks' and lies as the packed filters do.
  private func filterProducts(
    _ found: ExpansionSums,
    _ filter: UnsafeMutablePointer<Float>,
    _ active: [Int]
  ) -> [Double] {
    let used = active.flatMap { Array(branches[$0].blocks) }
    let floats = wholeBlocks(input) * blockWidth
    var products = [Double](repeating: 0, count: blocks.count * blockWidth)
    products.withUnsafeMutableBufferPointer { products in
      guard let products = products.baseAddress else { return }
      engine.threadPool.run(
        packWork(.backward),
        chunks: used.count,
        workspaceFloats: floats + 2 * blockWidth
      ) { task, workspace in
        let block = used[task]
        let p = filter + block * found.blockFilter
        for chunk in 1..<max(1, found.chunks) {
          engine.kernels.addScaled(found.blockFilter, 1, p + chunk * found.chunkFloats, p)
        }
        if found.inRows {
          workspace.update(from: p, count: floats)
          engine.kernels.residual.packBlock(input, workspace, wholeBlocks(input), p)
        }
        let w = raw.pointer + block * input * blockWidth
        let to = doubles(workspace + floats, count: blockWidth)
        for i in 0..<input * blockWidth { to[i % blockWidth] += Double(w[i]) * Double(p[i]) }
        (products + block * blockWidth).update(from: to, count: blockWidth)
      }
    }
    return products
  }

  private func subtractStatistics(
    _ found: ExpansionSums,
    _ active: [Int],
    _ slopes: Buffer,
    _ inputMean: [Double],
    from dx: Buffer
  ) {
    let pool = engine.pool
    let kernels = engine.kernels
    let rows = Double(images * inputPixels)
    let stride = wholeBlocks(input)
    let tileRows = (input + kernels.rows - 1) / kernels.rows * kernels.rows
    let used = active.flatMap { Array(branches[$0].blocks) }
    // W·diag(slope)·(sW)ᵀ and W·(s·S/M), a few runs of blocks at a time, added up in their order.
    let runs = Chunks(
      rows: used.count,
      unit: found.run,
      rowFloats: input * input,
      partialFloats: input * input
    )
    let partial = tileRows * stride
    let products = pool.take(runs.count * partial)
    var shifts = [Double](repeating: 0, count: runs.count * input)
    let blockFloats = tileRows * blockWidth
    shifts.withUnsafeMutableBufferPointer { shifts in
      guard let shifts = shifts.baseAddress else { return }
      engine.threadPool.run(
        packWork(.backward),
        chunks: runs.count,
        workspaceFloats: found.run * blockFloats + 128
      ) {
        chunk,
        workspace in
        var first = runs[chunk].lowerBound
        while first < runs[chunk].upperBound {
          let slices = min(found.run, used.count - first)
          for slice in 0..<slices {
            let block = used[first + slice]
            let w = raw.pointer + block * input * blockWidth
            let scaled = folded.pointer + block * input * blockWidth
            let slope = slopes.pointer + block * blockWidth
            let sums = found.sums + block * 2 * blockWidth
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
            sliceStride: blockFloats,
            packed: found.packed.pointer + first * blockWidth * stride,
            inRows: found.inRows,
            isSymmetric: true,
            skipsZeros: false,
            workspace: workspace + found.run * blockFloats
          )
          let to = products.pointer + chunk * partial
          kernels.residual.multiplySlices(
            product,
            input,
            workspace,
            to,
            first > runs[chunk].lowerBound
          )
          first += slices
        }
      }
    }
    var offsets = [Double](repeating: 0, count: input)
    for run in 0..<runs.count {
      if run > 0 {
        kernels.addScaled(partial, 1, products.pointer + run * partial, products.pointer)
      }
      for i in 0..<input { offsets[i] += shifts[run * input + i] }
    }
    for k in 0..<input {
      for i in 0..<k { products.pointer[k * stride + i] = products.pointer[i * stride + k] }
      for i in 0..<input { offsets[i] -= inputMean[k] * Double(products.pointer[k * stride + i]) }
    }
    let offset = pool.takeZeros(stride)
    for i in 0..<input { offset.pointer[i] = Float(offsets[i]) }
    let correction = pool.take(stride * input)
    kernels.packColumns(input, input, products.pointer, stride, 1, correction.pointer)
    let chunks = Chunks(rows: images * inputPixels, rowFloats: 2 * input)
    engine.threadPool.run(
      momentsBackwardWork,
      chunks: chunks.count,
      workspaceFloats: convolutionBlock * (input + stride)
    ) { chunk, workspace in
      kernels.residual.subtractProduct(
        x.source,
        correction.pointer,
        offset.pointer,
        chunks[chunk].lowerBound,
        chunks[chunk].upperBound,
        dx.pointer,
        workspace
      )
    }
  }

  private func addExpansionGradients(
    _ found: ExpansionSums,
    _ filter: UnsafeMutablePointer<Float>,
    _ active: [Int],
    _ slopes: Buffer
  ) {
    let rows = Float(images * inputPixels)
    let used = active.flatMap { Array(branches[$0].blocks) }
    let mean = inputMean.map { $0.map { Float($0) } }
    engine.threadPool.run(
      packWork(.backward),
      chunks: used.count,
      workspaceFloats: 2 * blockWidth
    ) { task, scale in
      let index = used[task]
      let block = blocks[index]
      let branch = branches[block.branch]
      let gradient = branch.weights.expand.gradient.pointer
      let p = filter + index * found.blockFilter
      let sums = found.sums + index * 2 * blockWidth
      let slope = scale + blockWidth
      for j in 0..<block.count {
        let c = branch.expanded(block.first + j)
        scale[j] = expandNorms[block.branch].scale.pointer[c]
        slope[j] = slopes.pointer[index * blockWidth + j] * rows
      }
      // In place: P becomes the gradient of the folded filter.
      if let mean, let covarianceTimesRaw {
        let t = covarianceTimesRaw.pointer + index * input * blockWidth
        for i in 0..<input {
          for j in 0..<block.count {
            let at = i * blockWidth + j
            p[at] -= mean[i] * sums[j] + t[at] * slope[j]
          }
        }
      }
      if branch.weights.groups == 1 {
        for i in 0..<input {
          let to = gradient + i * branch.middle + block.first
          for j in 0..<block.count { to[j] += scale[j] * p[i * blockWidth + j] }
        }
        return
      }
      for j in 0..<block.count {
        let c = branch.expanded(block.first + j)
        for i in 0..<input {
          if let to = branch.expandIndex(i, c, input: input) {
            gradient[to] += scale[j] * p[i * blockWidth + j]
          }
        }
      }
    }
  }
}
