/// Rows that a convolution kernel works on at a time: its workspace stays in the second-level
/// cache.
@_alwaysEmitIntoClient @inline(always)
package var convolutionBlock: Int { 48 }

/// A dense convolution over matrix rows, forward.
@usableFromInline
package struct ConvolutionForward {
  /// Input rows or patches.
  @usableFromInline package var source: RowSource
  /// Filter [depth, columns], packed by the same table's `packColumns`.
  @usableFromInline package var packed: Input
  /// Output channels.
  @usableFromInline package var columns: Int
  /// First output element, rows of `outStride` floats.
  @usableFromInline package var out: Output
  /// Floats from output row to output row.
  @usableFromInline package var outStride: Int
  /// Added to every row; nil without bias.
  @usableFromInline package var bias: Input?
  /// Gain Σ y and Σ y²; nil where no normalisation wants them.
  @usableFromInline package var sums: PartialSums?

  /// Describes a convolution.
  @_alwaysEmitIntoClient
  package init(
    source: RowSource,
    packed: Input,
    columns: Int,
    out: Output,
    outStride: Int,
    bias: Input?,
    sums: PartialSums? = nil
  ) {
    self.source = source
    self.packed = packed
    self.columns = columns
    self.out = out
    self.outStride = outStride
    self.bias = bias
    self.sums = sums
  }

  /// Floats of workspace for any table.
  @_alwaysEmitIntoClient
  package var workspaceFloats: Int {
    convolutionBlock * (source.depth + columns + 32)
  }
}

/// Computes the output rows `rows`.
@_alwaysEmitIntoClient @inline(always)
package func convolve<L: Lanes>(
  _: L.Type,
  _ p: ConvolutionForward,
  rows: Range<Int>,
  workspace: Output
) {
  let depth = p.source.depth
  let c = workspace + convolutionBlock * depth
  let cStride = L.padded(p.columns)
  var row = rows.lowerBound
  while row < rows.upperBound {
    let n = min(convolutionBlock, rows.upperBound - row)
    loadRows(L.self, p.source, rows: row..<row + n, into: workspace, outStride: depth)
    multiply(
      L.self,
      rows: n,
      depth: depth,
      columns: p.columns,
      a: workspace,
      aStride: depth,
      packed: p.packed,
      c: c,
      cStride: cStride
    )
    let out = p.out + row * p.outStride
    var j = 0
    while j < p.columns {
      let width = min(L.count, p.columns - j)
      let bias = if let b = p.bias { L.load(b + j, width) } else { L.Vector.zero }
      var sum = L.Vector.zero
      var square = L.Vector.zero
      for r in 0..<n {
        let value = L.load(c + r * cStride + j) + bias
        L.store(value, out + r * p.outStride + j, width)
        sum += value
        square = L.fma(value, value, square)
      }
      p.sums?.add(L.self, sum, square, at: j, width)
      j += L.count
    }
    row += n
  }
}

/// A dense convolution over matrix rows, backward: both gradients from one pass over the data.
@usableFromInline
package struct ConvolutionBackward {
  /// Input rows or patches, as forward.
  @usableFromInline package var source: RowSource
  /// Gradient of the raw output.
  @usableFromInline package var gradient: GradientSource
  /// Filter transposed [columns, depth], packed; nil when no input gradient is wanted.
  @usableFromInline package var packedTransposed: Input?
  /// Input gradient, rows of `source.stride` floats (pixels with patches); nil when unwanted.
  ///
  /// Plain rows: the derivative of the source's activation is applied, and the sums are taken.
  /// Patches: raw contributions are added to what is there.
  @usableFromInline package var out: Output?
  /// Plain rows: add to what stands in `out` instead of replacing it.
  @usableFromInline package var accumulate: Bool
  /// Gains the filter's gradient, [depth rounded up to tile rows, channels rounded up to vectors];
  /// nil when unwanted.
  @usableFromInline package var filterGradient: Output?
  /// Plain rows: gain Σ g and Σ g·x, g the input gradient and x the raw input; nil where no
  /// normalisation wants them.
  @usableFromInline package var sums: PartialSums?

  /// Describes a backward pass.
  @_alwaysEmitIntoClient
  package init(
    source: RowSource,
    gradient: GradientSource,
    packedTransposed: Input?,
    out: Output?,
    accumulate: Bool,
    filterGradient: Output? = nil,
    sums: PartialSums? = nil
  ) {
    self.source = source
    self.gradient = gradient
    self.packedTransposed = packedTransposed
    self.out = out
    self.accumulate = accumulate
    self.filterGradient = filterGradient
    self.sums = sums
  }

  /// Floats of workspace for any table.
  @_alwaysEmitIntoClient
  package var workspaceFloats: Int {
    convolutionBlock * (2 * (source.depth + 32) + gradient.channels + 32)
  }
}

/// Computes the gradients of `rows`.
@_alwaysEmitIntoClient @inline(always)
package func convolveBackward<L: Lanes>(
  _: L.Type,
  _ p: ConvolutionBackward,
  rows: Range<Int>,
  workspace: Output
) {
  let depth = p.source.depth
  let columns = p.gradient.channels
  let aStride = (depth + L.rows - 1) / L.rows * L.rows
  let dStride = L.padded(columns)
  let cStride = L.padded(depth)
  let a = workspace
  let d = a + convolutionBlock * aStride
  let c = d + convolutionBlock * dStride
  var row = rows.lowerBound
  while row < rows.upperBound {
    let n = min(convolutionBlock, rows.upperBound - row)
    loadGradientRows(L.self, p.gradient, rows: row..<row + n, into: d, outStride: dStride)
    if let filter = p.filterGradient {
      loadRows(L.self, p.source, rows: row..<row + n, into: a, outStride: aStride)
      multiplyTransposed(
        L.self,
        rows: n,
        k: depth,
        n: columns,
        a: a,
        aStride: aStride,
        d: d,
        dStride: dStride,
        c: filter,
        cStride: dStride
      )
    }
    if let out = p.out, let packed = p.packedTransposed {
      multiply(
        L.self,
        rows: n,
        depth: columns,
        columns: depth,
        a: d,
        aStride: dStride,
        packed: packed,
        c: c,
        cStride: cStride
      )
      if let patches = p.source.patches {
        scatterPatches(
          L.self,
          patches,
          channels: p.source.channels,
          first: row,
          count: n,
          from: c,
          fromStride: cStride,
          into: out,
          outStride: p.source.stride
        )
      } else {
        finishGradientRows(
          L.self,
          GradientFinish(
            source: p.source,
            gradient: c,
            gradientStride: cStride,
            out: out,
            accumulate: p.accumulate,
            sums: p.sums
          ),
          rows: row..<row + n
        )
      }
    }
    row += n
  }
}

/// Adds patch gradients to the pixels that they came from.
@_alwaysEmitIntoClient @inline(always)
package func scatterPatches<L: Lanes>(
  _: L.Type,
  _ patches: Patches,
  channels: Int,
  first: Int,
  count: Int,
  from: Input,
  fromStride: Int,
  into out: Output,
  outStride: Int
) {
  for r in 0..<count {
    var g = from + r * fromStride
    for ky in 0..<patches.kernel {
      for kx in 0..<patches.kernel {
        if let pixel = patches.pixel(row: first + r, ky: ky, kx: kx) {
          let to = out + pixel * outStride
          var c = 0
          while c < channels {
            let width = min(L.count, channels - c)
            L.store(L.load(to + c, width) + L.load(g + c, width), to + c, width)
            c += L.count
          }
        }
        g += channels
      }
    }
  }
}
