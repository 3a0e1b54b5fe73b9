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
  /// Its batch-norm, left pending on the output.
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
}

extension Engine {
  /// Inverted residuals side by side on one input, all candidates of a layer at once.
  ///
  /// - Shapes: `x` [N, H, W, C], plain; one result for each branch, [N, H', W', D], with its batch-norm
  ///   pending; H' = (H − 1)/stride + 1.
  /// - The expanded activations never exist in memory, forward or backward. Their batch statistics follow
  ///   from the input's: with y = Wᵀx, E[y] = Wᵀμ and Var[y] = WᵀΣW, Σ the covariance of x, taken once
  ///   for all branches. So expansion, normalisation, activation and depthwise convolution are one pass
  ///   over rows in cache. Backward the passes are two: one for the batch sums of the depthwise output's
  ///   gradient, one that makes both gradients anew in cache and goes on through the expansion; what the
  ///   expansion's statistics take back is linear in x and comes last, for all branches at once.
  /// - Kept for backward: the raw depthwise output and the raw projections.
  /// - Source: ARCHITECTURE.md, "Inverted residuals"; spec S3, S100.
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

/// One layer of inverted residuals: shapes, packed filters, and what the way back needs.
final class ResidualLayer {
  /// Sixteen middle channels of a branch.
  struct Block {
    /// Which branch.
    let branch: Int
    /// First channel, in the order that the depthwise convolution sees.
    let first: Int
    /// Channels in use; the others are zeros.
    let count: Int
    /// Where its taps begin.
    let taps: Int
  }

  /// Shapes of a branch.
  struct Branch {
    let weights: InvertedResidualWeights
    let middle: Int
    let geometry: Patches
    /// Its blocks.
    let blocks: Range<Int>

    /// The expanded channel that the shuffle brings under depthwise channel `c`.
    func expanded(_ c: Int) -> Int {
      c % weights.groups * (middle / weights.groups) + c / weights.groups
    }

    /// Where the expansion's weight from input `i` to expanded channel `c` stands; nil across groups.
    func expandIndex(_ i: Int, _ c: Int, input: Int) -> Int? {
      groupedIndex(i, c, rows: input, columns: middle)
    }

    /// Where the projection's weight from middle channel `c` to output `o` stands; nil across groups.
    func projectIndex(_ c: Int, _ o: Int, output: Int) -> Int? {
      groupedIndex(c, o, rows: middle, columns: output)
    }

    private func groupedIndex(_ i: Int, _ j: Int, rows: Int, columns: Int) -> Int? {
      let (r, c) = (rows / weights.groups, columns / weights.groups)
      guard i / r == j / c else { return nil }
      return (j / c * r + i % r) * c + j % c
    }
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
  /// Floats of all taps.
  let tapFloats: Int

  /// Expansion weights, [blocks, C, 16]: as trained, and with the normalisation folded in.
  private(set) var raw: Buffer
  private(set) var folded: Buffer
  /// The normalisation's shift, [blocks, 16].
  private var bias: Buffer
  /// Depthwise filters, [K, K, 16] each.
  private var taps: Buffer
  /// Projection weights, [blocks, D, 16].
  private(set) var projectTransposed: Buffer
  /// Means of the input's channels, and Σ·W, [blocks, C, 16]; nil with running statistics.
  private(set) var inputMean: [Double]?
  private(set) var covarianceTimesRaw: Buffer?
  private(set) var expandNorms: [Normalisation] = []
  private(set) var depthwiseNorms: [Normalisation] = []
  /// Scale and shift of the depthwise outputs' normalisation, [2, blocks, 16].
  private(set) var pending: Buffer
  /// Raw depthwise output, [blocks, N·H'·W', 16].
  private(set) var d: Buffer

  init(_ x: Tensor, _ weights: [InvertedResidualWeights], stride: Int, engine: Engine) {
    self.engine = engine
    self.x = x
    input = x.channels
    let depth = x.channels
    precondition(
      x.shape.count == 4 && x.normalisation == nil && stride > 0,
      "invertedResiduals: the input \(x.shape) must be a plain image"
    )
    output = weights.first.map { $0.project.value.count / $0.depthwise.shape[2] * $0.groups } ?? 0
    let (height, width) = (x.shape[1], x.shape[2])
    let (outHeight, outWidth) = ((height - 1) / stride + 1, (width - 1) / stride + 1)
    images = x.shape[0]
    inputPixels = height * width
    outputPixels = outHeight * outWidth
    outputShape = [images, outHeight, outWidth, output]
    var branches: [Branch] = []
    var blocks: [Block] = []
    var tapFloats = 0
    for (index, w) in weights.enumerated() {
      let kernel = w.depthwise.shape[0]
      let middle = w.depthwise.shape[2]
      precondition(
        kernel % 2 == 1 && w.expand.value.count * w.groups == depth * middle
          && w.project.value.count * w.groups == middle * output
          && depth % w.groups == 0 && middle % w.groups == 0 && output % w.groups == 0,
        "invertedResiduals: filters \(w.expand.shape), \(w.depthwise.shape), \(w.project.shape)"
      )
      let first = blocks.count
      for c in Swift.stride(from: 0, to: middle, by: blockWidth) {
        let count = min(blockWidth, middle - c)
        blocks.append(Block(branch: index, first: c, count: count, taps: tapFloats))
        tapFloats += kernel * kernel * blockWidth
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
        Branch(weights: w, middle: middle, geometry: geometry, blocks: first..<blocks.count)
      )
    }
    self.branches = branches
    self.blocks = blocks
    self.tapFloats = tapFloats
    let pool = engine.pool
    let floats = blocks.count * blockWidth
    raw = pool.takeZeros(floats * input)
    folded = pool.take(floats * input)
    bias = pool.takeZeros(floats)
    taps = pool.takeZeros(tapFloats)
    projectTransposed = pool.takeZeros(floats * output)
    pending = pool.takeZeros(2 * floats)
    d = pool.take(floats * images * outputPixels)
    pack()
  }

  /// A depthwise output of more floats is written past the caches: it would not be found there later.
  static let cacheFloats = 4 << 20

  /// Floats of one block of the depthwise output.
  var blockFloats: Int { images * outputPixels * blockWidth }

  /// Images cut into chunks; every chunk has partial sums of its own.
  var imageChunks: Chunks {
    Chunks(
      rows: images,
      rowFloats: (inputPixels + outputPixels) * blocks.count * blockWidth,
      partialFloats: input * blocks.count * blockWidth
    )
  }

  private func pack() {
    engine.profile?.next = packWork(.forward)
    engine.team.run(chunks: blocks.count, scratchFloats: 0, pool: engine.pool) { index, _ in
      let block = blocks[index]
      let branch = branches[block.branch]
      let weights = branch.weights
      let expand = raw.pointer + index * input * blockWidth
      let filter = weights.depthwise
      let size = filter.shape[0] * filter.shape[1]
      let project = projectTransposed.pointer + index * output * blockWidth
      for j in 0..<block.count {
        let c = block.first + j
        let source = branch.expanded(c)
        for i in 0..<input {
          if let at = branch.expandIndex(i, source, input: input) {
            expand[i * blockWidth + j] = weights.expand.value.pointer[at]
          }
        }
        for t in 0..<size {
          taps.pointer[block.taps + t * blockWidth + j] =
            filter.value.pointer[t * branch.middle + c]
        }
        for o in 0..<output {
          if let at = branch.projectIndex(c, o, output: output) {
            project[o * blockWidth + j] = weights.project.value.pointer[at]
          }
        }
      }
    }
  }

  // MARK: Forward

  /// Takes the expansion's statistics from the input's moments, and folds them into the filters.
  private func foldExpansion() {
    if engine.mode != .inference { takeMoments() }
    for branch in branches {
      var moments: (mean: [Double], variance: [Double])?
      if let inputMean, let covarianceTimesRaw {
        var mean = [Double](repeating: 0, count: branch.middle)
        var variance = mean
        for index in branch.blocks {
          let w = raw.pointer + index * input * blockWidth
          let t = covarianceTimesRaw.pointer + index * input * blockWidth
          for j in 0..<blocks[index].count {
            let c = branch.expanded(blocks[index].first + j)
            for i in 0..<input {
              let weight = Double(w[i * blockWidth + j])
              mean[c] += weight * inputMean[i]
              variance[c] += weight * Double(t[i * blockWidth + j])
            }
            variance[c] = max(0, variance[c])
          }
        }
        moments = (mean, variance)
      }
      expandNorms.append(
        engine.normalise(
          branch.weights.expandNorm,
          activation: branch.weights.activation,
          rows: images * inputPixels,
          moments: moments
        )
      )
    }
    engine.profile?.next = packWork(.forward)
    engine.team.run(chunks: blocks.count, scratchFloats: 0, pool: engine.pool) { index, _ in
      let block = blocks[index]
      let branch = branches[block.branch]
      let norm = expandNorms[block.branch]
      let from = raw.pointer + index * input * blockWidth
      let to = folded.pointer + index * input * blockWidth
      for j in 0..<blockWidth {
        let isUsed = j < block.count
        let c = isUsed ? branch.expanded(block.first + j) : 0
        let scale = isUsed ? norm.scale.pointer[c] : 0
        bias.pointer[index * blockWidth + j] = isUsed ? norm.shift.pointer[c] : 0
        for i in 0..<input { to[i * blockWidth + j] = from[i * blockWidth + j] * scale }
      }
    }
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
    engine.profile?.next = momentsWork
    engine.team.run(chunks: chunks.count, scratchFloats: 0, pool: pool) { chunk, _ in
      let products = partials.pointer + chunk * floats
      kernels.residual.secondMoments(
        x.buffer.pointer,
        input,
        chunks[chunk].lowerBound,
        chunks[chunk].upperBound,
        products,
        products + tileRows * stride
      )
    }
    var mean = [Double](repeating: 0, count: input)
    for c in 0..<input {
      for chunk in 0..<chunks.count {
        mean[c] += Double(partials.pointer[chunk * floats + tileRows * stride + c])
      }
      mean[c] /= Double(rows)
    }
    let covariance = pool.take(input * input)
    for i in 0..<input {
      for j in 0..<input {
        var sum = 0.0
        for chunk in 0..<chunks.count {
          sum += Double(partials.pointer[chunk * floats + i * stride + j])
        }
        covariance.pointer[i * input + j] = Float(sum / Double(rows) - mean[i] * mean[j])
      }
    }
    let product = pool.take(blocks.count * input * blockWidth)
    let spare = 8 * (input + blockWidth)
    engine.profile?.next = packWork(.forward)
    engine.team.run(chunks: blocks.count, scratchFloats: spare, pool: pool) { index, scratch in
      let at = index * input * blockWidth
      kernels.residual.multiplyBlock(
        input,
        input,
        covariance.pointer,
        input,
        raw.pointer + at,
        product.pointer + at,
        scratch
      )
    }
    inputMean = mean
    covarianceTimesRaw = product
  }

  /// The work of block `index` on an image.
  func work(_ index: Int, image: Int) -> ExpandDepthwise {
    let block = blocks[index]
    let branch = branches[block.branch]
    return ExpandDepthwise(
      block: ResidualBlock(
        activation: branch.weights.activation,
        expand: folded.pointer + index * input * blockWidth,
        bias: bias.pointer + index * blockWidth,
        taps: taps.pointer + block.taps
      ),
      geometry: branch.geometry,
      x: x.buffer.pointer + image * inputPixels * input,
      channels: input,
      streams: d.count > ResidualLayer.cacheFloats
    )
  }

  /// Floats of scratch that any block's work needs.
  var blockScratch: Int {
    branches.map { work($0.blocks.lowerBound, image: 0).scratch }.max() ?? 0
  }

  /// Fills the raw depthwise output and takes its normalisation.
  func expandAndConvolve() {
    foldExpansion()
    let pool = engine.pool
    let kernels = engine.kernels
    let chunks = imageChunks
    let channels = blocks.count * blockWidth
    let partials = engine.mode == .inference ? nil : pool.takeZeros(chunks.count * 2 * channels)
    engine.profile?.next = expandWork
    engine.team.run(chunks: chunks.count, scratchFloats: blockScratch, pool: pool) {
      chunk,
      scratch in
      for index in blocks.indices {
        let sums = partials.map { $0.pointer + chunk * 2 * channels + index * blockWidth }
        for image in chunks[chunk] {
          kernels.residual.expandDepthwise(
            work(index, image: image),
            d.pointer + index * blockFloats + image * outputPixels * blockWidth,
            sums,
            sums.map { $0 + channels },
            scratch
          )
        }
      }
    }
    let rows = Double(images * outputPixels)
    let totals = partials.map { engine.combine($0, chunks: chunks.count, channels: channels) }
    for branch in branches {
      let first = branch.blocks.lowerBound * blockWidth
      let moments = totals.map { totals in
        var mean = [Double](repeating: 0, count: branch.middle)
        var variance = mean
        for c in 0..<branch.middle {
          mean[c] = totals.sums[first + c] / rows
          variance[c] = max(0, totals.second[first + c] / rows - mean[c] * mean[c])
        }
        return (mean: mean, variance: variance)
      }
      let norm = engine.normalise(
        branch.weights.depthwiseNorm,
        activation: branch.weights.activation,
        rows: images * outputPixels,
        moments: moments
      )
      depthwiseNorms.append(norm)
      for c in 0..<branch.middle {
        pending.pointer[first + c] = norm.scale.pointer[c]
        pending.pointer[channels + first + c] = norm.shift.pointer[c]
      }
    }
  }

  /// How kernels read the middle of a branch; `filter` as the direction wants it.
  func projection(_ index: Int, filter: UnsafePointer<Float>) -> ProjectBlocks {
    let blocks = branches[index].blocks
    let first = blocks.lowerBound * blockWidth
    return ProjectBlocks(
      d: d.pointer + blocks.lowerBound * blockFloats,
      blockStride: blockFloats,
      blocks: blocks.count,
      scale: pending.pointer + first,
      shift: pending.pointer + self.blocks.count * blockWidth + first,
      activation: branches[index].weights.activation,
      filter: filter,
      columns: output
    )
  }

  /// The projections, raw, with their normalisation pending.
  func project() -> [Tensor] {
    let pool = engine.pool
    let kernels = engine.kernels
    let rows = images * outputPixels
    let columns = wholeBlocks(output)
    let packed = pool.take(blocks.count * blockWidth * columns)
    engine.profile?.next = packWork(.forward)
    engine.team.run(chunks: branches.count, scratchFloats: 0, pool: pool) { index, _ in
      // Across blocks the transposed weights are not one matrix; each block's slice of depth is packed
      // by itself into the panels of the whole.
      let blocks = branches[index].blocks
      packProjection(
        projectTransposed.pointer + blocks.lowerBound * output * blockWidth,
        blocks: blocks.count,
        into: packed.pointer + blocks.lowerBound * blockWidth * columns
      )
    }
    let outs = branches.map { _ in pool.take(rows * output) }
    let chunks = Chunks(rows: rows, rowFloats: 8 * (blockWidth + output))
    let partials =
      engine.mode == .inference
      ? nil : branches.map { _ in pool.takeZeros(chunks.count * 2 * output) }
    let works = branches.indices.map { index in
      projection(
        index,
        filter: packed.pointer + branches[index].blocks.lowerBound * blockWidth * columns
      )
    }
    engine.profile?.next = projectWork
    engine.team.run(
      chunks: branches.count * chunks.count,
      scratchFloats: works.map(\.scratch).max() ?? 0,
      pool: pool
    ) { task, scratch in
      let (index, chunk) = (task / chunks.count, task % chunks.count)
      let sums = partials.map { $0[index].pointer + chunk * 2 * output }
      kernels.residual.projectBlocks(
        works[index],
        chunks[chunk].lowerBound,
        chunks[chunk].upperBound,
        outs[index].pointer,
        sums,
        sums.map { $0 + output },
        scratch
      )
    }
    let wantsGradient = engine.wantsGradient([x], parameters: true)
    return branches.indices.map { index in
      Tensor(
        shape: outputShape,
        buffer: outs[index],
        normalisation: engine.normalise(
          branches[index].weights.projectNorm,
          activation: .none,
          rows: rows,
          partials: partials?[index],
          chunks: chunks.count
        ),
        requiresGradient: wantsGradient
      )
    }
  }

  /// Packs a branch's projection, [blocks, D, 16] transposed, as [16·blocks, D] for `multiply`.
  private func packProjection(
    _ source: UnsafeMutablePointer<Float>,
    blocks: Int,
    into packed: UnsafeMutablePointer<Float>
  ) {
    let depth = blocks * blockWidth
    let lanes = engine.kernels.lanes
    for j in Swift.stride(from: 0, to: output, by: 2 * lanes) {
      let width = output - j > lanes ? 2 * lanes : lanes
      for k in 0..<depth {
        let row = packed + j * depth + k * width
        for i in 0..<width {
          let o = j + i
          row[i] =
            o < output
            ? source[k / blockWidth * output * blockWidth + o * blockWidth + k % blockWidth] : 0
        }
      }
    }
  }
}
