import Kernels

/// A step of the inference path over one image, in passes that need each other's results.
///
/// Within a pass the units are independent, and each value is computed in one order however they
/// are split: any number of workers gives the same bits.
protocol InferenceStage {
  /// Units of each pass.
  var units: [Int] { get }
  /// Floats that a worker needs of its own.
  var workspaceFloats: Int { get }
  /// Floats that all workers share between the passes.
  var sharedFloats: Int { get }
  /// Floats of the result.
  var outputFloats: Int { get }
  /// Runs `part` of the units of pass `pass`.
  func run(_ pass: Int, _ part: Range<Int>, _ memory: InferenceMemory)
}

/// Where a stage works.
struct InferenceMemory {
  /// What the stage reads.
  var input: UnsafePointer<Float>
  /// What it writes.
  var output: UnsafeMutablePointer<Float>
  /// Added to what it writes and laid out like it; nil without a shortcut.
  var shortcut: UnsafePointer<Float>?
  /// See `InferenceStage.sharedFloats`.
  var shared: UnsafeMutablePointer<Float>
  /// See `InferenceStage.workspaceFloats`.
  var workspace: UnsafeMutablePointer<Float>
}

/// A map [H, W, C] whose pixels are `stride` floats apart.
struct InferenceMap {
  var height: Int
  var width: Int
  var channels: Int
  var stride: Int

  /// Channels that stand together where vectors are stored whole, whatever their width.
  static let plane = 16

  /// A map whose pixels are whole planes of 16, so that vectors may be stored whole.
  init(height: Int, width: Int, channels: Int) {
    self.height = height
    self.width = width
    self.channels = channels
    stride = (channels + InferenceMap.plane - 1) / InferenceMap.plane * InferenceMap.plane
  }

  /// The image, whose pixels are contiguous.
  init(image shape: [Int]) {
    height = shape[0]
    width = shape[1]
    channels = shape[2]
    stride = channels
  }

  var floats: Int { height * width * stride }

  /// The map that a convolution gives.
  func convolved(by convolution: FoldedConvolution) -> InferenceMap {
    InferenceMap(
      height: convolution.geometry.outputSize(height),
      width: convolution.geometry.outputSize(width),
      channels: convolution.output
    )
  }

  /// A map as high and wide, of whole planes, with other channels if told.
  func with(channels: Int?) -> InferenceMap {
    InferenceMap(height: height, width: width, channels: channels ?? self.channels)
  }
}

/// The packed weights of a network, one after the other in the order of their use.
final class InferenceWeights {
  private let buffer: Buffer
  private var used = 0
  /// The kernels that the weights are packed for.
  let kernels: KernelTable

  init(floats: Int, kernels: KernelTable, pool: BufferPool) {
    buffer = pool.takeZeros(floats)
    self.kernels = kernels
  }

  /// Floats enough for a product or a depthwise filter of these sizes, in whole cache lines.
  static func floats(_ convolution: FoldedConvolution) -> Int {
    let groups = convolution.isDepthwise ? 1 : convolution.geometry.groups
    let width = convolution.output / groups
    let depth = (convolution.filter.count / convolution.output + 15) / 16 * 16
    return groups * (depth + 1) * ((width + 15) / 16 * 16)
  }

  private func take(_ count: Int) -> UnsafeMutablePointer<Float> {
    let floats = (count + 15) / 16 * 16
    precondition(used + floats <= buffer.count, "InferenceWeights: the count was too small")
    defer { used += floats }
    return buffer.pointer + used
  }

  /// Packs a dense filter, or that of one group.
  ///
  /// - Parameters:
  ///   - convolution: what to pack.
  ///   - group: which of its groups.
  ///   - depth: floats of a slice of A; the last slice has what is left.
  ///   - columns: width that is computed; beyond the filter's the result is activation(0).
  /// - Returns: the product, whose operands are still to be placed.
  func product(
    _ convolution: FoldedConvolution,
    group: Int = 0,
    depth: Int,
    columns: Int
  ) -> InferenceProduct {
    let width = convolution.output / convolution.geometry.groups
    let rows = convolution.filter.count / convolution.output
    let first = group * rows * width
    let slices = (rows + depth - 1) / depth
    let packed = take(rows * columns)
    let bias = take(columns)
    var dense = [Float](repeating: 0, count: rows * columns)
    for k in 0..<rows {
      for c in 0..<width { dense[k * columns + c] = convolution.filter[first + k * width + c] }
    }
    dense.withUnsafeBufferPointer {
      guard let base = $0.baseAddress else { return }
      let packing = ColumnPacking(
        depth: rows,
        columns: columns,
        b: base,
        depthStride: columns,
        columnStride: 1,
        packed: packed
      )
      kernels.packColumns(packing)
    }
    for c in 0..<width { bias[c] = convolution.bias[group * width + c] }
    return InferenceProduct(
      packed: packed,
      bias: bias,
      depth: depth,
      lastDepth: rows - (slices - 1) * depth,
      slices: slices,
      columns: columns,
      activation: convolution.activation
    )
  }

  /// Packs a depthwise filter: weights [planes, k · k, 16] and bias [planes, 16].
  func depthwise(
    _ convolution: FoldedConvolution
  ) -> (weights: UnsafePointer<Float>, bias: UnsafePointer<Float>) {
    let planes = (convolution.output + 15) / 16
    let area = convolution.geometry.kernel * convolution.geometry.kernel
    let weights = take(planes * area * 16)
    let bias = take(planes * 16)
    for c in 0..<convolution.output {
      bias[c] = convolution.bias[c]
      for i in 0..<area {
        weights[(c / 16 * area + i) * 16 + c % 16] = convolution.filter[i * convolution.output + c]
      }
    }
    return (UnsafePointer(weights), UnsafePointer(bias))
  }

  /// `channels` rounded up to whole vectors.
  func columns(_ channels: Int) -> Int {
    (channels + kernels.lanes - 1) / kernels.lanes * kernels.lanes
  }
}
