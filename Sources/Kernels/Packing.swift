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

/// Packs a block, [columns, 16], transposed as slice `slice` of the `slices` of a B for `multiply`, each 16
/// rows of `columns`.
@inlinable @inline(always)
package func packSlice<L: Lanes>(
  _: L.Type,
  columns: Int,
  block: Input,
  slice: Int,
  slices: Int,
  into p: Output
) {
  var j = 0
  while j < columns {
    let width = panelWidth(L.self, columns - j)
    let valid = min(width, columns - j)
    let panel = p + (j * slices + slice * width) * blockWidth
    for i in 0..<valid {
      let from = block + (j + i) * blockWidth
      for k in 0..<blockWidth { panel[k * width + i] = from[k] }
    }
    for i in valid..<width {
      for k in 0..<blockWidth { panel[k * width + i] = 0 }
    }
    j += width
  }
}
