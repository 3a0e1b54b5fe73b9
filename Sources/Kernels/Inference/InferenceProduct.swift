/// A matrix product of the inference path, C = activation(A · B + bias (+ shortcut)), over lines of
/// pixels.
///
/// A's row is a pixel: `slices` runs of `depth` floats (the last may be shorter), `sliceJump`
/// floats from the end of one run to the start of the next. That one form covers rows of channels
/// (one slice), planes of 16 channels (a slice a plane) and the patches of a k×k convolution (a
/// slice a row of the patch, over a padded image).
@usableFromInline
package struct InferenceProduct {
  /// B, [full depth, columns], packed by `packColumns`.
  @usableFromInline package var packed: Input
  /// [columns], padded to whole vectors.
  @usableFromInline package var bias: Input
  /// Floats of a slice.
  @usableFromInline package var depth: Int
  /// Floats of the last slice, at most `depth`.
  @usableFromInline package var lastDepth: Int
  /// Slices of a row of A.
  @usableFromInline package var slices: Int
  /// Floats between two slices.
  @usableFromInline package var sliceJump = 0
  /// What follows the sum.
  @usableFromInline package var activation: Activation
  /// Columns of B, whole vectors.
  @usableFromInline package var columns: Int
  /// Pixels of a line.
  @usableFromInline package var pixels = 0
  /// Lines.
  @usableFromInline package var lines = 1
  /// Floats from one pixel of A to the next.
  @usableFromInline package var aStride = 0
  /// Floats from one line of A to the next.
  @usableFromInline package var aLine = 0
  /// Floats from one pixel of C, and of the shortcut, to the next.
  @usableFromInline package var cStride = 0
  /// Floats from one line of C to the next.
  @usableFromInline package var cLine = 0
  /// Floats from one 16 columns of C to the next 16: 16, or a plane.
  @usableFromInline package var cPlane = 16

  /// Describes the constant part of a product.
  @_alwaysEmitIntoClient
  package init(
    packed: Input,
    bias: Input,
    depth: Int,
    lastDepth: Int,
    slices: Int,
    columns: Int,
    activation: Activation
  ) {
    self.packed = packed
    self.bias = bias
    self.depth = depth
    self.lastDepth = lastDepth
    self.slices = slices
    self.columns = columns
    self.activation = activation
  }

  /// Rows of B.
  @_alwaysEmitIntoClient @inline(always)
  package var fullDepth: Int { (slices - 1) * depth + lastDepth }

  /// Where column `j` of C stands in a pixel.
  @_alwaysEmitIntoClient @inline(always)
  package func place(_ j: Int) -> Int { j / 16 * cPlane + j % 16 }
}

/// Where a product of the inference path reads and writes.
@usableFromInline
package struct InferenceOperands {
  /// The first pixel of A.
  @usableFromInline package var a: Input
  /// Column 0 of the first pixel of C.
  @usableFromInline package var c: Output
  /// Added to C and laid out like it; nil without one.
  @usableFromInline package var shortcut: Input?

  /// Names the operands.
  @_alwaysEmitIntoClient @inline(always)
  package init(a: Input, c: Output, shortcut: Input? = nil) {
    self.a = a
    self.c = c
    self.shortcut = shortcut
  }

  /// The same `a` floats of A and `c` floats of C on.
  @_alwaysEmitIntoClient @inline(always)
  package func advanced(a: Int, c: Int) -> InferenceOperands {
    InferenceOperands(a: self.a + a, c: self.c + c, shortcut: shortcut.map { $0 + c })
  }
}

/// Columns `columns` of a product, from a multiple of two vectors on.
///
/// Each value of C is summed in one order, whatever the tiles, so any split of the work gives the
/// same bits.
@_alwaysEmitIntoClient @inline(always)
package func inferenceProduct<L: Lanes>(
  _: L.Type,
  _ p: InferenceProduct,
  _ operands: InferenceOperands,
  columns: Range<Int>
) {
  // Tiles of equal height: 49 pixels are seven tiles of seven rows and not six of eight and one.
  let tiles = (p.pixels + L.rows - 1) / L.rows
  let height = p.pixels / tiles
  let taller = p.pixels % tiles
  var j = columns.lowerBound
  while j < columns.upperBound {
    let two = p.columns - j > L.count
    for line in 0..<p.lines {
      var at = operands.advanced(a: line * p.aLine, c: line * p.cLine + p.place(j))
      for t in 0..<tiles {
        let rows = t < taller ? height + 1 : height
        // Tiles bring every second vector of the next columns closer in turn, so that few pixels
        // need not wait for weights.
        let ahead = 2 * L.count * p.fullDepth + (line + t) % 2 * L.count
        if two {
          switch rows {
          case 1: inferenceTile(L.self, rows: 1, two: true, p, at, column: j, ahead)
          case 2: inferenceTile(L.self, rows: 2, two: true, p, at, column: j, ahead)
          case 3: inferenceTile(L.self, rows: 3, two: true, p, at, column: j, ahead)
          case 4: inferenceTile(L.self, rows: 4, two: true, p, at, column: j, ahead)
          case 5: inferenceTile(L.self, rows: 5, two: true, p, at, column: j, ahead)
          case 6: inferenceTile(L.self, rows: 6, two: true, p, at, column: j, ahead)
          case 7:
            if L.rows > 6 { inferenceTile(L.self, rows: 7, two: true, p, at, column: j, ahead) }
          default:
            if L.rows > 6 { inferenceTile(L.self, rows: 8, two: true, p, at, column: j, ahead) }
          }
        } else {
          switch rows {
          case 1: inferenceTile(L.self, rows: 1, two: false, p, at, column: j, ahead)
          case 2: inferenceTile(L.self, rows: 2, two: false, p, at, column: j, ahead)
          case 3: inferenceTile(L.self, rows: 3, two: false, p, at, column: j, ahead)
          case 4: inferenceTile(L.self, rows: 4, two: false, p, at, column: j, ahead)
          case 5: inferenceTile(L.self, rows: 5, two: false, p, at, column: j, ahead)
          case 6: inferenceTile(L.self, rows: 6, two: false, p, at, column: j, ahead)
          case 7:
            if L.rows > 6 { inferenceTile(L.self, rows: 7, two: false, p, at, column: j, ahead) }
          default:
            if L.rows > 6 { inferenceTile(L.self, rows: 8, two: false, p, at, column: j, ahead) }
          }
        }
        at = at.advanced(a: rows * p.aStride, c: rows * p.cStride)
      }
    }
    j += 2 * L.count
  }
}

/// A tile of `rows` pixels and one or two vectors of columns from column `j`, at `operands`, on;
/// `rows` and `two` are constants.
///
/// Weights that are `ahead` floats away are prefetched. Register budget: 2 · rows accumulators, two
/// vectors of B, one broadcast.
@_alwaysEmitIntoClient @inline(always)
package func inferenceTile<L: Lanes>(
  _: L.Type,
  rows: Int,
  two: Bool,
  _ p: InferenceProduct,
  _ operands: InferenceOperands,
  column j: Int,
  _ ahead: Int
) {
  typealias V = L.Vector
  let bias0 = L.load(p.bias + j)
  let bias1 = two ? L.load(p.bias + j + L.count) : V.zero
  var c00 = bias0, c10 = bias0, c20 = bias0, c30 = bias0
  var c40 = bias0, c50 = bias0, c60 = bias0, c70 = bias0
  var c01 = bias1, c11 = bias1, c21 = bias1, c31 = bias1
  var c41 = bias1, c51 = bias1, c61 = bias1, c71 = bias1
  let stride = p.cStride
  // The second vector stands in the same 16 columns or begins the next.
  let second = p.place(j + L.count) - p.place(j)
  if let s = operands.shortcut {
    raise(L.self, two, s, second, &c00, &c01)
    if rows > 1 { raise(L.self, two, s + stride, second, &c10, &c11) }
    if rows > 2 { raise(L.self, two, s + 2 * stride, second, &c20, &c21) }
    if rows > 3 { raise(L.self, two, s + 3 * stride, second, &c30, &c31) }
    if rows > 4 { raise(L.self, two, s + 4 * stride, second, &c40, &c41) }
    if rows > 5 { raise(L.self, two, s + 5 * stride, second, &c50, &c51) }
    if rows > 6 { raise(L.self, two, s + 6 * stride, second, &c60, &c61) }
    if rows > 7 { raise(L.self, two, s + 7 * stride, second, &c70, &c71) }
  }
  var a = operands.a
  var b = p.packed + j * p.fullDepth
  let step = p.aStride
  for slice in 0..<p.slices {
    let depth = slice == p.slices - 1 ? p.lastDepth : p.depth
    for _ in 0..<depth {
      // A single row reads in order, which the hardware sees coming.
      if two && rows > 1 { prefetch(b + ahead) }
      let b0 = L.load(b)
      let b1 = two ? L.load(b + L.count) : V.zero
      extend(L.self, two, a[0], b0, b1, &c00, &c01)
      if rows > 1 { extend(L.self, two, a[step], b0, b1, &c10, &c11) }
      if rows > 2 { extend(L.self, two, a[2 * step], b0, b1, &c20, &c21) }
      if rows > 3 { extend(L.self, two, a[3 * step], b0, b1, &c30, &c31) }
      if rows > 4 { extend(L.self, two, a[4 * step], b0, b1, &c40, &c41) }
      if rows > 5 { extend(L.self, two, a[5 * step], b0, b1, &c50, &c51) }
      if rows > 6 { extend(L.self, two, a[6 * step], b0, b1, &c60, &c61) }
      if rows > 7 { extend(L.self, two, a[7 * step], b0, b1, &c70, &c71) }
      a += 1
      b += two ? 2 * L.count : L.count
    }
    a += p.sliceJump
  }
  let c = operands.c
  let f = p.activation
  finish(L.self, two, f, c00, c01, c, second)
  if rows > 1 { finish(L.self, two, f, c10, c11, c + stride, second) }
  if rows > 2 { finish(L.self, two, f, c20, c21, c + 2 * stride, second) }
  if rows > 3 { finish(L.self, two, f, c30, c31, c + 3 * stride, second) }
  if rows > 4 { finish(L.self, two, f, c40, c41, c + 4 * stride, second) }
  if rows > 5 { finish(L.self, two, f, c50, c51, c + 5 * stride, second) }
  if rows > 6 { finish(L.self, two, f, c60, c61, c + 6 * stride, second) }
  if rows > 7 { finish(L.self, two, f, c70, c71, c + 7 * stride, second) }
}

/// Adds the shortcut to a row of a tile.
@_alwaysEmitIntoClient @inline(always)
package func raise<L: Lanes>(
  _: L.Type,
  _ two: Bool,
  _ shortcut: Input,
  _ second: Int,
  _ c0: inout L.Vector,
  _ c1: inout L.Vector
) {
  c0 += L.load(shortcut)
  if two { c1 += L.load(shortcut + second) }
}

/// Adds one step of the depth to a row of a tile.
@_alwaysEmitIntoClient @inline(always)
package func extend<L: Lanes>(
  _: L.Type,
  _ two: Bool,
  _ x: Float,
  _ b0: L.Vector,
  _ b1: L.Vector,
  _ c0: inout L.Vector,
  _ c1: inout L.Vector
) {
  let x = L.Vector(repeating: x)
  c0 = L.fma(x, b0, c0)
  if two { c1 = L.fma(x, b1, c1) }
}

/// Writes a row of a tile through the activation.
@_alwaysEmitIntoClient @inline(always)
package func finish<L: Lanes>(
  _: L.Type,
  _ two: Bool,
  _ activation: Activation,
  _ c0: L.Vector,
  _ c1: L.Vector,
  _ c: Output,
  _ second: Int
) {
  L.store(L.activate(c0, activation), c)
  if two { L.store(L.activate(c1, activation), c + second) }
}
