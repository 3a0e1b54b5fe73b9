import Tensor

/// The training images parted by what they are for (spec S9).
///
/// The three parts are disjoint and together hold every image; each class gives its share to each, so
/// that no part lacks a class by chance.
package struct Split: Sendable, Equatable {
  /// Images that train the weights, rising indices; at least one of every class.
  package let weights: [Int32]
  /// Images that train the architecture parameters, rising indices.
  package let theta: [Int32]
  /// Images that only judge, rising indices.
  package let validation: [Int32]

  /// Draws `thetaShare` and `validationShare` (0…1, of all images of a class, rounded) from the images
  /// with these `labels`; the same for the same seed.
  package init(labels: [Int32], thetaShare: Double, validationShare: Double, seed: UInt64) {
    var members: [Int32: [Int32]] = [:]
    for (index, label) in labels.enumerated() { members[label, default: []].append(Int32(index)) }
    var parts: (weights: [Int32], theta: [Int32], validation: [Int32]) = ([], [], [])
    for (label, images) in members {
      var random = Philox(seed: seed, purpose: .split, index: UInt32(bitPattern: label))
      let order = random.permutation(images.count).map { images[Int($0)] }
      func share(_ share: Double, atMost rest: Int) -> Int {
        max(0, min(rest, Int((Double(images.count) * share).rounded())))
      }
      let judging = share(validationShare, atMost: images.count - 1)
      let deciding = share(thetaShare, atMost: images.count - 1 - judging)
      parts.validation += order[..<judging]
      parts.theta += order[judging..<judging + deciding]
      parts.weights += order[(judging + deciding)...]
    }
    weights = parts.weights.sorted()
    theta = parts.theta.sorted()
    validation = parts.validation.sorted()
  }
}
