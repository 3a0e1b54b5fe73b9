/// What batch-norm's statistics take back from the gradient of a convolution's input, all branches
/// at once: y −= x·B + offset.
@usableFromInline
package struct SubtractProduct {
  /// The input.
  @usableFromInline package var x: RowSource
  /// B[C, C], packed by `packColumns`.
  @usableFromInline package var packed: Input
  /// [C].
  @usableFromInline package var offset: Input
  /// The gradient, rows of C floats.
  @usableFromInline package var y: Output

  /// Describes the work.
  @_alwaysEmitIntoClient
  package init(x: RowSource, packed: Input, offset: Input, y: Output) {
    self.x = x
    self.packed = packed
    self.offset = offset
    self.y = y
  }
}

/// The same over `rows`.
@_alwaysEmitIntoClient @inline(always)
package func subtractProduct<L: Lanes>(
  _: L.Type,
  _ p: SubtractProduct,
  rows: Range<Int>,
  workspace: Output
) {
  let channels = p.x.channels
  let c = workspace + convolutionBlock * channels
  let stride = wholeBlocks(channels)
  var row = rows.lowerBound
  while row < rows.upperBound {
    let n = min(convolutionBlock, rows.upperBound - row)
    loadRows(L.self, p.x, rows: row..<row + n, into: workspace, outStride: channels)
    multiply(
      L.self,
      rows: n,
      depth: channels,
      columns: channels,
      a: workspace,
      aStride: channels,
      packed: p.packed,
      c: c,
      cStride: stride
    )
    var j = 0
    while j < channels {
      let width = min(L.count, channels - j)
      let shift = L.load(p.offset + j, width)
      for r in 0..<n {
        let at = p.y + (row + r) * channels + j
        L.store(L.load(at, width) - (L.load(c + r * stride + j) + shift), at, width)
      }
      j += L.count
    }
    row += n
  }
}
