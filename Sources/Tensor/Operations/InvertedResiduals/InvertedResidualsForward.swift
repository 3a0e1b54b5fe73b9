import Kernels

extension ResidualLayer {
  /// Takes the expansion's statistics from the input's moments, and folds them into the filters.
  private func foldExpansion() {
    if engine.mode != .inference { takeMoments() }
    let moments = expansionMoments()
    for branch in branches {
      let first = branch.blocks.lowerBound * blockWidth
      let own = moments.map { moments in
        var mean = [Double](repeating: 0, count: branch.hidden)
        var variance = mean
        for c in 0..<branch.hidden {
          let expanded = branch.weights.expanded(c)
          mean[expanded] = moments[2 * (first + c)]
          variance[expanded] = max(0, moments[2 * (first + c) + 1])
        }
        return (mean: mean, variance: variance)
      }
      expandNorms.append(
        engine.normalise(
          branch.weights.expandNorm,
          activation: branch.weights.activation,
          rows: images * inputPixels,
          moments: own
        )
      )
    }
    engine.threadPool.run(
      packWork(.forward),
      chunks: blocks.count,
      workspaceFloats: blockWidth
    ) { index, scale in
      let block = blocks[index]
      let branch = branches[block.branch]
      let norm = expandNorms[block.branch]
      let (from, to) = (expandWeights[index], foldedWeights[index])
      for j in 0..<blockWidth {
        let isUsed = j < block.count
        let c = isUsed ? branch.weights.expanded(block.first + j) : 0
        scale[j] = isUsed ? norm.scale.pointer[c] : 0
        bias[index][j] = isUsed ? norm.shift.pointer[c] : 0
      }
      for i in 0..<input {
        for j in 0..<blockWidth { to[i * blockWidth + j] = from[i * blockWidth + j] * scale[j] }
      }
    }
  }

  /// Mean and variance of every channel in blocks, one after the other; nil with running
  /// statistics.
  private func expansionMoments() -> [Double]? {
    guard let inputMean, let covarianceTimesWeights else { return nil }
    var moments = [Double](repeating: 0, count: 2 * blocks.count * blockWidth)
    moments.withUnsafeMutableBufferPointer { moments in
      guard let moments = moments.baseAddress else { return }
      engine.threadPool.run(
        packWork(.forward),
        chunks: blocks.count,
        workspaceFloats: 4 * blockWidth
      ) {
        index,
        workspace in
        let (w, t) = (expandWeights[index], covarianceTimesWeights[index])
        // Not where they go: two workers would write to one cache line.
        let to = doubles(workspace, count: 2 * blockWidth)
        for i in 0..<input {
          for j in 0..<blockWidth {
            let weight = Double(w[i * blockWidth + j])
            to[2 * j] += weight * inputMean[i]
            to[2 * j + 1] += weight * Double(t[i * blockWidth + j])
          }
        }
        (moments + 2 * index * blockWidth).update(from: to, count: 2 * blockWidth)
      }
    }
    return moments
  }

  /// Mean and covariance Σ of the input's channels, and Σ·W for every block.
  private func takeMoments() {
    let pool = engine.pool
    let kernels = engine.kernels
    let rows = images * inputPixels
    let stride = wholeBlocks(input)
    let tileRows = (input + kernels.rows - 1) / kernels.rows * kernels.rows
    let floats = tileRows * stride + stride
    let chunks = Chunks(rows: rows, rowFloats: input, partialFloats: floats)
    let partials = pool.takeZeros(chunks.count * floats)
    engine.threadPool.run(momentsWork, chunks: chunks.count) { chunk, _ in
      let products = partials.pointer + chunk * floats
      let moments = SecondMoments(
        x: x.buffer.pointer,
        channels: input,
        products: products,
        sums: products + tileRows * stride
      )
      kernels.residual.secondMoments(moments, chunks[chunk])
    }
    var mean = [Double](repeating: 0, count: input)
    for c in 0..<input {
      for chunk in 0..<chunks.count {
        mean[c] += Double(partials.pointer[chunk * floats + tileRows * stride + c])
      }
      mean[c] /= Double(rows)
    }
    let covariance = pool.take(input * input)
    engine.threadPool.run(momentsWork, chunks: input) { i, _ in
      for j in i..<input {
        var sum = 0.0
        for chunk in 0..<chunks.count {
          sum += Double(partials.pointer[chunk * floats + i * stride + j])
        }
        let value = Float(sum / Double(rows) - mean[i] * mean[j])
        covariance.pointer[i * input + j] = value
        covariance.pointer[j * input + i] = value
      }
    }
    let product = BlockedArray(blocks: blocks.count, rows: input, pool: pool)
    let spare = 8 * (input + blockWidth)
    engine.threadPool.run(packWork(.forward), chunks: blocks.count, workspaceFloats: spare) {
      index,
      workspace in
      let covarianceProduct = BlockProduct(
        depth: input,
        a: covariance.pointer,
        aStride: input,
        b: expandWeights[index],
        c: product[index]
      )
      kernels.residual.multiplyBlock(covarianceProduct, input, workspace)
    }
    inputMean = mean
    covarianceTimesWeights = product
  }

  /// How kernels expand block `index` of the images from `image` on.
  func expansion(_ index: Int, image: Int) -> ExpandDepthwise {
    let block = blocks[index]
    let branch = branches[block.branch]
    return ExpandDepthwise(
      block: ResidualBlock(
        activation: branch.weights.activation,
        expand: foldedWeights[index],
        bias: bias[index],
        weights: depthwiseWeights.pointer + block.depthwise
      ),
      geometry: branch.geometry,
      x: x.buffer.pointer + image * inputPixels * input,
      channels: input,
      expanded: expanded.map { $0[index, row: image * inputPixels] },
      streams: blocks.count * blockFloats > engine.cacheFloats
    )
  }

  /// Floats of workspace that any block's work needs.
  var blockWorkspace: Int {
    branches.map { expansion($0.blocks.lowerBound, image: 0).workspaceFloats }.max() ?? 0
  }

  /// Makes the raw depthwise output anew if it was not kept.
  func restoreHidden() {
    if saved == nil { fillHidden(sums: nil) }
  }

  private func fillHidden(sums: ChannelSums?) {
    let pool = engine.pool
    let kernels = engine.kernels
    let chunks = imageChunks
    let elements = blocks.count * blockFloats
    if keepsExpanded {
      expanded = BlockedArray(blocks: blocks.count, rows: images * inputPixels, pool: pool)
    }
    saved = engine.takeHidden(isHalf ? (elements + 1) / 2 : elements)
    engine.threadPool.run(expandWork, chunks: chunks.count, workspaceFloats: blockWorkspace) {
      chunk,
      workspace in
      for index in blocks.indices {
        let image = chunks[chunk].lowerBound
        let forward = ExpandDepthwiseForward(
          expansion: expansion(index, image: image),
          out: hidden(index, pixel: image * outputPixels),
          sums: sums?.chunk(chunk, from: index * blockWidth)
        )
        kernels.residual.expandDepthwise(forward, chunks[chunk].count, workspace)
      }
    }
  }

  /// Fills the raw depthwise output and takes its normalisation.
  func expandAndConvolve() {
    foldExpansion()
    let chunks = imageChunks
    let channels = blocks.count * blockWidth
    let sums =
      engine.mode == .inference
      ? nil : ChannelSums(chunks: chunks.count, channels: channels, pool: engine.pool)
    fillHidden(sums: sums)
    let moments = sums?.moments(rows: images * outputPixels)
    for branch in branches {
      let first = branch.blocks.lowerBound * blockWidth
      let own = first..<first + branch.hidden
      let norm = engine.normalise(
        branch.weights.depthwiseNorm,
        activation: branch.weights.activation,
        rows: images * outputPixels,
        moments: moments.map { (mean: Array($0.mean[own]), variance: Array($0.variance[own])) }
      )
      depthwiseNorms.append(norm)
      for c in 0..<branch.hidden {
        deferredScale[0][first + c] = norm.scale.pointer[c]
        deferredShift[0][first + c] = norm.shift.pointer[c]
      }
    }
  }

  /// How kernels read the hidden values of a branch; `filter` as the direction wants it.
  func projection(_ index: Int, filter: UnsafePointer<Float>) -> ProjectBlocks {
    let blocks = branches[index].blocks
    return ProjectBlocks(
      d: hidden(blocks.lowerBound),
      blockStride: blockFloats,
      blocks: blocks.count,
      scale: deferredScale[blocks.lowerBound],
      shift: deferredShift[blocks.lowerBound],
      activation: branches[index].weights.activation,
      filter: filter,
      columns: output,
      skipsZeros: skipsZeros(branches[index])
    )
  }

  /// The projections, raw, with their normalisation deferred.
  func project() -> [Tensor] {
    let pool = engine.pool
    let kernels = engine.kernels
    let rows = images * outputPixels
    let packed = BlockedArray(blocks: blocks.count, rows: wholeBlocks(output), pool: pool)
    engine.threadPool.run(packWork(.forward), chunks: branches.count) { index, _ in
      let blocks = branches[index].blocks
      for block in blocks {
        kernels.residual.packSlice(
          SlicePacking(
            columns: output,
            block: projectTransposed[block],
            slice: block - blocks.lowerBound,
            slices: blocks.count,
            inRows: skipsZeros(branches[index]),
            packed: packed[blocks.lowerBound]
          )
        )
      }
    }
    let outs = branches.map { _ in pool.take(rows * output) }
    let order = bySize(branches.indices)
    let chunks = Chunks(
      rows: rows,
      unit: convolutionBlock,
      rowFloats: 8 * (blockWidth + output)
    )
    let sums = branches.map {
      engine.outputSums($0.weights.projectNorm, chunks: chunks.count, channels: output)
    }
    let jobs = branches.indices.map { index in
      ProjectBlocksForward(
        projection: projection(index, filter: packed[branches[index].blocks.lowerBound]),
        out: outs[index].pointer
      )
    }
    engine.threadPool.run(
      projectWork,
      chunks: branches.count * chunks.count,
      workspaceFloats: jobs.map(\.projection.workspaceFloats).max() ?? 0
    ) { task, workspace in
      let (index, chunk) = (order[task / chunks.count], task % chunks.count)
      var job = jobs[index]
      job.sums = sums[index]?.chunk(chunk)
      kernels.residual.projectBlocks(job, chunks[chunk], workspace)
    }
    if engine.recomputes { saved = nil }
    let wantsGradient = engine.wantsGradient([x], parameters: true)
    return branches.indices.map { index in
      Tensor(
        shape: outputShape,
        buffer: outs[index],
        normalisation: engine.normalise(
          branches[index].weights.projectNorm,
          activation: .none,
          rows: rows,
          moments: sums[index]?.moments(rows: rows)
        ),
        requiresGradient: wantsGradient
      )
    }
  }
}
