import Kernels

/// An inverted residual of the inference path; expanded rows exist in a cache-sized ring only.
///
/// A small map is done in two passes: expansion and depthwise convolution of the whole image, 32
/// channels at a time, so that every weight is read once; then the projection. A large one is done
/// in bands of output rows, all channels of a band in turn, and the projection right behind.
struct ResidualStage: InferenceStage {
  let units: [Int]
  let workspaceFloats: Int
  let sharedFloats: Int
  let outputFloats: Int
  private let kernels: KernelTable
  private let input: InferenceMap
  private let output: InferenceMap
  private let expand: InferenceProduct?
  private let depthwise: InferenceDepthwise
  private let project: InferenceProduct
  private let isResidual: Bool
  private let planes: Int
  /// Output rows at a time.
  private let band: Int
  /// Whether `band` is the whole image.
  private let isWhole: Bool
  private let border: Int
  /// Floats of the ring of one group of 32 channels.
  private let groupFloats: Int

  /// Depthwise results that a map may have to be done whole: half of a megabyte of second-level
  /// cache.
  private static let wholeFloats = 136 * 1024
  /// Ring and depthwise results of a band.
  private static let bandFloats = 80 * 1024

  init(
    expand: FoldedConvolution?,
    depthwise: FoldedConvolution,
    project: FoldedConvolution,
    stride: Int,
    isResidual: Bool,
    from input: InferenceMap,
    to output: InferenceMap,
    weights: InferenceWeights
  ) {
    self.input = input
    self.output = output
    self.isResidual = isResidual
    kernels = weights.kernels
    let kernel = depthwise.kernel
    let planes = (depthwise.output + 15) / 16
    self.planes = planes
    border = kernel / 2
    let rowWidth = max(input.width + 2 * border, (output.width - 1) * stride + kernel)
    let rowFloats = rowWidth * 16
    let pixels = output.height * output.width
    isWhole = planes * 16 * pixels <= ResidualStage.wholeFloats
    if isWhole {
      band = output.height
    } else {
      let step = planes * (stride * rowFloats + 16 * output.width)
      let halo = planes * max(0, kernel - stride) * rowFloats
      band = min(output.height, max(1, (ResidualStage.bandFloats - halo) / step))
    }
    let slots = (band - 1) * stride + kernel
    groupFloats = 2 * slots * rowFloats
    let groups = (planes + 1) / 2
    let bandPixels = band * output.width
    sharedFloats = isWhole ? planes * 16 * pixels : 0
    workspaceFloats = isWhole ? groupFloats : groups * groupFloats + planes * 16 * bandPixels
    outputFloats = output.floats

    if let expand {
      var product = weights.product(
        expand,
        depth: input.channels,
        columns: planes * 16
      )
      product.pixels = input.width
      product.aStride = input.stride
      product.aLine = input.width * input.stride
      product.cStride = 16
      product.cLine = rowFloats
      product.cPlane = slots * rowFloats
      self.expand = product
    } else {
      self.expand = nil
    }
    let (filter, bias) = weights.depthwise(depthwise)
    self.depthwise = InferenceDepthwise(
      // `convolve` puts in the ring and the planes of a group.
      ring: filter,
      slots: slots,
      rowFloats: rowFloats,
      planes: 0,
      kernel: kernel,
      stride: stride,
      outWidth: output.width,
      weights: filter,
      bias: bias,
      activation: depthwise.activation,
      outPlane: 16 * bandPixels
    )
    var product = weights.product(
      project,
      depth: 16,
      columns: weights.columns(output.channels)
    )
    product.sliceJump = 16 * bandPixels - 16
    product.pixels = bandPixels
    product.aStride = 16
    product.cStride = output.stride
    self.project = product
    units = isWhole ? [groups, (product.columns + 31) / 32] : [output.height]
  }

  func run(_ pass: Int, _ part: Range<Int>, _ memory: InferenceMemory) {
    if !isWhole {
      runBands(part, memory)
    } else if pass == 0 {
      memory.workspace.update(repeating: 0, count: groupFloats)
      for group in part {
        fill(group, memory.workspace, 0..<depthwise.slots, memory.input)
        convolve(group, memory.workspace, 0..<band, memory.shared)
      }
    } else {
      let operands = InferenceOperands(
        a: memory.shared,
        c: memory.output,
        shortcut: isResidual ? memory.input : nil
      )
      let columns = part.lowerBound * 32..<min(part.upperBound * 32, project.columns)
      kernels.inference.product(project, operands, columns)
    }
  }

  private func runBands(_ part: Range<Int>, _ memory: InferenceMemory) {
    let groups = (planes + 1) / 2
    memory.workspace.update(repeating: 0, count: groups * groupFloats)
    let wide = memory.workspace + groups * groupFloats
    let stride = depthwise.stride
    var project = project
    var filled = part.lowerBound * stride
    var row = part.lowerBound
    while row < part.upperBound {
      let rows = row..<min(row + band, part.upperBound)
      let needed = (rows.upperBound - 1) * stride + depthwise.kernel
      for group in 0..<groups {
        let ring = memory.workspace + group * groupFloats
        fill(group, ring, filled..<needed, memory.input)
        convolve(group, ring, rows, wide)
      }
      filled = needed
      project.pixels = rows.count * output.width
      let at = row * output.width * output.stride
      let operands = InferenceOperands(
        a: wide,
        c: memory.output + at,
        shortcut: isResidual ? memory.input + at : nil
      )
      kernels.inference.product(project, operands, 0..<project.columns)
      row = rows.upperBound
    }
  }

  /// Expands the input rows under padded rows `rows` into the ring of a group; rows outside become
  /// zero.
  private func fill(
    _ group: Int,
    _ ring: UnsafeMutablePointer<Float>,
    _ rows: Range<Int>,
    _ x: UnsafePointer<Float>
  ) {
    let rowFloats = depthwise.rowFloats
    let planeFloats = depthwise.slots * rowFloats
    var r = rows.lowerBound
    while r < rows.upperBound {
      let slot = r % depthwise.slots
      let to = ring + slot * rowFloats
      let y = r - border
      guard y >= 0 && y < input.height else {
        to.update(repeating: 0, count: rowFloats)
        (to + planeFloats).update(repeating: 0, count: rowFloats)
        r += 1
        continue
      }
      let lines = min(rows.upperBound - r, input.height - y, depthwise.slots - slot)
      let from = x + y * input.width * input.stride
      let interior = to + border * 16
      if var expand {
        expand.lines = lines
        let first = group * 32
        let operands = InferenceOperands(a: from, c: interior - 2 * group * planeFloats)
        kernels.inference.product(expand, operands, first..<min(first + 32, expand.columns))
      } else {
        for line in 0..<lines {
          kernels.inference.spread(
            ChannelSpread(
              channels: min(32, input.channels - group * 32),
              source: from + line * input.width * input.stride + group * 32,
              stride: input.stride,
              out: interior + line * rowFloats,
              plane: planeFloats
            ),
            input.width
          )
        }
      }
      r += lines
    }
  }

  /// The depthwise convolution of a group, output rows `rows`, to planes of a band.
  private func convolve(
    _ group: Int,
    _ ring: UnsafeMutablePointer<Float>,
    _ rows: Range<Int>,
    _ out: UnsafeMutablePointer<Float>
  ) {
    var depthwise = depthwise
    let first = 2 * group
    depthwise.ring = UnsafePointer(ring)
    depthwise.planes = min(2, planes - first)
    depthwise.weights += first * 16 * depthwise.kernel * depthwise.kernel
    depthwise.bias += first * 16
    kernels.inference.depthwise(depthwise, rows, out + first * depthwise.outPlane)
  }
}
