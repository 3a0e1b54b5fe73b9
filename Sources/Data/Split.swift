import Tensor

/// The training images parted by what they are for (spec S9).
///
/// The three parts are disjoint and together hold every image; each class gives its share to each, so
/// that no part lacks a class by chance. Where classes are too small to give whole images, some of them give
/// one for all, so that a part is as large as was asked for and none is empty for that.
package struct Split: Sendable, Equatable {
  /// Images that train the weights, rising indices; at least one of every class.
  package let weights: [Int32]
  /// Images that train the architecture parameters, rising indices.
  package let theta: [Int32]
  /// Images that only judge, rising indices.
  package let validation: [Int32]

  /// Draws `thetaShare` and `validationShare` (0…1, of all images, rounded; at least one image of a share
  /// above 0) from the images with these `labels`; the same for the same seed.
  package init(labels: [Int32], thetaShare: Double, validationShare: Double, seed: UInt64) {
    var members: [Int32: [Int32]] = [:]
    for (index, label) in labels.enumerated() { members[label, default: []].append(Int32(index)) }
    let classes = members.keys.sorted().map { label in
      let images = members[label] ?? []
      var random = Philox(seed: seed, purpose: .split, index: UInt32(bitPattern: label))
      return random.permutation(images.count).map { images[Int($0)] }
    }
    let sizes = classes.map(\.count)
    var random = Philox(seed: seed, purpose: .split, step: 1)
    let order = random.permutation(classes.count).map { Int($0) }
    let spare = sizes.map { $0 - 1 }
    let judging = Split.counts(
      validationShare,
      of: sizes,
      atMost: spare,
      // What trains θ gets an image as well.
      leaving: thetaShare > 0 && spare.reduce(0, +) > 1 ? 1 : 0,
      order: order
    )
    let deciding = Split.counts(
      thetaShare,
      of: sizes,
      atMost: zip(spare, judging).map { $0 - $1 },
      leaving: 0,
      // Backwards, so that it is others that give one more.
      order: order.reversed()
    )
    var parts: (weights: [Int32], theta: [Int32], validation: [Int32]) = ([], [], [])
    for (images, (judging, deciding)) in zip(classes, zip(judging, deciding)) {
      parts.validation += images[..<judging]
      parts.theta += images[judging..<judging + deciding]
      parts.weights += images[(judging + deciding)...]
    }
    weights = parts.weights.sorted()
    theta = parts.theta.sorted()
    validation = parts.validation.sorted()
  }

  /// How many images each class gives: its share rounded down, and one more where most is cut off by that,
  /// until they are `share` of all.
  ///
  /// - Parameters:
  ///   - share: 0…1.
  ///   - sizes: images of each class.
  ///   - most: that a class can give.
  ///   - leaving: images that all classes together do not give.
  ///   - order: of the classes, which decides among equals.
  /// - Returns: images of each class.
  private static func counts(
    _ share: Double,
    of sizes: [Int],
    atMost most: [Int],
    leaving: Int,
    order: [Int]
  ) -> [Int] {
    guard share > 0 else { return sizes.map { _ in 0 } }
    let wanted = max(1, Int((Double(sizes.reduce(0, +)) * share).rounded()))
    var left = min(wanted, most.reduce(0, +) - leaving)
    let quotas = sizes.map { Double($0) * share }
    let rest = quotas.map { $0 - $0.rounded(.down) }
    let ranked = order.enumerated().sorted { (-rest[$0.1], $0.0) < (-rest[$1.1], $1.0) }.map(\.1)
    var counts = sizes.map { _ in 0 }
    for index in ranked {
      counts[index] = min(Int(quotas[index]), most[index], left)
      left -= counts[index]
    }
    // Again where classes had no more to give.
    while left > 0 {
      for index in ranked where left > 0 && counts[index] < most[index] {
        counts[index] += 1
        left -= 1
      }
    }
    return counts
  }
}
