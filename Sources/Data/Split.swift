import Tensor

/// The training images parted by what they are for (spec S9).
///
/// The three parts are disjoint and together hold every image; each class gives its share to each
/// as far as whole images go, so that no part lacks a class by chance.
package struct Split: Sendable, Equatable {
  /// Images that train the weights, rising indices; at least one of every class.
  package let weights: [Int32]
  /// Images that train the architecture parameters, rising indices.
  package let theta: [Int32]
  /// Images that only evaluate, rising indices.
  package let validation: [Int32]

  /// Samples `thetaShare` and `validationShare` (0…1, of all images, rounded; at least one image
  /// where the share is above 0) from the images with these `labels`; the same for the same seed.
  ///
  /// Where the weights leave too few, validation gives way down to one image, then θ has none.
  /// Where `given` is there, these are the images of validation, and their share says nothing.
  package init(
    labels: [Int32],
    thetaShare: Double,
    validationShare: Double,
    given: Range<Int>? = nil,
    seed: UInt64
  ) {
    if let given {
      let rest = Split(
        labels: Array(labels[..<given.lowerBound]),
        thetaShare: thetaShare,
        validationShare: 0,
        seed: seed
      )
      weights = rest.weights
      theta = rest.theta
      validation = given.map { Int32($0) }
      return
    }
    var members: [Int32: [Int32]] = [:]
    for (index, label) in labels.enumerated() { members[label, default: []].append(Int32(index)) }
    let classes = members.sorted { $0.key < $1.key }.map { label, images in
      var random = Philox(seed: seed, purpose: .split, index: UInt32(bitPattern: label))
      return random.permutation(images.count).map { images[Int($0)] }
    }
    func wanted(_ share: Double) -> Int {
      share > 0 ? max(1, Int((Double(labels.count) * share).rounded())) : 0
    }
    let room = classes.map { $0.count - 1 }
    let kept = min(wanted(thetaShare), 1)
    let validating = Split.parts(
      min(wanted(validationShare), max(1, room.reduce(0, +) - kept)),
      of: classes.map(\.count),
      room: room,
      seed: seed
    )
    let deciding = Split.parts(
      wanted(thetaShare),
      of: classes.map(\.count),
      room: zip(room, validating).map { $0 - $1 },
      seed: seed
    )
    var parts: (weights: [Int32], theta: [Int32], validation: [Int32]) = ([], [], [])
    for (images, (validating, deciding)) in zip(classes, zip(validating, deciding)) {
      parts.validation += images[..<validating]
      parts.theta += images[validating..<validating + deciding]
      parts.weights += images[(validating + deciding)...]
    }
    weights = parts.weights.sorted()
    theta = parts.theta.sorted()
    validation = parts.validation.sorted()
  }

  /// How many of `total` images each class gives: in proportion to its `counts`, what is left over
  /// going to the largest remainders (of equal ones the seed decides), and never more than its
  /// `room`.
  private static func parts(_ total: Int, of counts: [Int], room: [Int], seed: UInt64) -> [Int] {
    let total = min(total, room.reduce(0, +))
    let exact = counts.map { Double(total) * Double($0) / Double(counts.reduce(0, +)) }
    var parts = zip(exact, room).map { min(Int($0), $1) }
    var random = Philox(seed: seed, purpose: .split, step: 1)
    let chance = random.permutation(counts.count)
    let order = counts.indices.sorted {
      (exact[$0] - Double(parts[$0]), chance[$0]) > (exact[$1] - Double(parts[$1]), chance[$1])
    }
    var left = total - parts.reduce(0, +)
    while left > 0 {
      for index in order where left > 0 && parts[index] < room[index] {
        parts[index] += 1
        left -= 1
      }
    }
    return parts
  }
}
