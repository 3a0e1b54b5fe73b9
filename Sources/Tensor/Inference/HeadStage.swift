import Kernels

/// The end of the convolutions: 1×1, activation and the mean over all pixels, whose map never
/// exists.
struct HeadStage: InferenceStage {
  let units: [Int]
  let workspaceFloats: Int
  let sharedFloats = 0
  let outputFloats: Int
  private let product: InferenceProduct
  private let kernels: InferenceKernels
  /// Columns at a time.
  private static let group = 32

  init(_ convolution: FoldedConvolution, from input: InferenceMap, weights: InferenceWeights) {
    kernels = weights.kernels.inference
    var product = weights.product(
      convolution,
      depth: input.channels,
      columns: weights.columns(convolution.output)
    )
    product.pixels = input.height * input.width
    product.aStride = input.stride
    product.cStride = HeadStage.group
    self.product = product
    units = [(product.columns + HeadStage.group - 1) / HeadStage.group]
    workspaceFloats = product.pixels * HeadStage.group
    outputFloats = product.columns
  }

  func run(_ pass: Int, _ part: Range<Int>, _ memory: InferenceMemory) {
    for unit in part {
      let first = unit * HeadStage.group
      let last = min(first + HeadStage.group, product.columns)
      let operands = InferenceOperands(a: memory.input, c: memory.workspace - first)
      kernels.product(product, operands, first..<last)
      kernels.mean(
        InferenceRows(
          base: memory.workspace,
          stride: HeadStage.group,
          channels: last - first,
          count: product.pixels
        ),
        memory.output + first
      )
    }
  }
}

/// The mean over all pixels behind anything else than a 1×1.
struct MeanStage: InferenceStage {
  let units: [Int]
  let workspaceFloats = 0
  let sharedFloats = 0
  let outputFloats: Int
  private let map: InferenceMap
  private let kernels: InferenceKernels
  private let lanes: Int

  init(_ map: InferenceMap, weights: InferenceWeights) {
    self.map = map
    kernels = weights.kernels.inference
    lanes = weights.kernels.lanes
    outputFloats = weights.columns(map.channels)
    units = [outputFloats / lanes]
  }

  func run(_ pass: Int, _ part: Range<Int>, _ memory: InferenceMemory) {
    let first = part.lowerBound * lanes
    kernels.mean(
      InferenceRows(
        base: memory.input + first,
        stride: map.stride,
        channels: part.count * lanes,
        count: map.height * map.width
      ),
      memory.output + first
    )
  }
}
