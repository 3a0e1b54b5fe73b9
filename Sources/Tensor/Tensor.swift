import Kernels

/// A value in the graph: contiguous Float32, NHWC, with what is deferred on it and its gradient.
///
/// The output of a convolution with batch-norm is kept *raw*; its `normalisation` is applied by
/// every operation that reads it, while it loads. Normalised copies never exist in memory.
package final class Tensor {
  /// Sizes, outermost first: `[N, H, W, C]`, `[N, C]`, `[K]`, or `[]` for a scalar.
  package let shape: [Int]
  /// The raw elements.
  package let buffer: Buffer
  /// What readers apply to the raw elements; nil means they are the value.
  package let normalisation: Normalisation?
  /// Whether a gradient is wanted for it.
  package let requiresGradient: Bool
  /// The pixels of another tensor that this one is; nil for one with elements of its own.
  let view: GridView?
  /// The grids of its pixels that are read with a batch-norm each; nil before the first.
  var grids: PixelGrids?
  var gradient: Gradient?

  /// The gradient as the backward pass gathers it.
  struct Gradient {
    /// Elements, same layout as the tensor; may be shared with another tensor, then read-only.
    var buffer: Buffer
    /// Multiplies every element.
    var factor: Float = 1
    /// Multiplies the elements of each channel, [C]: the mask of a folded reader (`Engine.mask`).
    var channelFactors: Buffer?
    /// Whether the derivative of the deferred activation is already in it.
    var activated = true
    /// Whether `buffer` belongs to this gradient alone and may be written.
    var owned = true
  }

  init(
    shape: [Int],
    buffer: Buffer,
    normalisation: Normalisation? = nil,
    requiresGradient: Bool,
    view: GridView? = nil
  ) {
    self.shape = shape
    self.buffer = buffer
    self.normalisation = normalisation
    self.requiresGradient = requiresGradient
    self.view = view
  }

  /// Size of the last dimension.
  package var channels: Int { shape.last ?? 1 }
  /// Product of all dimensions but the last.
  package var rows: Int { shape.dropLast().reduce(1, *) }
  /// Product of all dimensions.
  package var count: Int { shape.reduce(1, *) }
  /// The only element of a scalar.
  package var item: Float {
    precondition(count == 1, "Tensor.item: shape \(shape) is no scalar")
    return buffer.pointer[0]
  }
  /// Raw elements as an array.
  package var values: [Float] { Array(buffer.elements) }

  /// How kernels read the rows of this tensor.
  var source: RowSource {
    precondition(view == nil, "Tensor.source: a view is read image by image")
    return rowSource
  }

  /// How `Engine.imageRows(of:image:_:)` reads them.
  var rowSource: RowSource {
    RowSource(
      base: buffer.pointer,
      stride: channels,
      channels: channels,
      scale: (normalisation?.scale.pointer).map { UnsafePointer($0) },
      shift: (normalisation?.shift.pointer).map { UnsafePointer($0) },
      activation: normalisation?.activation ?? .none
    )
  }

  /// The gradient as an array, after `Engine.backward`; nil if none reached it.
  package var gradientValues: [Float]? {
    gradient.map { g in g.buffer.elements.map { $0 * g.factor } }
  }
}

/// A batch-norm waiting to be applied by readers, and the two sums its own gradient needs.
///
/// value = activation(scale · raw + shift), scale = γ/√(σ² + ε), shift = β − μ·scale.
package final class Normalisation {
  let norm: BatchNorm
  let activation: Activation
  /// Shape [C].
  let scale: Buffer
  /// Shape [C].
  let shift: Buffer
  /// [C], of this batch or the running ones.
  let mean: [Double]
  let inverseDeviation: [Double]
  /// Whether the statistics came from the batch, so that gradients flow through them.
  let fromBatch: Bool
  let rows: Int
  /// Σ g and Σ g·raw of the gradient g after scale and shift, per channel, from all readers.
  var sums: [Double]
  var products: [Double]

  init(
    norm: BatchNorm,
    activation: Activation,
    mean: [Double],
    variance: [Double],
    rows: Int,
    fromBatch: Bool,
    pool: BufferPool
  ) {
    let channels = mean.count
    self.norm = norm
    self.activation = activation
    self.mean = mean
    self.rows = rows
    self.fromBatch = fromBatch
    inverseDeviation = variance.map { 1 / ($0 + norm.epsilon).squareRoot() }
    scale = pool.take(channels)
    shift = pool.take(channels)
    for c in 0..<channels {
      let s = Double(norm.gamma.value.pointer[c]) * inverseDeviation[c]
      scale.pointer[c] = Float(s)
      shift.pointer[c] = Float(Double(norm.beta.value.pointer[c]) - mean[c] * s)
    }
    sums = [Double](repeating: 0, count: channels)
    products = sums
  }

  /// The same with scale and shift times `mask`, [C], and sums of its own; of a reader's view.
  init(_ whole: Normalisation, by mask: Buffer, pool: BufferPool) {
    norm = whole.norm
    activation = whole.activation
    mean = whole.mean
    inverseDeviation = whole.inverseDeviation
    fromBatch = whole.fromBatch
    rows = whole.rows
    scale = pool.take(mask.count)
    shift = pool.take(mask.count)
    for c in 0..<mask.count {
      scale.pointer[c] = mask.pointer[c] * whole.scale.pointer[c]
      shift.pointer[c] = mask.pointer[c] * whole.shift.pointer[c]
    }
    sums = [Double](repeating: 0, count: mask.count)
    products = sums
  }

  /// ∂L/∂γ = Σ g·x̂ of every channel, from the sums of its readers.
  func gammaGradients() -> [Double] {
    // One access to the class for all channels: each costs more than the arithmetic.
    let (sums, products) = (sums, products)
    return sums.indices.map { inverseDeviation[$0] * (products[$0] - mean[$0] * sums[$0]) }
  }

  /// α, β, κ of the raw output's gradient α·g + β·raw + κ, three runs of C floats; adds dγ and dβ.
  ///
  /// With S = Σ g, and dγ = Σ g·x̂: d raw = scale·(g − S/M − x̂·dγ/M) (Ioffe and Szegedy 2015).
  func coefficients(factor: Float, trainNorm: Bool, pool: BufferPool) -> Buffer {
    let channels = mean.count
    let out = pool.take(3 * channels)
    let count = Double(rows)
    let sums = sums
    let gamma = gammaGradients()
    if trainNorm { addParameterGradients(gamma: gamma) }
    for (c, dGamma) in gamma.enumerated() {
      let s = Double(scale.pointer[c])
      out.pointer[c] = Float(s) * factor
      if fromBatch {
        let slope = -s * inverseDeviation[c] * dGamma / count
        out.pointer[channels + c] = Float(slope)
        out.pointer[2 * channels + c] = Float(-s * sums[c] / count - slope * mean[c])
      } else {
        out.pointer[channels + c] = 0
        out.pointer[2 * channels + c] = 0
      }
    }
    return out
  }

  /// Adds dγ, as `gammaGradients` has it, and dβ = Σ g.
  func addParameterGradients(gamma: [Double]) {
    let (ofGamma, ofBeta) = (norm.gamma.gradient.pointer, norm.beta.gradient.pointer)
    for (c, dBeta) in sums.enumerated() {
      ofGamma[c] += Float(gamma[c])
      ofBeta[c] += Float(dBeta)
    }
  }
}

/// A trained array: value and gradient, of the same shape.
package final class Parameter {
  /// Readable path, `layers.3.k3_e6.expand.weight`.
  package let name: String
  /// Sizes, outermost first.
  package let shape: [Int]
  /// The elements.
  package let value: Buffer
  /// Sum of the gradients since `Engine.clearGradients`.
  package let gradient: Buffer
  /// Whether weight decay applies: not to biases and batch-norms.
  package let decays: Bool

  /// Takes memory for a parameter of zeros.
  package init(name: String, shape: [Int], decays: Bool = true, engine: Engine) {
    self.name = name
    self.shape = shape
    self.decays = decays
    let count = shape.reduce(1, *)
    value = engine.pool.takeZeros(count)
    gradient = engine.pool.takeZeros(count)
  }

  /// Its value, as part of a saved state.
  package var entry: StateEntry { StateEntry(name: name, shape: shape, buffer: value) }
}

/// Learned scale and shift of a batch-norm with the statistics used for inference.
package final class BatchNorm {
  /// Readable path, `blocks.3.expand`.
  package let name: String
  /// [C], starts at 1.
  package let gamma: Parameter
  /// [C], starts at 0.
  package let beta: Parameter
  /// [C], mean over the recalibration batches.
  package var runningMean: [Double]
  /// [C], mean over the recalibration batches.
  package var runningVariance: [Double]
  /// Batches in the running statistics.
  package var batches = 0
  /// Added to the variance.
  package let epsilon = 1e-5

  /// Makes a batch-norm of `channels`.
  package init(name: String, channels: Int, engine: Engine) {
    self.name = name
    gamma = Parameter(name: name + ".gamma", shape: [channels], decays: false, engine: engine)
    beta = Parameter(name: name + ".beta", shape: [channels], decays: false, engine: engine)
    gamma.value.pointer.update(repeating: 1, count: channels)
    runningMean = [Double](repeating: 0, count: channels)
    runningVariance = [Double](repeating: 1, count: channels)
  }

  /// Forgets the running statistics.
  package func resetStatistics() {
    batches = 0
    for c in runningMean.indices {
      runningMean[c] = 0
      runningVariance[c] = 1
    }
  }

  /// The running statistics, as part of a saved state; restored, they are those of one batch.
  package var entries: [StateEntry] {
    [
      StateEntry(name: name + ".mean", shape: gamma.shape) {
        self.runningMean.map { Float($0) }
      } write: {
        self.runningMean = $0.map { Double($0) }
        self.batches = 1
      },
      StateEntry(name: name + ".variance", shape: gamma.shape) {
        self.runningVariance.map { Float($0) }
      } write: {
        self.runningVariance = $0.map { Double($0) }
        self.batches = 1
      },
    ]
  }

  /// Adds a batch to the running statistics, all batches weighing the same.
  func record(mean: [Double], variance: [Double], rows: Int) {
    // The running variance is the unbiased one, as in PyTorch.
    let unbias = rows > 1 ? Double(rows) / Double(rows - 1) : 1
    let keep = Double(batches) / Double(batches + 1)
    for c in runningMean.indices {
      runningMean[c] = keep * runningMean[c] + (1 - keep) * mean[c]
      runningVariance[c] = keep * runningVariance[c] + (1 - keep) * variance[c] * unbias
    }
    batches += 1
  }
}
