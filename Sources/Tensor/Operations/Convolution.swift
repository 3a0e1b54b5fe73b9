import Kernels

/// Shape settings of a dense convolution.
package struct ConvolutionGeometry: Sendable, Equatable {
  /// Filter side.
  package var kernel: Int
  /// Step between outputs.
  package var stride: Int
  /// Zero border.
  package var padding: Int
  /// Independent slices of the channels.
  package var groups: Int

  /// Describes a convolution; the defaults are a 1×1.
  package init(kernel: Int = 1, stride: Int = 1, padding: Int = 0, groups: Int = 1) {
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
    self.groups = groups
  }

  /// Output size along one side.
  package func outputSize(_ n: Int) -> Int { (n + 2 * padding - kernel) / stride + 1 }
}

extension Engine {
  /// Dense convolution, optionally with batch-norm and activation deferred to the output's readers.
  ///
  /// - Shapes: `x` [N, H, W, C] (or [N, C] for a linear layer), `filter` [K, K, C, D] or, with
  ///   groups g, [g, K, K, C/g, D/g] (for K = 1 also [g, C/g, D/g]); result [N, H', W', D]. Group i
  ///   reads the i-th slice of the input's channels and writes the i-th of the output's.
  /// - Forward: y = P(x)·F, P(x) the patches of x as rows [N·H'·W', K²·C] (x itself for K = 1), F
  ///   the filter as a matrix [K²·C, D]. Reads `x` raw with what is deferred on it, writes the raw
  ///   output once, and takes Σ y and Σ y² of each channel while the rows are in cache.
  /// - Backward: ∂L/∂F = P(x)ᵀ·dy and ∂L/∂x = P*(dy·Fᵀ), P* adding each patch to its pixels;
  ///   ∂L/∂bias = Σ dy. With batch-norm dy = α·g + β·y + κ, g the gradient after it: three numbers
  ///   a channel (`Normalisation.coefficients`), applied on load inside both products.
  /// - Cost: 2·N·H'·W'·K²·C·D/g floating-point operations, twice that backward; bound by
  ///   arithmetic.
  /// - Reference: `ReferenceGraph.convolution`. Source: ARCHITECTURE.md, "Fused operations"; spec
  ///   S100.
  package func convolution(
    _ x: Tensor,
    filter: Parameter,
    geometry: ConvolutionGeometry = .init(),
    bias: Parameter? = nil,
    norm: BatchNorm? = nil,
    activation: Activation = .none
  ) -> Tensor {
    let plan = ConvolutionPlan(x, filter: filter, geometry: geometry)
    precondition(
      norm == nil || bias == nil,
      "convolution: a bias before batch-norm has no effect; give one"
    )
    precondition(norm != nil || activation == .none, "convolution: activation without batch-norm")
    let out = pool.take(plan.outRows * plan.outChannels)
    let chunks = plan.forwardChunks
    let sums = outputSums(norm, chunks: chunks.count, channels: plan.outChannels)
    for group in 0..<geometry.groups {
      let packed = packFilter(filter, plan: plan, group: group, transposed: false)
      let columns = plan.columns
      let work = ConvolutionForward(
        source: plan.source(x, group: group),
        packed: packed.pointer,
        columns: columns,
        out: out.pointer + group * columns,
        outStride: plan.outChannels,
        bias: (bias?.value.pointer).map { UnsafePointer($0 + group * columns) }
      )
      threadPool.run(
        .convolution(
          plan.patches,
          rows: plan.outRows,
          depth: plan.depth,
          columns: columns,
          inputs: x.count / plan.groups
        ),
        chunks: chunks.count,
        workspaceFloats: work.workspaceFloats
      ) { chunk, workspace in
        var own = work
        own.sums = sums?.chunk(chunk, from: group * columns)
        kernels.convolve(own, chunks[chunk], workspace)
      }
    }
    let normalisation = norm.map {
      normalise(
        $0,
        activation: activation,
        rows: plan.outRows,
        moments: sums?.moments(rows: plan.outRows)
      )
    }
    let y = Tensor(
      shape: plan.outShape,
      buffer: out,
      normalisation: normalisation,
      requiresGradient: wantsGradient([x], parameters: true)
    )
    record(y) { [unowned self] in
      convolutionGradient(x, y, filter: filter, plan: plan, bias: bias)
    }
    return y
  }

  private func convolutionGradient(
    _ x: Tensor,
    _ y: Tensor,
    filter: Parameter,
    plan: ConvolutionPlan,
    bias: Parameter?
  ) {
    guard let gradient = outputGradient(of: y) else { return }
    if let bias, trainsParameters { addColumnSums(gradient.source, rows: plan.outRows, to: bias) }
    let k = plan.depth
    let columns = plan.columns
    let partialStride = (columns + kernels.lanes - 1) / kernels.lanes * kernels.lanes
    let partialFloats = (k + kernels.rows - 1) / kernels.rows * kernels.rows * partialStride
    let chunks = plan.backwardChunks
    let target = x.requiresGradient ? gradientTarget(of: x) : nil
    if let target, plan.scatters, !target.accumulate { target.buffer.clear() }
    // A scattered gradient is complete only after all chunks, so its derivative and sums come last;
    // it must not mix with an earlier gradient that has them already.
    precondition(
      !(plan.scatters && x.normalisation != nil && target?.accumulate == true),
      "convolution: a patch convolution must be the only reader of a deferred normalisation"
    )
    let sums =
      target == nil || plan.scatters ? nil : gradientSums(of: x, chunks: chunks.count)
    for group in 0..<plan.groups {
      let packed =
        target == nil ? nil : packFilter(filter, plan: plan, group: group, transposed: true)
      let offset = group * plan.inputSlice
      let work = ConvolutionBackward(
        source: plan.source(x, group: group),
        gradient: gradient.source.slice(group * columns, channels: columns),
        packedTransposed: (packed?.pointer).map { UnsafePointer($0) },
        out: target.map { $0.buffer.pointer + offset },
        accumulate: target?.accumulate ?? false
      )
      let partials = trainsParameters ? pool.take(chunks.count * partialFloats) : nil
      threadPool.run(
        .convolutionBackward(
          plan.patches,
          rows: plan.outRows,
          depth: k,
          columns: columns,
          inputs: x.count / plan.groups,
          forInput: target != nil,
          forFilter: trainsParameters
        ),
        chunks: chunks.count,
        workspaceFloats: work.workspaceFloats
      ) { chunk, workspace in
        var own = work
        own.sums = sums?.chunk(chunk, from: offset)
        own.filterGradient = partials.map { $0.pointer + chunk * partialFloats }
        own.filterGradient?.update(repeating: 0, count: partialFloats)
        kernels.convolveBackward(own, chunks[chunk], workspace)
      }
      if let partials {
        addPartials(
          partials,
          chunks: chunks.count,
          partialFloats: partialFloats,
          rows: k,
          columns: columns,
          stride: partialStride,
          to: filter.gradient.pointer + group * k * columns
        )
      }
    }
    if let sums {
      sums.add(to: x.normalisation)
    } else if let target {
      takeSums(of: x, gradient: target.buffer)
    }
  }

  /// Applies the activation's derivative to a complete gradient of `x` in place and takes its sums.
  private func takeSums(of x: Tensor, gradient: Buffer) {
    let chunks = Chunks(rows: x.rows, rowFloats: x.channels)
    guard let sums = gradientSums(of: x, chunks: chunks.count) else { return }
    threadPool.run(
      Work("batch-norm sums", .backward, arithmetic: 8 * x.count, floats: 3 * x.count),
      chunks: chunks.count
    ) { chunk, _ in
      let rows = chunks[chunk]
      let finish = GradientFinish(
        inPlace: gradient.pointer,
        source: x.source,
        first: rows.lowerBound,
        sums: sums.chunk(chunk)
      )
      kernels.finishGradientRows(finish, rows)
    }
    sums.add(to: x.normalisation)
  }

  /// Packs one group's filter for the micro-kernel, as [depth, columns] or transposed.
  private func packFilter(
    _ filter: Parameter,
    plan: ConvolutionPlan,
    group: Int,
    transposed: Bool
  ) -> Buffer {
    let k = plan.depth
    let n = plan.columns
    let source = filter.value.pointer + group * k * n
    let (depth, columns) = transposed ? (n, k) : (k, n)
    let padded = (columns + kernels.lanes - 1) / kernels.lanes * kernels.lanes
    let packed = pool.take(padded * depth)
    kernels.packColumns(
      ColumnPacking(
        depth: depth,
        columns: columns,
        b: source,
        depthStride: transposed ? 1 : n,
        columnStride: transposed ? n : 1,
        packed: packed.pointer
      )
    )
    return packed
  }

  /// Adds the column sums of a plain gradient to a bias.
  private func addColumnSums(_ g: GradientSource, rows: Int, to bias: Parameter) {
    for c in 0..<g.channels {
      var sum = 0.0
      for r in 0..<rows { sum += Double(g.gradient[r * g.stride + c]) }
      bias.gradient.pointer[c] += Float(sum)
    }
  }

  /// Adds per-chunk partial filter gradients, in the order of the chunks, to `gradient` [rows,
  /// columns].
  func addPartials(
    _ partials: Buffer,
    chunks: Int,
    partialFloats: Int,
    rows: Int,
    columns: Int,
    stride: Int,
    to gradient: UnsafeMutablePointer<Float>
  ) {
    let parts = Chunks(rows: rows, rowFloats: columns * chunks)
    let cells = rows * columns
    threadPool.run(
      Work(
        "filter sums",
        .backward,
        arithmetic: chunks * cells,
        floats: (chunks + 2) * cells
      ),
      chunks: parts.count
    ) { part, _ in
      for r in parts[part] {
        for chunk in 0..<chunks {
          kernels.addScaled(
            columns,
            1,
            partials.pointer + chunk * partialFloats + r * stride,
            gradient + r * columns
          )
        }
      }
    }
  }
}
