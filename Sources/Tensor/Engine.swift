import Kernels

/// Everything an operation needs: kernels, memory, workers, and the tape of the pass under way.
///
/// Confined to the queue that made it; not Sendable, and needs no locks. Operations are methods,
/// one file each under `Operations/`, forward and gradient side by side.
package final class Engine {
  /// What batch-norm does with its statistics.
  package enum Mode: Sendable {
    /// Statistics of the batch, gradients through them.
    case training
    /// Statistics of the batch, also averaged into the running ones.
    case recalibration
    /// The running statistics.
    case inference
  }

  /// What batch-norm has found in a batch.
  package struct BatchMoments {
    /// Whose values they are of.
    package let norm: BatchNorm
    /// [C].
    package let mean: [Double]
    /// [C], of the batch itself: not unbiased.
    package let variance: [Double]
    /// Values of a channel.
    package let rows: Int

    /// Takes all of them as they are.
    package init(norm: BatchNorm, mean: [Double], variance: [Double], rows: Int) {
      self.norm = norm
      self.mean = mean
      self.variance = variance
      self.rows = rows
    }

    /// Adds the batch to the running statistics, all batches weighing the same.
    package func record() { norm.record(mean: mean, variance: variance, rows: rows) }
  }

  /// How activations are kept for the backward pass.
  package enum ActivationPrecision: Sendable {
    /// Single precision.
    case float32
    /// The upper half of a single, rounded: half the memory and traffic, three digits.
    case bfloat16
  }

  /// The instruction set in use.
  package let instructionSet: InstructionSet
  /// Memory of all tensors.
  package let pool: BufferPool
  /// See `Mode`.
  package var mode = Mode.training
  /// Receives the moments of a recalibration in place of the running statistics.
  package var takesMoments: ((BatchMoments) -> Void)?
  /// Whether operations record themselves for `backward`.
  package var isRecording = false
  /// Whether weights, biases and batch-norm parameters get gradients; θ alone needs none of them.
  package var trainsParameters = true
  /// How inverted residuals keep their hidden values; all arithmetic is in single precision.
  package var activationPrecision = ActivationPrecision.float32
  /// Whether inverted residuals compute their hidden values again for the backward pass instead of
  /// keeping them.
  package var recomputes = false
  /// Hidden values of more floats are written past the caches: they would not be found there later.
  package var cacheFloats = 4 << 20
  private var sharedHidden: Buffer?
  let kernels: KernelTable
  let threadPool: ThreadPool
  /// How the recorded operations hand their gradients back, in the order of their calls.
  var tape: [() -> Void] = []

  /// Makes an engine.
  ///
  /// - Parameters:
  ///   - instructionSet: kernels to use; must be available on this machine.
  ///   - threads: workers inside an operation; the results do not depend on it.
  package init(instructionSet: InstructionSet = .chosen, threads: Int) {
    precondition(
      InstructionSet.available.contains(instructionSet),
      "Engine: this machine has no \(instructionSet.rawValue)"
    )
    self.instructionSet = instructionSet
    kernels = instructionSet.kernels
    pool = BufferPool()
    threadPool = ThreadPool(threads: threads, pool: pool)
  }

  /// A tensor with a copy of `values`.
  package func tensor(_ values: [Float], shape: [Int], requiresGradient: Bool = false) -> Tensor {
    precondition(
      values.count == shape.reduce(1, *),
      "tensor: \(values.count) values for shape \(shape)"
    )
    let buffer = pool.take(values.count)
    values.withUnsafeBufferPointer { source in
      if let base = source.baseAddress {
        buffer.pointer.update(from: base, count: values.count)
      }
    }
    return Tensor(shape: shape, buffer: buffer, requiresGradient: requiresGradient)
  }

  /// Memory for the hidden values of a layer of inverted residuals; all layers share it if they are
  /// not kept.
  func takeHidden(_ count: Int) -> Buffer {
    guard recomputes else { return pool.take(count) }
    if let sharedHidden, sharedHidden.count >= count { return sharedHidden }
    let buffer = pool.take(count)
    sharedHidden = buffer
    return buffer
  }

  /// Records how `output` hands its gradient back; the closure keeps alive what it captures.
  func record(_ output: Tensor, _ backward: @escaping () -> Void) {
    if isRecording && output.requiresGradient { tape.append(backward) }
  }

  /// Whether an operation on these inputs yields a value that a gradient is wanted for.
  func wantsGradient(_ inputs: [Tensor], parameters: Bool = false) -> Bool {
    isRecording && (parameters && trainsParameters || inputs.contains { $0.requiresGradient })
  }

  /// Runs the tape backwards from `output` with ∂L/∂output = `seed` in every element, and clears
  /// it.
  ///
  /// Memory saved by an operation goes back to the pool as soon as its gradient has run.
  package func backward(from output: Tensor, seed: Float = 1) {
    let buffer = pool.take(output.count)
    buffer.pointer.update(repeating: seed, count: output.count)
    backward(from: output, gradient: buffer)
  }

  /// Runs the tape backwards from `output` with the given gradient.
  package func backward(from output: Tensor, gradient: [Float]) {
    precondition(gradient.count == output.count, "backward: gradient of another size")
    let buffer = pool.take(output.count)
    for i in 0..<gradient.count { buffer.pointer[i] = gradient[i] }
    backward(from: output, gradient: buffer)
  }

  private func backward(from output: Tensor, gradient: Buffer) {
    precondition(
      output.normalisation == nil,
      "backward: the output has a deferred normalisation; materialise it"
    )
    output.gradient = Tensor.Gradient(buffer: gradient)
    while let step = tape.popLast() { step() }
  }

  // MARK: Gradients of inputs

  /// Where to write the gradient of `x`, and whether to add to what is there.
  func gradientTarget(of x: Tensor) -> (buffer: Buffer, accumulate: Bool) {
    if x.gradient == nil {
      let buffer = pool.take(x.count)
      x.gradient = Tensor.Gradient(buffer: buffer)
      return (buffer, false)
    }
    return (ownGradient(of: x), true)
  }

  /// The gradient of `x` as plain elements of its own, copied if it was shared or scaled.
  func ownGradient(of x: Tensor) -> Buffer {
    guard let gradient = x.gradient else {
      let buffer = pool.takeZeros(x.count)
      x.gradient = Tensor.Gradient(buffer: buffer)
      return buffer
    }
    if gradient.owned && gradient.factor == 1 && gradient.activated
      && gradient.channelFactors == nil
    {
      return gradient.buffer
    }
    let buffer = pool.take(x.count)
    let chunks = Chunks(rows: x.count, rowFloats: 1)
    threadPool.run(
      Work("gradient copies", .backward, arithmetic: x.count, floats: 2 * x.count),
      chunks: chunks.count
    ) { chunk, _ in
      let range = chunks[chunk]
      kernels.scale(
        range.count,
        gradient.factor,
        gradient.buffer.pointer + range.lowerBound,
        buffer.pointer + range.lowerBound
      )
    }
    if let factors = gradient.channelFactors {
      let rows = Chunks(rows: x.rows, rowFloats: x.channels)
      let plain = RowSource(base: buffer.pointer, stride: x.channels, channels: x.channels)
      threadPool.run(
        Work("gradient copies", .backward, arithmetic: x.count, floats: 2 * x.count),
        chunks: rows.count
      ) { chunk, _ in
        kernels.scaleRows(
          ChannelScale(source: plain, gate: factors.pointer, out: buffer.pointer),
          rows[chunk]
        )
      }
    }
    if !gradient.activated {
      // The sums were taken when the shared gradient was handed over; only the derivative is
      // missing.
      let rows = Chunks(rows: x.rows, rowFloats: x.channels)
      threadPool.run(
        Work(
          "gradient copies",
          .backward,
          arithmetic: 4 * x.count,
          floats: 3 * x.count
        ),
        chunks: rows.count
      ) { chunk, _ in
        let finish = GradientFinish(
          inPlace: buffer.pointer,
          source: x.source,
          first: rows[chunk].lowerBound,
          sums: nil
        )
        kernels.finishGradientRows(finish, rows[chunk])
      }
    }
    x.gradient = Tensor.Gradient(buffer: buffer)
    return buffer
  }

  /// Hands `gradient` · `factor` to `x` without a copy where it is the first; for plain tensors.
  func addGradient(_ gradient: Buffer, factor: Float, to x: Tensor) {
    precondition(x.normalisation == nil, "addGradient: sums would be missing")
    if x.gradient == nil {
      x.gradient = Tensor.Gradient(buffer: gradient, factor: factor, owned: false)
      return
    }
    let own = ownGradient(of: x)
    let chunks = Chunks(rows: x.count, rowFloats: 1)
    threadPool.run(
      Work("gradient copies", .backward, arithmetic: 2 * x.count, floats: 3 * x.count),
      chunks: chunks.count
    ) { chunk, _ in
      let range = chunks[chunk]
      kernels.addScaled(
        range.count,
        factor,
        gradient.pointer + range.lowerBound,
        own.pointer + range.lowerBound
      )
    }
  }

  // MARK: Batch-norm

  /// The normalisation of a raw output by the batch's moments, or by the running ones if there are
  /// none.
  func normalise(
    _ norm: BatchNorm,
    activation: Activation,
    rows: Int,
    moments: (mean: [Double], variance: [Double])?
  ) -> Normalisation {
    if mode == .recalibration, let moments {
      let found = BatchMoments(
        norm: norm,
        mean: moments.mean,
        variance: moments.variance,
        rows: rows
      )
      if let takesMoments { takesMoments(found) } else { found.record() }
    }
    return Normalisation(
      norm: norm,
      activation: activation,
      mean: moments?.mean ?? norm.runningMean,
      variance: moments?.variance ?? norm.runningVariance,
      rows: rows,
      fromBatch: moments != nil,
      pool: pool
    )
  }
}
