/// What a block's values become before a product.
@usableFromInline
package protocol Prologue {
  /// The lanes.
  associatedtype L: Lanes
  /// The vector of row `row` of slice `slice`, from channel `channel` on.
  func load(slice: Int, row: Int, channel: Int) -> L.Vector
}

/// Blocks as they stand, `stride` floats apart.
@usableFromInline
package struct PlainBlocks<L: Lanes>: Prologue {
  /// Element 0 of the first.
  @usableFromInline let a: Input
  /// Floats from block to block.
  @usableFromInline let stride: Int

  /// Describes where they stand.
  @_alwaysEmitIntoClient @inline(always)
  package init(_: L.Type, a: Input, stride: Int) {
    self.a = a
    self.stride = stride
  }

  /// See `Prologue`.
  @_alwaysEmitIntoClient @inline(always)
  package func load(slice: Int, row: Int, channel: Int) -> L.Vector {
    L.load(a + slice * stride + row * blockWidth + channel)
  }
}

/// C[rows, columns] (+)= A[rows, 16 · slices] · B over what is not zero in A, four slices at a
/// time.
///
/// Rows of B and of C are `cStride` floats apart. `values` has room for 128 floats.
@_alwaysEmitIntoClient @inline(always)
package func multiplyMasked<L, P: Prologue>(
  _: L.Type,
  rows: Int,
  columns: Int,
  slices: Int,
  prologue: P,
  b: Input,
  c: Output,
  cStride: Int,
  accumulate: Bool,
  values: Output
) where P.L == L {
  let together = maskedTerms / blockWidth
  let pairs = takesPairs(L.self, columns: columns)
  var first = 0
  while first < slices {
    let last = min(slices, first + together)
    var p = MaskedRows(
      mask: 0,
      a: Input(values),
      aStride: 1,
      aNext: maskedTerms,
      b: b + first * blockWidth * cStride,
      bStride: cStride,
      c: c,
      cNext: cStride,
      accumulate: accumulate || first > 0
    )
    var row = 0
    while row < rows {
      p.c = c + row * cStride
      p.mask = maskedValues(L.self, prologue, first..<last, row: row, values)
      if pairs {
        // A last row without another is its own, and done twice.
        let other = min(row + 1, rows - 1)
        p.cNext = (other - row) * cStride
        p.mask |= maskedValues(L.self, prologue, first..<last, row: other, values + maskedTerms)
        maskedPair(L.self, columns: columns, p)
        row += 2
      } else {
        maskedRow(L.self, columns: columns, p)
        row += 1
      }
    }
    first = last
  }
}

/// Copies a row of some slices to `values`; the mask of what is not zero.
@_alwaysEmitIntoClient @inline(always)
package func maskedValues<L, P: Prologue>(
  _: L.Type,
  _ prologue: P,
  _ slices: Range<Int>,
  row: Int,
  _ values: Output
) -> UInt64 where P.L == L {
  var mask: UInt64 = 0
  var to = 0
  for slice in slices {
    var channel = 0
    while channel < blockWidth {
      let x = prologue.load(slice: slice, row: row, channel: channel)
      L.store(x, values + to)
      mask |= L.nonzeros(x) << UInt64(truncatingIfNeeded: to)
      to += L.count
      channel += L.count
    }
  }
  return mask
}

/// C[16, columns] (+)= Aᵀ · D over what is not zero in the block A[rows, 16].
///
/// Rows of D are `dStride` floats apart. `workspace` has room for 32 floats.
@_alwaysEmitIntoClient @inline(always)
package func multiplyMaskedTransposed<L: Lanes>(
  _: L.Type,
  rows: Int,
  columns: Int,
  a: Input,
  d: Input,
  dStride: Int,
  c: Output,
  cStride: Int,
  accumulate: Bool,
  workspace: Output
) {
  let pairs = takesPairs(L.self, columns: columns)
  let masks = UnsafeMutableRawPointer(workspace).assumingMemoryBound(to: UInt64.self)
  var first = 0
  while first < rows {
    let n = min(maskedTerms, rows - first)
    let from = a + first * blockWidth
    var k = 0
    while k < blockWidth {
      L.markColumns(from + k, rows: n, stride: blockWidth, masks + k)
      k += L.count
    }
    var p = MaskedRows(
      mask: 0,
      a: from,
      aStride: blockWidth,
      aNext: 1,
      b: d + first * dStride,
      bStride: dStride,
      c: c,
      cNext: cStride,
      accumulate: accumulate || first > 0
    )
    k = 0
    while k < blockWidth {
      p.a = from + k
      p.c = c + k * cStride
      if pairs {
        p.mask = masks[k] | masks[k + 1]
        maskedPair(L.self, columns: columns, p)
        k += 2
      } else {
        p.mask = masks[k]
        maskedRow(L.self, columns: columns, p)
        k += 1
      }
    }
    first += n
  }
}
