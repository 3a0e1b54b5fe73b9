import Testing

@testable import Data

struct SplitTests {
  /// 200 images of class 0, 30 of class 1, 7 of class 2, mixed up.
  private static let labels: [Int32] =
    (0..<237).map { $0 % 7 == 3 && $0 < 210 ? 1 : $0 % 33 == 5 && $0 < 231 ? 2 : 0 }

  private func split(
    _ labels: [Int32] = labels,
    theta: Double = 0.2,
    validation: Double = 0.1,
    seed: UInt64 = 5
  ) -> Split {
    Split(labels: labels, thetaShare: theta, validationShare: validation, seed: seed)
  }

  @Test func `the parts together are all images, once each and rising`() {
    let split = split()
    let parts = [split.weights, split.theta, split.validation]
    #expect(parts.flatMap(\.self).sorted() == (0..<237).map { Int32($0) })
    #expect(parts.allSatisfy { $0 == $0.sorted() })
  }

  @Test func `each class gives its share`() {
    let split = split()
    for label: Int32 in 0...2 {
      let count = Double(Self.labels.count { $0 == label })
      func given(_ part: [Int32]) -> Double {
        Double(part.count { Self.labels[Int($0)] == label })
      }
      #expect(given(split.validation) == (0.1 * count).rounded())
      #expect(given(split.theta) == (0.2 * count).rounded())
    }
  }

  @Test(arguments: [1, 2, 3, 4, 5, 7, 10, 33], [0.02, 0.1, 0.2, 0.34])
  func `the parts have their share of all images however few a class has`(
    images: Int,
    share: Double
  ) {
    for classes in [1, 2, 3, 10, 30] where images > 1 && images * classes > 2 {
      let labels = (0..<images * classes).map { Int32($0 % classes) }
      let split = split(labels, theta: share, validation: share)
      let wanted = max(1, Int((share * Double(labels.count)).rounded()))
      #expect(split.theta.count == min(wanted, (images - 1) * classes - split.validation.count))
      #expect(split.validation.count == min(wanted, (images - 1) * classes - 1))
      #expect(!split.theta.isEmpty && !split.validation.isEmpty)
      for part in [split.theta, split.validation] {
        let counts = (0..<classes).map { label in part.count { Int($0) % classes == label } }
        // Whole images either way; where the weights keep the last one, others give more.
        if 2 * share * Double(images) + 2 < Double(images) {
          #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1, "\(counts)")
        }
      }
      #expect(Set(split.weights.map { Int($0) % classes }).count == classes)
    }
  }

  @Test func `the seed decides which of equal classes give an image`() {
    let labels = (0..<40).map { Int32($0 % 10) }
    let givers = (0..<20).map { seed in
      Set(split(labels, theta: 0, validation: 0.1, seed: seed).validation.map { $0 % 10 })
    }
    #expect(givers.allSatisfy { $0.count == 4 })
    #expect(Set(givers).count > 10)
    // Over the seeds none is left out.
    #expect(givers.reduce(Set()) { $0.union($1) }.count == 10)
  }

  @Test func `where the weights leave one image it validates, of two one is for theta`() {
    let one = split([0, 0], theta: 0.4, validation: 0.4)
    #expect(one.validation.count == 1 && one.theta.isEmpty && one.weights.count == 1)
    let two = split([0, 0, 1, 1], theta: 0.4, validation: 0.5)
    #expect(two.validation.count == 1 && two.theta.count == 1)
    let none = split([0, 1, 2], theta: 0.4, validation: 0.5)
    #expect(none.weights == [0, 1, 2])
  }

  @Test func `the seed alone decides`() {
    #expect(split() == split())
    #expect(split() != split(seed: 6))
    // A class samples by itself: more images of another change nothing for it but how many it
    // gives.
    let more = split(Self.labels + [Int32](repeating: 0, count: 50))
    let ofClass1 = { (part: [Int32]) in
      Set(part.filter { $0 < 237 && Self.labels[Int($0)] == 1 })
    }
    #expect(ofClass1(more.validation).symmetricDifference(ofClass1(split().validation)).count <= 1)
  }

  @Test(arguments: [(0.5, 0.5), (1, 0), (0, 1), (0.99, 0.99)])
  func `every class keeps an image for the weights`(theta: Double, validation: Double) {
    let split = split([0, 1, 1, 2, 2, 2], theta: theta, validation: validation)
    #expect(Set(split.weights.map { [0, 1, 1, 2, 2, 2][Int($0)] }) == [0, 1, 2])
  }

  @Test(arguments: [(1, 12), (2, 10), (4, 10), (3, 7), (9, 10)], [(0.2, 0.1), (0.01, 0.01)])
  func `small classes together give what was asked for and never nothing`(
    images: (each: Int, classes: Int),
    shares: (theta: Double, validation: Double)
  ) {
    let total = images.each * images.classes
    let labels = (0..<total).map { Int32($0 % images.classes) }
    for seed: UInt64 in 0..<20 {
      let split = split(labels, theta: shares.theta, validation: shares.validation, seed: seed)
      let none = images.each == 1
      func wanted(_ share: Double) -> Int { max(1, Int((share * Double(total)).rounded())) }
      #expect(split.validation.count == (none ? 0 : wanted(shares.validation)))
      #expect(split.theta.count == (none ? 0 : wanted(shares.theta)))
      #expect(split.weights.count + split.theta.count + split.validation.count == total)
      #expect(Set(split.weights.map { labels[Int($0)] }).count == images.classes)
      for part in [split.validation, split.theta] {
        let counts = (0..<images.classes).map { label in
          part.count { labels[Int($0)] == Int32(label) }
        }
        // Equal classes give the same, give or take one; two images cannot serve both parts.
        let spread = (counts.max() ?? 0) - (counts.min() ?? 0)
        #expect(spread <= 1, "\(counts)")
      }
    }
  }

  @Test func `the seed decides which classes give one more`() {
    let labels = (0..<40).map { Int32($0 % 10) }
    let chosen = (0..<8).map { seed in
      Set(split(labels, seed: seed).validation.map { labels[Int($0)] })
    }
    #expect(chosen.allSatisfy { $0.count == 4 })
    #expect(Set(chosen).count > 4)
  }

  @Test func `one spare image goes to validation, of two one to theta`() {
    let one = split([0, 0, 1], theta: 0.4, validation: 0.5)
    #expect(one.validation.count == 1 && one.theta.isEmpty)
    let two = split([0, 0, 1, 1], theta: 0.1, validation: 0.8)
    #expect(two.validation.count == 1 && two.theta.count == 1)
  }

  @Test func `a share of nothing takes nothing`() {
    #expect(split(theta: 0, validation: 0).weights.count == 237)
    #expect(split([]) == split([], seed: 6))
  }
}
