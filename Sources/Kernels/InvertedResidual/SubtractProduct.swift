/// y −= x·B + offset over rows `first..<last` of `channels` floats, B packed by `packColumns`.
///
/// What batch-norm's statistics take back from the gradient of a convolution's input, all branches
/// at once.
@inlinable @inline(always)
package func subtractProduct<L: Lanes>(
  _: L.Type,
  _ x: RowSource,
  packed: Input,
  offset: Input,
  first: Int,
  last: Int,
  from y: Output,
  workspace: Output
) {
  let channels = x.channels
  let c = workspace + convolutionBlock * channels
  let stride = wholeBlocks(channels)
  var row = first
  while row < last {
    let n = min(convolutionBlock, last - row)
    loadRows(L.self, x, first: row, count: n, into: workspace, outStride: channels)
    multiply(
      L.self,
      rows: n,
      depth: channels,
      columns: channels,
      a: workspace,
      aStride: channels,
      packed: packed,
      c: c,
      cStride: stride
    )
    var j = 0
    while j < channels {
      let width = min(L.count, channels - j)
      let shift = L.load(offset + j, width)
      for r in 0..<n {
        let at = y + (row + r) * channels + j
        L.store(L.load(at, width) - (L.load(c + r * stride + j) + shift), at, width)
      }
      j += L.count
    }
    row += n
  }
}
