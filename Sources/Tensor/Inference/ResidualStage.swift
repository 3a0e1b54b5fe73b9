import Kernels

/// The core of an inverted residual of the inference path; expanded rows exist in a cache-sized
/// ring only.
///
/// A large map is done in bands of output rows, all channels of a band in turn, and the projection
/// right behind. A small one, or one whose projection must wait for a gate, is done in passes:
/// expansion and depthwise convolution of the whole image, 32 channels at a time, so that every
/// weight is read once; the gate; then the projection.
struct ResidualStage: InferenceStage {
  let units: [Int]
  let workspaceFloats: Int
  let sharedFloats: Int
  let outputFloats: Int
  private let passes: [Pass]
  private let kernels: InferenceKernels
  private let input: InferenceMap
  private let output: InferenceMap
  private let expand: InferenceProduct?
  private let depthwise: InferenceDepthwise
  private let squeeze: SqueezeLayers?
  private let project: InferenceProduct?
  private let planes: Int
  /// Output rows at a time.
  private let band: Int
  private let border: Int
  /// Floats of the ring of one group of 32 channels.
  private let groupFloats: Int

  private enum Pass {
    /// Everything, in bands.
    case bands
    /// Expansion and depthwise convolution, with the means for a gate.
    case hidden
    /// The two layers of the gate; the second applies it.
    case reduce, restore
    /// The projection of all pixels, some columns at a time; of all columns, some rows at a time.
    case columns, rows
  }

  /// Depthwise results that a map may have to be projected whole: half of a megabyte of
  /// second-level cache.
  private static let wholeFloats = 136 * 1024
  /// Ring and depthwise results of a band.
  private static let bandFloats = 80 * 1024
  /// Ring of a group where all rows are done before the next group.
  private static let ringFloats = 40 * 1024

  init(
    _ core: InvertedCore,
    from input: InferenceMap,
    to output: InferenceMap,
    weights: InferenceWeights
  ) {
    self.input = input
    self.output = output
    kernels = weights.kernels.inference
    let geometry = core.depthwise.geometry
    let (kernel, stride) = (geometry.kernel, geometry.stride)
    let planes = (core.depthwise.output + 15) / 16
    self.planes = planes
    border = geometry.padding
    let rowWidth = max(input.width + 2 * border, (output.width - 1) * stride + kernel)
    let rowFloats = rowWidth * 16
    let pixels = output.height * output.width
    let isSmall = planes * 16 * pixels <= ResidualStage.wholeFloats
    let isBanded = core.project != nil && core.squeeze == nil && !isSmall
    let step: Int
    let budget: Int
    if isBanded {
      step = planes * (stride * rowFloats + 16 * output.width)
      budget = ResidualStage.bandFloats - planes * max(0, kernel - stride) * rowFloats
    } else {
      step = 2 * stride * rowFloats
      budget = ResidualStage.ringFloats - 2 * max(0, kernel - stride) * rowFloats
    }
    band = min(output.height, max(1, budget / step))
    let slots = (band - 1) * stride + kernel
    groupFloats = 2 * slots * rowFloats
    let groups = (planes + 1) / 2
    // Pixels of a plane of depthwise results.
    let held = isBanded ? band * output.width : pixels

    expand = core.expand.map {
      var product = weights.product($0, depth: input.channels, columns: planes * 16)
      product.pixels = input.width
      product.aStride = input.stride
      product.aLine = input.width * input.stride
      product.cStride = 16
      product.cLine = rowFloats
      product.cPlane = slots * rowFloats
      return product
    }
    let (filter, bias) = weights.depthwise(core.depthwise)
    let hasProject = core.project != nil
    depthwise = InferenceDepthwise(
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
      activation: core.depthwise.activation,
      outPlane: hasProject ? 16 * held : 16,
      outPixel: hasProject ? 16 : output.stride
    )
    squeeze = core.squeeze.map {
      SqueezeLayers(
        reduce: $0.reduce,
        restore: $0.restore,
        channels: planes * 16,
        weights: weights
      )
    }
    project = core.project.map {
      var product = weights.product($0, depth: 16, columns: weights.columns(output.channels))
      product.sliceJump = 16 * held - 16
      product.pixels = held
      product.aStride = 16
      product.cStride = output.stride
      return product
    }
    var work: [(pass: Pass, units: Int)] = []
    if isBanded {
      work = [(.bands, output.height)]
    } else {
      work = [(.hidden, groups)]
      if let squeeze {
        work += [(.reduce, squeeze.reduceUnits), (.restore, squeeze.restoreUnits)]
      }
      if let project {
        work += [isSmall ? (.columns, (project.columns + 31) / 32) : (.rows, output.height)]
      }
    }
    passes = work.map(\.pass)
    units = work.map(\.units)
    let wide = hasProject ? planes * 16 * held : 0
    sharedFloats = isBanded ? 0 : wide + (squeeze?.floats ?? 0)
    workspaceFloats = isBanded ? groups * groupFloats + wide : groupFloats
    outputFloats = output.floats
  }

  func run(_ pass: Int, _ part: Range<Int>, _ memory: InferenceMemory) {
    switch passes[pass] {
    case .bands: runBands(part, memory)
    case .hidden: runHidden(part, memory)
    case .reduce: squeeze?.runReduce(part, gateMemory(memory))
    case .restore: applyGate(part, memory)
    case .columns:
      guard let project else { return }
      let operands = InferenceOperands(
        a: memory.shared,
        c: memory.output,
        shortcut: memory.shortcut
      )
      let columns = part.lowerBound * 32..<min(part.upperBound * 32, project.columns)
      kernels.product(project, operands, columns)
    case .rows:
      // So many that their depthwise results stay in the second-level cache.
      let rows = max(1, ResidualStage.bandFloats / (planes * 16 * output.width))
      for row in stride(from: part.lowerBound, to: part.upperBound, by: rows) {
        projectRows(
          row..<min(row + rows, part.upperBound),
          memory.shared + row * output.width * 16,
          memory
        )
      }
    }
  }

  /// Means, squeezed values and gate stand behind the depthwise results.
  private func gateMemory(_ memory: InferenceMemory) -> UnsafeMutablePointer<Float> {
    memory.shared + planes * depthwise.outPlane
  }

  private func runHidden(_ part: Range<Int>, _ memory: InferenceMemory) {
    let ring = memory.workspace
    ring.update(repeating: 0, count: groupFloats)
    let wide = project == nil ? memory.output : memory.shared
    for group in part {
      var filled = 0
      for row in stride(from: 0, to: output.height, by: band) {
        let rows = row..<min(row + band, output.height)
        let needed = (rows.upperBound - 1) * depthwise.stride + depthwise.kernel
        fill(group, ring, filled..<needed, memory.input)
        convolve(group, ring, rows, wide + row * output.width * depthwise.outPixel)
        filled = needed
      }
      guard squeeze != nil else { continue }
      for plane in 2 * group..<min(2 * group + 2, planes) {
        kernels.mean(pixels(of: plane, memory), gateMemory(memory) + plane * 16)
      }
    }
  }

  private func applyGate(_ part: Range<Int>, _ memory: InferenceMemory) {
    guard let gate = squeeze?.runRestore(part, gateMemory(memory)) else { return }
    for plane in 2 * part.lowerBound..<min(2 * part.upperBound, planes) {
      let out = memory.shared + plane * depthwise.outPlane
      kernels.gate(pixels(of: plane, memory), gate + plane * 16, nil, out)
    }
  }

  private func pixels(of plane: Int, _ memory: InferenceMemory) -> InferenceRows {
    InferenceRows(
      base: memory.shared + plane * depthwise.outPlane,
      stride: 16,
      channels: 16,
      count: output.height * output.width
    )
  }

  private func runBands(_ part: Range<Int>, _ memory: InferenceMemory) {
    let groups = (planes + 1) / 2
    memory.workspace.update(repeating: 0, count: groups * groupFloats)
    let wide = memory.workspace + groups * groupFloats
    var filled = part.lowerBound * depthwise.stride
    for row in stride(from: part.lowerBound, to: part.upperBound, by: band) {
      let rows = row..<min(row + band, part.upperBound)
      let needed = (rows.upperBound - 1) * depthwise.stride + depthwise.kernel
      for group in 0..<groups {
        let ring = memory.workspace + group * groupFloats
        fill(group, ring, filled..<needed, memory.input)
        convolve(group, ring, rows, wide)
      }
      filled = needed
      projectRows(rows, wide, memory)
    }
  }

  /// The projection of depthwise results whose first pixel is the first of `rows`.
  private func projectRows(
    _ rows: Range<Int>,
    _ wide: UnsafePointer<Float>,
    _ memory: InferenceMemory
  ) {
    guard var project else { return }
    project.pixels = rows.count * output.width
    let at = rows.lowerBound * output.width * output.stride
    let operands = InferenceOperands(
      a: wide,
      c: memory.output + at,
      shortcut: memory.shortcut.map { $0 + at }
    )
    kernels.product(project, operands, 0..<project.columns)
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
        kernels.product(expand, operands, first..<min(first + 32, expand.columns))
      } else {
        for line in 0..<lines {
          kernels.spread(
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
    kernels.depthwise(depthwise, rows, out + first * depthwise.outPlane)
  }
}
