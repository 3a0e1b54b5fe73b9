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

  @Test func `each class gives its share, rounded`() {
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

  @Test func `the seed alone decides`() {
    #expect(split() == split())
    #expect(split() != split(seed: 6))
    // A class draws by itself: more images of another change nothing for it.
    let more = split(Self.labels + [Int32](repeating: 0, count: 50))
    let ofClass1 = { (part: [Int32]) in part.filter { $0 < 237 && Self.labels[Int($0)] == 1 } }
    #expect(ofClass1(more.validation) == ofClass1(split().validation))
  }

  @Test(arguments: [(0.5, 0.5), (1, 0), (0, 1), (0.99, 0.99)])
  func `every class keeps an image for the weights`(theta: Double, validation: Double) {
    let split = split([0, 1, 1, 2, 2, 2], theta: theta, validation: validation)
    #expect(Set(split.weights.map { [0, 1, 1, 2, 2, 2][Int($0)] }) == [0, 1, 2])
  }

  @Test func `a share of nothing takes nothing`() {
    #expect(split(theta: 0, validation: 0).weights.count == 237)
    #expect(split([]) == split([], seed: 6))
  }
}
