import Kernels

/// The two linear layers of a squeeze-and-excite, from the means of the channels to the gate.
///
/// Its memory holds means, squeezed values and gate, one behind the other.
struct SqueezeLayers {
  private let reduce: InferenceProduct
  private let restore: InferenceProduct
  private let kernels: InferenceKernels
  /// Channels, whole planes.
  private let channels: Int
  /// Columns of a unit.
  private static let group = 32

  init(
    reduce: FoldedConvolution,
    restore: FoldedConvolution,
    channels: Int,
    weights: InferenceWeights
  ) {
    kernels = weights.kernels.inference
    self.channels = channels
    var product = weights.product(
      reduce,
      depth: reduce.input,
      columns: weights.columns(reduce.output)
    )
    product.pixels = 1
    self.reduce = product
    product = weights.product(restore, depth: restore.input, columns: channels)
    product.pixels = 1
    self.restore = product
  }

  /// Floats of its memory.
  var floats: Int { 2 * channels + reduce.columns }

  /// Units of `runReduce`.
  var reduceUnits: Int { (reduce.columns + SqueezeLayers.group - 1) / SqueezeLayers.group }

  /// Units of `runRestore`, 32 channels each.
  var restoreUnits: Int { (channels + SqueezeLayers.group - 1) / SqueezeLayers.group }

  /// From the means to the squeezed values.
  func runReduce(_ part: Range<Int>, _ memory: UnsafeMutablePointer<Float>) {
    let operands = InferenceOperands(a: memory, c: memory + channels)
    kernels.product(reduce, operands, columns(part, of: reduce))
  }

  /// From the squeezed values to what hsigmoid makes the gate of; returns the gate.
  @discardableResult
  func runRestore(
    _ part: Range<Int>,
    _ memory: UnsafeMutablePointer<Float>
  ) -> UnsafePointer<Float> {
    let gate = memory + channels + reduce.columns
    let operands = InferenceOperands(a: memory + channels, c: gate)
    kernels.product(restore, operands, columns(part, of: restore))
    return UnsafePointer(gate)
  }

  private func columns(_ part: Range<Int>, of product: InferenceProduct) -> Range<Int> {
    part.lowerBound
      * SqueezeLayers.group..<min(
        part.upperBound * SqueezeLayers.group,
        product.columns
      )
  }
}

/// A squeeze-and-excite of the inference path that is not part of an inverted residual's core.
struct SqueezeStage: InferenceStage {
  let units: [Int]
  let workspaceFloats = 0
  let sharedFloats: Int
  let outputFloats: Int
  private let layers: SqueezeLayers
  private let map: InferenceMap
  private let kernels: InferenceKernels

  init(
    reduce: FoldedConvolution,
    restore: FoldedConvolution,
    of map: InferenceMap,
    weights: InferenceWeights
  ) {
    layers = SqueezeLayers(
      reduce: reduce,
      restore: restore,
      channels: map.stride,
      weights: weights
    )
    self.map = map
    kernels = weights.kernels.inference
    units = [map.stride / InferenceMap.plane, layers.reduceUnits, layers.restoreUnits]
    sharedFloats = layers.floats
    outputFloats = map.floats
  }

  func run(_ pass: Int, _ part: Range<Int>, _ memory: InferenceMemory) {
    switch pass {
    case 0:
      let first = part.lowerBound * InferenceMap.plane
      kernels.mean(
        rows(memory, first..<part.upperBound * InferenceMap.plane),
        memory.shared + first
      )
    case 1: layers.runReduce(part, memory.shared)
    default:
      let gate = layers.runRestore(part, memory.shared)
      let channels = part.lowerBound * 32..<min(part.upperBound * 32, map.stride)
      kernels.gate(
        rows(memory, channels),
        gate + channels.lowerBound,
        memory.shortcut.map { $0 + channels.lowerBound },
        memory.output + channels.lowerBound
      )
    }
  }

  private func rows(_ memory: InferenceMemory, _ channels: Range<Int>) -> InferenceRows {
    InferenceRows(
      base: memory.input + channels.lowerBound,
      stride: map.stride,
      channels: channels.count,
      count: map.height * map.width
    )
  }
}
