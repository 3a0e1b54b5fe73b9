/// Packs B[depth, columns] into panels of `panelWidth` columns, zero beyond the columns.
///
/// Element (k, j) of B stands at `b[k · depthStride + j · columnStride]`. The packed size is
/// `L.padded(columns) · depth`.
@inlinable @inline(always)
package func packColumns<L: Lanes>(
  _: L.Type,
  depth: Int,
  columns: Int,
  b: Input,
  depthStride: Int,
  columnStride: Int,
  into p: Output
) {
  var j = 0
  while j < columns {
    let width = panelWidth(L.self, columns - j)
    let valid = min(width, columns - j)
    let panel = p + j * depth
    let from = b + j * columnStride
    if columnStride == 1 && valid == width {
      for k in 0..<depth {
        var i = 0
        while i < width {
          L.Half.store(L.Half.load(from + k * depthStride + i), panel + k * width + i)
          i += L.Half.count
        }
      }
    } else {
      // Down the columns, a stretch at a time, so that a transposed B is read as it lies.
      var first = 0
      while first < depth {
        let last = min(depth, first + 64)
        for i in 0..<width {
          if i < valid {
            let column = from + i * columnStride
            for k in first..<last { panel[k * width + i] = column[k * depthStride] }
          } else {
            for k in first..<last { panel[k * width + i] = 0 }
          }
        }
        first = last
      }
    }
    j += width
  }
}

/// Turns rows [16, columns], `stride` floats apart, into a block [columns, 16].
@inlinable @inline(always)
package func packBlock<L: Lanes>(
  _: L.Type,
  columns: Int,
  rows: Input,
  stride: Int,
  into block: Output
) {
  var i = 0
  while i + blockWidth <= columns {
    L.transposeBlock(rows + i, stride: stride, block + i * blockWidth, toStride: blockWidth)
    i += blockWidth
  }
  for i in i..<columns {
    for k in 0..<blockWidth { block[i * blockWidth + k] = rows[k * stride + i] }
  }
}

/// Turns a block [columns, 16] into rows [16, width], `stride` floats apart, with zeros beyond
/// `columns`.
@inlinable @inline(always)
package func unpackBlock<L: Lanes>(
  _: L.Type,
  columns: Int,
  width: Int,
  block: Input,
  into rows: Output,
  stride: Int
) {
  var i = 0
  while i + blockWidth <= columns {
    L.transposeBlock(block + i * blockWidth, stride: blockWidth, rows + i, toStride: stride)
    i += blockWidth
  }
  for k in 0..<blockWidth {
    for i in i..<width { rows[k * stride + i] = i < columns ? block[i * blockWidth + k] : 0 }
  }
}

/// Packs a block, [columns, 16], transposed as slice `slice` of the `slices` of a B for `multiply`,
/// each 16 rows of `columns`; in whole rows of `wholeBlocks(columns)` if `inRows`.
@inlinable @inline(always)
package func packSlice<L: Lanes>(
  _: L.Type,
  columns: Int,
  block: Input,
  slice: Int,
  slices: Int,
  inRows: Bool,
  into p: Output
) {
  var j = 0
  while j < columns {
    let width = inRows ? wholeBlocks(columns) : panelWidth(L.self, columns - j)
    unpackBlock(
      L.self,
      columns: min(width, columns - j),
      width: width,
      block: block + j * blockWidth,
      into: p + (j * slices + slice * width) * blockWidth,
      stride: width
    )
    j += width
  }
}
