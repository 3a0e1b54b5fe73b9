import Tensor
import Testing

@testable import Search

/// The monotone fit of measured times, and what lies between them.
@Suite struct StaircaseTests {
  private func fitted(_ values: [Double]) -> [Double] {
    Staircase(values.indices.map { [$0] }, values).values
  }

  private func isNear(_ a: [Double], _ b: [Double]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < 1e-6 }
  }

  @Test func `monotone values stay, and noise is evened out by the mean`() {
    #expect(fitted([1, 2, 2, 5]) == [1, 2, 2, 5])
    #expect(isNear(fitted([1, 3, 2, 4]), [1, 2.5, 2.5, 4]))
    #expect(isNear(fitted([3, 2, 1]), [2, 2, 2]))
    #expect(isNear(fitted([4, 5, 6, 0]), [3.75, 3.75, 3.75, 3.75]))
    // The same point twice has one value.
    #expect(isNear(Staircase([[1], [1]], [2, 3]).values, [2.5, 2.5]))
  }

  @Test func `only what is nowhere narrower must cost as much`() {
    // The two points of the second line do not compare.
    let staircase = Staircase([[0, 0], [1, 0], [0, 1]], [2, 1, 4])
    #expect(isNear(staircase.values, [1.5, 1.5, 4]))
    #expect(Staircase([[1, 0], [0, 1]], [9, 1]).values == [9, 1])
  }

  @Test func `the fit is the nearest of all monotone ones`() {
    var random = Philox(seed: 3, purpose: .test)
    let points = (0..<3).flatMap { i in (0..<4).flatMap { j in (0..<2).map { [i, j, $0] } } }
    for _ in 0..<20 {
      let values = points.map { point in
        Double(point.reduce(0, +)) + 2 * Double(random.normal())
      }
      let fit = Staircase(points, values).values
      for (a, low) in zip(points, fit) {
        for (b, high) in zip(points, fit) where zip(a, b).allSatisfy(<=) {
          #expect(low <= high + 1e-6)
        }
      }
      // A projection on a cone: what is left over is at right angles to the fit and leads away
      // from every other monotone one.
      let rest = zip(values, fit).map { $0 - $1 }
      func product(_ other: [Double]) -> Double { zip(rest, other).reduce(0) { $0 + $1.0 * $1.1 } }
      #expect(abs(product(fit)) < 1e-4)
      for _ in 0..<20 {
        let slopes = (0..<3).map { _ in Double(random.uniform()) }
        let shift = Double(random.normal())
        let other = points.map { point in
          shift + zip(point, slopes).reduce(0) { $0 + Double($1.0 * $1.0) * $1.1 }
        }
        #expect(product(other) < 1e-4)
      }
    }
  }

  @Test func `between measured widths the next wider one counts, never a straight line`() {
    let staircase = Staircase([[8, 8], [16, 8], [8, 16], [16, 16]], [1, 2, 3, 5])
    #expect(staircase[[8, 8]] == 1 && staircase[[16, 16]] == 5)
    #expect(staircase[[9, 8]] == 2 && staircase[[15, 8]] == 2)
    #expect(staircase[[4, 12]] == 3 && staircase[[12, 12]] == 5)
    #expect(staircase[[1, 1]] == 1)
  }

  @Test func `nothing wider is cheaper, whatever was measured`() {
    var random = Philox(seed: 4, purpose: .test)
    let measured = [4, 8, 20, 32]
    let points = measured.flatMap { a in measured.map { [a, $0] } }
    let staircase = Staircase(points, points.map { _ in Double(random.uniform()) })
    for a in 1..<32 {
      for b in 1..<32 {
        #expect(staircase[[a, b]] <= staircase[[a + 1, b]])
        #expect(staircase[[a, b]] <= staircase[[a, b + 1]])
      }
    }
  }
}
