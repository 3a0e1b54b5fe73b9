import Kernels

/// What shapes say about a dense convolution.
struct ConvolutionPlan {
  let outShape: [Int]
  let outRows: Int
  let outChannels: Int
  let groups: Int
  /// Input channels of one group.
  let inputSlice: Int
  /// Rows of one group's filter matrix.
  let depth: Int
  /// Columns of one group's filter matrix.
  let columns: Int
  let patches: Patches?
  let forwardChunks: Chunks
  let backwardChunks: Chunks

  /// Whether the input gradient is scattered into pixels instead of written row by row.
  var scatters: Bool { patches != nil }

  init(_ x: Tensor, filter: Parameter, geometry g: ConvolutionGeometry) {
    let channels = x.channels
    groups = g.groups
    inputSlice = channels / g.groups
    depth = g.kernel * g.kernel * inputSlice
    columns = (filter.shape.last ?? 1)
    outChannels = columns * g.groups
    let isPointwise = g.kernel == 1 && g.stride == 1 && g.padding == 0
    precondition(
      filter.value.count == depth * outChannels && channels % g.groups == 0,
      "convolution: filter \(filter.shape), groups \(g.groups) on input \(x.shape)"
    )
    if isPointwise {
      patches = nil
      outShape = x.shape.dropLast() + [outChannels]
      outRows = x.rows
    } else {
      precondition(x.shape.count == 4, "convolution: input \(x.shape) is no image")
      let (n, h, w) = (x.shape[0], x.shape[1], x.shape[2])
      let (oh, ow) = (g.outputSize(h), g.outputSize(w))
      precondition(oh > 0 && ow > 0, "convolution: input \(x.shape) is smaller than the filter")
      patches = Patches(
        height: h,
        width: w,
        outHeight: oh,
        outWidth: ow,
        kernel: g.kernel,
        stride: g.stride,
        padding: g.padding
      )
      outShape = [n, oh, ow, outChannels]
      outRows = n * oh * ow
    }
    // Whole blocks of rows, so that no chunk ends in half a tile.
    let unit = patches.map { $0.outHeight * $0.outWidth } ?? convolutionBlock
    forwardChunks = Chunks(
      rows: outRows,
      unit: convolutionBlock,
      rowFloats: depth * groups + outChannels
    )
    backwardChunks = Chunks(
      rows: outRows,
      unit: unit,
      rowFloats: depth * groups + outChannels,
      partialFloats: depth * columns
    )
  }

  /// The rows that one group reads.
  func source(_ x: Tensor, group: Int) -> RowSource {
    var s = x.source
    let offset = group * inputSlice
    s.base += offset
    s.scale = s.scale.map { $0 + offset }
    s.shift = s.shift.map { $0 + offset }
    s.channels = inputSlice
    s.patches = patches
    return s
  }
}
