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
    let sums = pool.takeZeros(chunks.count * 2 * channels)
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
    engine.profile?.next = projectBackwardWork(active)
    engine.team.run(
      chunks: active.count * chunks.count,
      scratchFloats: works.map(\.scratch).max() ?? 0,
      pool: pool
    ) { task, scratch in
      let (index, chunk) = (order[task / chunks.count], task % chunks.count)
      guard let gradient = gradients[index] else { return }
      let first = branches[index].blocks.lowerBound
      let s = sums.pointer + chunk * 2 * channels + first * blockWidth
      let filter = filters.map { $0.pointer + (chunk * blocks.count + first) * blockFilter }
      kernels.residual.projectBlocksBackward(
        works[index],
        gradient.source,
        outputs[index].buffer.pointer,
        chunks[chunk].lowerBound,
        chunks[chunk].upperBound,
        filter,
        s,
        s + channels,
        scratch
      )
    }
    if let filters {
      engine.profile?.next = sumsWork(chunks: chunks.count, count: blocks.count * blockFilter)
      let used = active.flatMap { Array(branches[$0].blocks) }
      engine.team.run(chunks: used.count, scratchFloats: 0, pool: pool) { task, _ in
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
    let totals = engine.combine(sums, chunks: chunks.count, channels: channels)
    let coefficients = pool.takeZeros(3 * channels)
    for index in active {
      let branch = branches[index]
      let norm = depthwiseNorms[index]
      let first = branch.blocks.lowerBound * blockWidth
      norm.sums = Array(totals.sums[first..<first + branch.middle])
      norm.products = Array(totals.second[first..<first + branch.middle])
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
    let filter: UnsafeMutablePointer<Float>?
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
    let blockScratch = blockScratch
    engine.profile?.next = expandBackwardWork(active)
    engine.team.run(
      chunks: chunks.count,
      scratchFloats: dxFloats + run * runFloats + blockScratch,
      pool: pool
    ) { chunk, scratch in
      let sums = partials.pointer + chunk * partialFloats
      let taps = trains ? sums + sumFloats : nil
      let filter = taps.map { $0 + tapFloats }
      let dx = scratch
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
            spare: spare
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
    let parts = Chunks(rows: partialFloats, rowFloats: chunks.count)
    engine.profile?.next = sumsWork(chunks: chunks.count, count: partialFloats)
    engine.team.run(chunks: parts.count, scratchFloats: 0, pool: pool) { part, _ in
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
      kept: kept.map { UnsafePointer($0.pointer + index * blockFloats + pixel * blockWidth) }
    )
  }

  /// The folded expansions of blocks, transposed and packed, `run` blocks at a time one matrix.
  private func packExpansions(_ used: [Int], run: Int, inRows: Bool) -> Buffer {
    let columns = wholeBlocks(input)
    let packed = engine.pool.take(used.count * blockWidth * columns)
    let kernels = engine.kernels
    engine.profile?.next = packWork(.backward)
    engine.team.run(chunks: used.count, scratchFloats: 0, pool: engine.pool) { task, _ in
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
    engine.profile?.next = packWork(.backward)
    engine.team.run(chunks: used.count, scratchFloats: 0, pool: engine.pool) { task, _ in
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

  // MARK: Through the expansion's statistics

  /// The expansion's gradients, and what its batch statistics take back from the input's.
  ///
  /// With S = Σ g, P = xᵀg, dγ = (Σ W·P − E[y]·S)/σ, scale s and M rows:
  /// dW = s·(P − μ·Sᵀ − ΣW·dγ/σ), and dx = g·(sW)ᵀ − (x − μ)·(W·diag(s·dγ/(M·σ))·Wᵀ) − W·(s·S/M).
  /// Where the weights rest, P is not made: Σ W·P is Σ g·Wᵀx, for which Σ g·y is enough.
  private func finishExpansion(_ found: ExpansionSums, _ active: [Int]) {
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
    let products = found.filter.map { filterProducts(found, $0) }
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
      if engine.trainsParameters {
        _ = norm.coefficients(factor: 1, trainNorm: true, pool: pool)
      }
    }
    return slopes
  }

  /// Σ W·P of every channel, in blocks; turns P as the packed filters lie.
  private func filterProducts(
    _ found: ExpansionSums,
    _ filter: UnsafeMutablePointer<Float>
  ) -> [Double] {
    let floats = wholeBlocks(input) * blockWidth
    var products = [Double](repeating: 0, count: blocks.count * blockWidth)
    products.withUnsafeMutableBufferPointer { products in
      guard let products = products.baseAddress else { return }
      engine.profile?.next = packWork(.backward)
      engine.team.run(chunks: blocks.count, scratchFloats: floats, pool: engine.pool) {
        block,
        scratch in
        let p = filter + block * found.blockFilter
        if found.inRows {
          scratch.update(from: p, count: floats)
          engine.kernels.residual.packBlock(input, scratch, wholeBlocks(input), p)
        }
        let w = raw.pointer + block * input * blockWidth
        let to = products + block * blockWidth
        for i in 0..<input * blockWidth { to[i % blockWidth] += Double(w[i]) * Double(p[i]) }
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
      engine.profile?.next = packWork(.backward)
      engine.team.run(chunks: runs.count, scratchFloats: found.run * blockFloats + 64, pool: pool) {
        chunk,
        scratch in
        var first = runs[chunk].lowerBound
        while first < runs[chunk].upperBound {
          let slices = min(found.run, used.count - first)
          for slice in 0..<slices {
            let block = used[first + slice]
            let w = raw.pointer + block * input * blockWidth
            let scaled = folded.pointer + block * input * blockWidth
            let slope = slopes.pointer + block * blockWidth
            let sums = found.sums + block * 2 * blockWidth
            let to = scratch + slice * blockFloats
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
            skipsZeros: false,
            spare: scratch + found.run * blockFloats
          )
          let to = products.pointer + chunk * partial
          kernels.residual.multiplySlices(
            product,
            input,
            scratch,
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
      for i in 0..<input { offsets[i] -= inputMean[k] * Double(products.pointer[k * stride + i]) }
    }
    let offset = pool.takeZeros(stride)
    for i in 0..<input { offset.pointer[i] = Float(offsets[i]) }
    let correction = pool.take(stride * input)
    kernels.packColumns(input, input, products.pointer, stride, 1, correction.pointer)
    let chunks = Chunks(rows: images * inputPixels, rowFloats: 2 * input)
    engine.profile?.next = momentsBackwardWork
    engine.team.run(
      chunks: chunks.count,
      scratchFloats: convolutionBlock * (input + stride),
      pool: pool
    ) { chunk, scratch in
      kernels.residual.subtractProduct(
        x.source,
        correction.pointer,
        offset.pointer,
        chunks[chunk].lowerBound,
        chunks[chunk].upperBound,
        dx.pointer,
        scratch
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
    engine.profile?.next = packWork(.backward)
    engine.team.run(
      chunks: used.count,
      scratchFloats: 2 * blockWidth,
      pool: engine.pool
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
