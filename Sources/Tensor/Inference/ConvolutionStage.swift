import Kernels

/// A dense convolution of the inference path: the stem, or the 1×1 of a skip that changes the
/// shape.
struct ConvolutionStage: InferenceStage {
  let units: [Int]
  let workspaceFloats: Int
  let sharedFloats = 0
  let outputFloats: Int
  private let product: InferenceProduct
  private let kernels: KernelTable
  private let input: InferenceMap
  private let output: InferenceMap
  private let kernel: Int
  private let stride: Int
  /// Floats of a padded input row.
  private let padded: Int
  /// Output rows at a time, so that the padded copy stays in the first-level cache.
  private let band: Int

  init(
    _ convolution: FoldedConvolution,
    stride: Int,
    from input: InferenceMap,
    to output: InferenceMap,
    weights: InferenceWeights
  ) {
    let kernel = convolution.kernel
    precondition(
      kernel == 1 || input.stride == input.channels,
      "inference: a \(kernel)x\(kernel) convolution must stand on the image"
    )
    self.input = input
    self.output = output
    self.kernel = kernel
    self.stride = stride
    kernels = weights.kernels
    padded = ((output.width - 1) * stride + kernel) * input.channels
    band = max(1, (6 * 1024 / padded - kernel) / stride + 1)
    workspaceFloats = kernel == 1 ? 0 : ((band - 1) * stride + kernel) * padded
    units = [output.height]
    outputFloats = output.floats
    var product = weights.product(
      convolution,
      depth: kernel * input.channels,
      columns: weights.columns(output.channels)
    )
    product.sliceJump = padded - product.depth
    product.pixels = output.width
    product.aStride = stride * input.stride
    product.aLine = stride * (kernel == 1 ? input.width * input.stride : padded)
    product.cStride = output.stride
    product.cLine = output.width * output.stride
    self.product = product
  }

  func run(_ pass: Int, _ part: Range<Int>, _ memory: InferenceMemory) {
    var product = product
    if kernel == 1 {
      product.lines = part.count
      let operands = InferenceOperands(
        a: memory.input + part.lowerBound * product.aLine,
        c: memory.output + part.lowerBound * product.cLine
      )
      return kernels.inference.product(product, operands, 0..<product.columns)
    }
    var row = part.lowerBound
    while row < part.upperBound {
      let rows = min(band, part.upperBound - row)
      for r in 0..<(rows - 1) * stride + kernel {
        copy(row * stride + r - kernel / 2, from: memory.input, to: memory.workspace + r * padded)
      }
      product.lines = rows
      let operands = InferenceOperands(
        a: memory.workspace,
        c: memory.output + row * product.cLine
      )
      kernels.inference.product(product, operands, 0..<product.columns)
      row += rows
    }
  }

  /// Image row `y` between zeros; outside the image zeros alone.
  private func copy(
    _ y: Int,
    from image: UnsafePointer<Float>,
    to: UnsafeMutablePointer<Float>
  ) {
    guard y >= 0 && y < input.height else { return to.update(repeating: 0, count: padded) }
    let border = kernel / 2 * input.channels
    let row = input.width * input.channels
    // A step can leave columns at the end that no window reaches.
    let read = min(row, padded - border)
    to.update(repeating: 0, count: border)
    (to + border).update(from: image + y * row, count: read)
    (to + border + read).update(repeating: 0, count: padded - border - read)
  }
}

/// The end of the convolutions: 1×1, activation and the mean over all pixels, whose map never
/// exists.
struct HeadStage: InferenceStage {
  let units: [Int]
  let workspaceFloats: Int
  let sharedFloats = 0
  let outputFloats: Int
  private let product: InferenceProduct
  private let kernels: KernelTable
  /// Columns at a time.
  private static let group = 32

  init(_ convolution: FoldedConvolution, from input: InferenceMap, weights: InferenceWeights) {
    kernels = weights.kernels
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
      kernels.inference.product(product, operands, first..<last)
      let rows = RowSource(
        base: memory.workspace,
        stride: HeadStage.group,
        channels: last - first
      )
      kernels.averageRows(rows, 0..<product.pixels, memory.output + first)
    }
  }
}
