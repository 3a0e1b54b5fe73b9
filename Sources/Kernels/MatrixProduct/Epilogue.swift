/// What becomes of the sums of a tile of the micro-kernel.
@usableFromInline
package protocol Epilogue {
  /// The lanes of the tile.
  associatedtype L: Lanes
  /// Takes vector `vector` of row `row`; vector by vector of a tile, and row by row in each.
  mutating func finish(_ sums: L.Vector, row: Int, vector: Int)
}

/// Stores a tile, with a ReLU if `rectify`.
@usableFromInline
package struct StoreEpilogue<L: Lanes>: Epilogue {
  /// First element of the tile.
  @usableFromInline let c: Output
  /// Floats from row to row.
  @usableFromInline let cStride: Int
  /// Whether negative sums become 0.
  @usableFromInline let rectify: Bool

  /// Describes where to.
  @_alwaysEmitIntoClient @inline(always)
  package init(_: L.Type, c: Output, cStride: Int, rectify: Bool = false) {
    self.c = c
    self.cStride = cStride
    self.rectify = rectify
  }

  /// See `Epilogue`.
  @_alwaysEmitIntoClient @inline(always)
  package mutating func finish(_ sums: L.Vector, row: Int, vector: Int) {
    L.store(rectify ? L.relu(sums) : sums, c + row * cStride + vector * L.count)
  }
}
