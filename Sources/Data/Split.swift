import Tensor

/// The training images parted for the two phases of a search (spec S9).
package struct Split: Sendable, Equatable {
  /// Images that train the weights, rising indices.
  package let weights: [Int32]
  /// Images that train the architecture parameters, rising indices; disjoint from `weights`.
  package let theta: [Int32]

  /// Draws `thetaShare` (0…1) of `count` images for θ; the same for the same seed.
  ///
  /// A share strictly between 0 and 1 leaves at least one image on both sides.
  package init(count: Int, thetaShare: Double, seed: UInt64) {
    var random = Philox(seed: seed, purpose: .split)
    let order = random.permutation(count)
    var forTheta = max(0, min(count, Int((Double(count) * thetaShare).rounded())))
    if thetaShare > 0, thetaShare < 1, count > 1 { forTheta = max(1, min(count - 1, forTheta)) }
    theta = order[..<forTheta].sorted()
    weights = order[forTheta...].sorted()
  }
}
