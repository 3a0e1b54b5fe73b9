/// A matrix B[depth, columns] to be packed for `multiply`.
@usableFromInline
package struct ColumnPacking {
  /// Rows of B.
  @usableFromInline package var depth: Int
  /// Columns of B.
  @usableFromInline package var columns: Int
  /// Element (k, j) of B stands at `b[k · depthStride + j · columnStride]`.
  @usableFromInline package var b: Input
  /// See `b`.
  @usableFromInline package var depthStride: Int
  /// See `b`.
  @usableFromInline package var columnStride: Int
  /// Where it goes, `L.padded(columns) · depth` floats.
  @usableFromInline package var packed: Output

  /// Describes the work.
  @_alwaysEmitIntoClient
  package init(
    depth: Int,
    columns: Int,
    b: Input,
    depthStride: Int,
    columnStride: Int,
    packed: Output
  ) {
    self.depth = depth
    self.columns = columns
    self.b = b
    self.depthStride = depthStride
    self.columnStride = columnStride
    self.packed = packed
  }
}

/// Packs B into panels of `panelWidth` columns, zero beyond the columns.
@_alwaysEmitIntoClient @inline(always)
package func packColumns<L: Lanes>(_: L.Type, _ p: ColumnPacking) {
  let (depth, columns) = (p.depth, p.columns)
  var j = 0
  while j < columns {
    let width = panelWidth(L.self, columns - j)
    let valid = min(width, columns - j)
    let panel = p.packed + j * depth
    let from = p.b + j * p.columnStride
    if p.columnStride == 1 && valid == width {
      for k in 0..<depth {
        var i = 0
        while i < width {
          L.Half.store(L.Half.load(from + k * p.depthStride + i), panel + k * width + i)
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
            let column = from + i * p.columnStride
            for k in first..<last { panel[k * width + i] = column[k * p.depthStride] }
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
@_alwaysEmitIntoClient @inline(always)
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
@_alwaysEmitIntoClient @inline(always)
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

/// A block to be packed as one of the slices of a B for `multiply`.
@usableFromInline
package struct SlicePacking {
  /// Columns of B.
  @usableFromInline package var columns: Int
  /// The block, [columns, 16].
  @usableFromInline package var block: Input
  /// Which slice it becomes.
  @usableFromInline package var slice: Int
  /// Slices of B.
  @usableFromInline package var slices: Int
  /// Whether B is packed in whole rows of `wholeBlocks(columns)`.
  @usableFromInline package var inRows: Bool
  /// B, packed.
  @usableFromInline package var packed: Output

  /// Describes the work.
  @_alwaysEmitIntoClient
  package init(
    columns: Int,
    block: Input,
    slice: Int,
    slices: Int,
    inRows: Bool,
    packed: Output
  ) {
    self.columns = columns
    self.block = block
    self.slice = slice
    self.slices = slices
    self.inRows = inRows
    self.packed = packed
  }
}

/// Packs a block, transposed to 16 rows of `columns`, as a slice of B.
@_alwaysEmitIntoClient @inline(always)
package func packSlice<L: Lanes>(_: L.Type, _ p: SlicePacking) {
  var j = 0
  while j < p.columns {
    let width = p.inRows ? wholeBlocks(p.columns) : panelWidth(L.self, p.columns - j)
    unpackBlock(
      L.self,
      columns: min(width, p.columns - j),
      width: width,
      block: p.block + j * blockWidth,
      into: p.packed + (j * p.slices + p.slice * width) * blockWidth,
      stride: width
    )
    j += width
  }
}
