import Kernels

/// Two sums of every channel, gathered chunk by chunk: Σ y and Σ y² forward, Σ g and Σ g·y
/// backward.
///
/// Layout [chunks, 2, C]: no two chunks write to the same place, and `total` adds them in their
/// order, so the bits do not depend on the number of threads.
struct ChannelSums {
  /// C.
  let channels: Int
  private let chunks: Int
  private let buffer: Buffer

  /// Starts all sums at 0.
  init(chunks: Int, channels: Int, pool: BufferPool) {
    self.chunks = chunks
    self.channels = channels
    buffer = pool.takeZeros(chunks * 2 * channels)
  }

  /// The sums of a chunk, from channel `first` on.
  func chunk(_ chunk: Int, from first: Int = 0) -> PartialSums {
    let sums = buffer.pointer + chunk * 2 * channels + first
    return PartialSums(sums: sums, products: sums + channels)
  }

  /// The sums over all chunks, or some of them, in Double.
  func total(of some: StrideTo<Int>? = nil) -> (sums: [Double], products: [Double]) {
    var sums = [Double](repeating: 0, count: channels)
    var products = sums
    sums.withUnsafeMutableBufferPointer { sums in
      products.withUnsafeMutableBufferPointer { products in
        for chunk in some ?? stride(from: 0, to: chunks, by: 1) {
          let part = self.chunk(chunk)
          for c in 0..<channels { sums[c] += Double(part.sums[c]) }
          for c in 0..<channels { products[c] += Double(part.products[c]) }
        }
      }
    }
    return (sums, products)
  }

  /// Mean and variance of values of which there were `rows`, from Σ y and Σ y² of all chunks or of
  /// some of them.
  func moments(
    rows: Int,
    of some: StrideTo<Int>? = nil
  ) -> (mean: [Double], variance: [Double]) {
    var (mean, variance) = total(of: some)
    for c in mean.indices {
      mean[c] /= Double(rows)
      variance[c] = max(0, variance[c] / Double(rows) - mean[c] * mean[c])
    }
    return (mean, variance)
  }

  /// Adds Σ g and Σ g·y to the normalisation of what a reader read.
  func add(to normalisation: Normalisation?) {
    guard let normalisation else { return }
    let (sums, products) = total()
    for c in sums.indices {
      normalisation.sums[c] += sums[c]
      normalisation.products[c] += products[c]
    }
  }
}

extension Engine {
  /// Sums of a new raw output for its batch-norm; nil where none needs them.
  func outputSums(_ norm: BatchNorm?, chunks: Int, channels: Int) -> ChannelSums? {
    norm != nil && mode != .inference
      ? ChannelSums(chunks: chunks, channels: channels, pool: pool) : nil
  }

  /// Sums of the gradient of `x` for the normalisation deferred on it; nil where there is none.
  func gradientSums(of x: Tensor, chunks: Int) -> ChannelSums? {
    x.normalisation == nil ? nil : ChannelSums(chunks: chunks, channels: x.channels, pool: pool)
  }
}
