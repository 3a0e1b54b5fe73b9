import Kernels

/// A convolution of the inference path that is not part of an inverted residual's core: the stem,
/// the 1×1 of a skip that changes the shape, a fused block, one with groups.
struct ConvolutionStage: InferenceStage {
  let units: [Int]
  let workspaceFloats: Int
  let sharedFloats = 0
  let outputFloats: Int
  /// One for each group.
  private let products: [InferenceProduct]
  private let kernels: InferenceKernels
  private let addScaled: @Sendable (Int, Float, Input, Output) -> Void
  private let input: InferenceMap
  private let output: InferenceMap
  private let geometry: ConvolutionGeometry
  /// Whether pixels are read where they are, without a padded copy.
  private let isDirect: Bool
  /// Input channels of a group.
  private let channels: Int
  /// Floats of a padded input row.
  private let padded: Int
  /// Output rows at a time, so that what is read stays in a near cache.
  private let band: Int

  init(
    _ convolution: FoldedConvolution,
    from input: InferenceMap,
    to output: InferenceMap,
    weights: InferenceWeights
  ) {
    let geometry = convolution.geometry
    let channels = input.channels / geometry.groups
    self.input = input
    self.output = output
    self.geometry = geometry
    self.channels = channels
    kernels = weights.kernels.inference
    addScaled = weights.kernels.addScaled
    isDirect = geometry.kernel == 1 && geometry.padding == 0 && geometry.groups == 1
    padded = ((output.width - 1) * geometry.stride + geometry.kernel) * channels
    let width = weights.columns(output.channels / geometry.groups)
    if isDirect {
      band = max(1, 32 * 1024 / (geometry.stride * input.width * input.stride))
      workspaceFloats = 0
    } else {
      band = max(1, (6 * 1024 / padded - geometry.kernel) / geometry.stride + 1)
      workspaceFloats =
        ((band - 1) * geometry.stride + geometry.kernel) * padded
        + (geometry.groups > 1 ? band * output.width * width : 0)
    }
    units = [output.height]
    outputFloats = output.floats
    let (isDirect, padded) = (isDirect, padded)
    products = (0..<geometry.groups).map { group in
      var product = weights.product(
        convolution,
        group: group,
        depth: geometry.kernel * channels,
        columns: width
      )
      product.sliceJump = isDirect ? 0 : padded - product.depth
      product.pixels = output.width
      product.aStride = geometry.stride * (isDirect ? input.stride : channels)
      product.aLine = geometry.stride * (isDirect ? input.width * input.stride : padded)
      product.cStride = geometry.groups > 1 ? width : output.stride
      product.cLine = output.width * product.cStride
      return product
    }
  }

  func run(_ pass: Int, _ part: Range<Int>, _ memory: InferenceMemory) {
    var row = part.lowerBound
    while row < part.upperBound {
      let rows = row..<min(row + band, part.upperBound)
      let at = row * output.width * output.stride
      let shortcut = memory.shortcut.map { $0 + at }
      // The product adds before its activation.
      let addsWithin = products.count == 1 && products[0].activation == .none
      for (group, product) in products.enumerated() {
        convolve(product, group, rows, memory, shortcut: addsWithin ? shortcut : nil)
      }
      if let shortcut, !addsWithin {
        addScaled(
          rows.count * output.width * output.stride,
          1,
          shortcut,
          memory.output + at
        )
      }
      row = rows.upperBound
    }
  }

  /// The output rows `rows` of a group.
  private func convolve(
    _ product: InferenceProduct,
    _ group: Int,
    _ rows: Range<Int>,
    _ memory: InferenceMemory,
    shortcut: UnsafePointer<Float>?
  ) {
    var product = product
    product.lines = rows.count
    let row = rows.lowerBound
    let out = memory.output + row * output.width * output.stride
    if isDirect {
      let operands = InferenceOperands(
        a: memory.input + row * product.aLine,
        c: out,
        shortcut: shortcut
      )
      return kernels.product(product, operands, 0..<product.columns)
    }
    let copied = (rows.count - 1) * geometry.stride + geometry.kernel
    for r in 0..<copied {
      let y = row * geometry.stride + r - geometry.padding
      copy(y, group * channels, from: memory.input, to: memory.workspace + r * padded)
    }
    guard geometry.groups > 1 else {
      let operands = InferenceOperands(a: memory.workspace, c: out, shortcut: shortcut)
      return kernels.product(product, operands, 0..<product.columns)
    }
    // Whole vectors would reach into the next group's channels.
    let wide = memory.workspace + copied * padded
    let operands = InferenceOperands(a: memory.workspace, c: wide)
    kernels.product(product, operands, 0..<product.columns)
    let width = output.channels / geometry.groups
    for pixel in 0..<rows.count * output.width {
      (out + pixel * output.stride + group * width).update(
        from: wide + pixel * product.columns,
        count: width
      )
    }
  }

  /// `channels` of the row `y` from channel `first` on, between zeros; outside the map zeros alone.
  private func copy(
    _ y: Int,
    _ first: Int,
    from map: UnsafePointer<Float>,
    to: UnsafeMutablePointer<Float>
  ) {
    // A step can leave columns at the end that no window reaches.
    let pixels = min(input.width, padded / channels - geometry.padding)
    guard y >= 0 && y < input.height && pixels > 0 else {
      return to.update(repeating: 0, count: padded)
    }
    let border = geometry.padding * channels
    let from = map + y * input.width * input.stride + first
    to.update(repeating: 0, count: border)
    if input.stride == channels {
      (to + border).update(from: from, count: pixels * channels)
    } else {
      for x in 0..<pixels {
        (to + border + x * channels).update(from: from + x * input.stride, count: channels)
      }
    }
    let end = border + pixels * channels
    (to + end).update(repeating: 0, count: padded - end)
  }
}
