/// Where a kernel adds two sums of every channel: Σ y and Σ y² forward, Σ g and Σ g·y backward.
@usableFromInline
package struct PartialSums {
  /// Σ y or Σ g, [C].
  @usableFromInline package var sums: Output
  /// Σ y² or Σ g·y, [C].
  @usableFromInline package var products: Output

  /// Names the two places.
  @_alwaysEmitIntoClient @inline(always)
  package init(sums: Output, products: Output) {
    self.sums = sums
    self.products = products
  }

  /// The same from channel `c` on.
  @_alwaysEmitIntoClient @inline(always)
  package func dropFirst(_ c: Int) -> PartialSums {
    PartialSums(sums: sums + c, products: products + c)
  }

  /// Adds the sums of `n` channels, up to a whole vector, from channel `c` on.
  @_alwaysEmitIntoClient @inline(always)
  package func add<L: Lanes>(
    _: L.Type,
    _ sum: L.Vector,
    _ product: L.Vector,
    at c: Int,
    _ n: Int
  ) {
    L.store(L.load(sums + c, n) + sum, sums + c, n)
    L.store(L.load(products + c, n) + product, products + c, n)
  }
}
