import Foundation
import Tensor
import Testing

@testable import Search

struct SobolSequenceTests {
  private func points(_ count: Int, dimensions: Int, seed: UInt64? = nil) -> [[UInt32]] {
    var sequence = SobolSequence(dimensions: dimensions, seed: seed)
    return (0..<count).map { _ in sequence.next() }
  }

  private func fractions(_ points: [[UInt32]]) -> [[Double]] {
    points.map { $0.map { Double($0) * 0x1p-32 } }
  }

  @Test func `the first points are the published ones`() {
    let expected = [
      [0, 0, 0, 0, 0, 0, 0, 0],
      [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5],
      [0.75, 0.25, 0.25, 0.25, 0.75, 0.75, 0.25, 0.75],
      [0.25, 0.75, 0.75, 0.75, 0.25, 0.25, 0.75, 0.25],
      [0.375, 0.375, 0.625, 0.875, 0.375, 0.125, 0.375, 0.875],
      [0.875, 0.875, 0.125, 0.375, 0.875, 0.625, 0.875, 0.375],
      [0.625, 0.125, 0.875, 0.625, 0.625, 0.875, 0.125, 0.125],
      [0.125, 0.625, 0.375, 0.125, 0.125, 0.375, 0.625, 0.625],
    ]
    #expect(fractions(points(8, dimensions: 8)) == expected)
    // Of dimensions 1, 2, 3, 64, 96 and 128, from the last lines of the table too.
    let far = fractions(points(16, dimensions: 128))
    let columns = [0, 1, 2, 63, 95, 127]
    #expect(columns.map { far[9][$0] } == [0.6875, 0.8125, 0.4375, 0.1875, 0.5625, 0.5625])
    #expect(columns.map { far[15][$0] } == [0.0625, 0.9375, 0.5625, 0.8125, 0.9375, 0.4375])
  }

  @Test(arguments: [nil, 7] as [UInt64?])
  func `every dimension fills its intervals evenly, shifted or not`(seed: UInt64?) {
    let bits = 8
    let points = points(1 << bits, dimensions: SobolSequence.mostDimensions, seed: seed)
    for dimension in 0..<SobolSequence.mostDimensions {
      let places = Set(points.map { $0[dimension] >> UInt32(32 - bits) })
      #expect(places.count == 1 << bits, "dimension \(dimension + 1)")
    }
    // The next as many fill them again.
    var sequence = SobolSequence(dimensions: 3, seed: seed)
    for _ in 0..<1 << bits { _ = sequence.next() }
    #expect(Set((0..<1 << bits).map { _ in sequence.next()[2] >> 24 }).count == 1 << bits)
  }

  @Test func `pairs of dimensions fill the squares more evenly than random points`() {
    let points = points(1024, dimensions: 12, seed: 3)
    // The first two dimensions are a net: each of 32·32 squares has its point.
    #expect(Set(points.map { ($0[0] >> 27) << 5 | $0[1] >> 27 }).count == 1024)
    func empty(_ pairs: [(UInt32, UInt32)]) -> Int {
      256 - Set(pairs.map { ($0.0 >> 28) << 4 | $0.1 >> 28 }).count
    }
    var random = Philox(seed: 1, purpose: .test)
    var (sobol, other) = (0, 0)
    for dimension in 1..<12 {
      sobol += empty(points.map { ($0[dimension - 1], $0[dimension]) })
      other += empty((0..<1024).map { _ in (random.next(), random.next()) })
    }
    // Random points leave one of 55 squares empty.
    #expect(other > 20 && sobol < other / 4, "\(sobol), \(other)")
  }

  /// Hickernell's centred discrepancy in the mean square; Mathematics of Computation 67, 1998.
  private func discrepancy(_ points: [[Double]]) -> Double {
    let (n, d) = (Double(points.count), points[0].count)
    var single = 0.0
    var double = 0.0
    for x in points {
      single += x.reduce(1) { $0 * (1 + 0.5 * abs($1 - 0.5) - 0.5 * ($1 - 0.5) * ($1 - 0.5)) }
      for y in points {
        double += zip(x, y).reduce(1) { product, pair in
          let (a, b) = (abs(pair.0 - 0.5), abs(pair.1 - 0.5))
          return product * (1 + 0.5 * a + 0.5 * b - 0.5 * abs(pair.0 - pair.1))
        }
      }
    }
    return pow(13.0 / 12, Double(d)) - 2 / n * single + double / (n * n)
  }

  @Test func `the centred discrepancy is far below that of random points`() {
    for seed in 0..<3 {
      var random = Philox(seed: UInt64(seed), purpose: .test)
      let sobol = discrepancy(fractions(points(128, dimensions: 6, seed: UInt64(seed))))
      let other = discrepancy((0..<128).map { _ in (0..<6).map { _ in Double(random.uniform()) } })
      #expect(sobol > 0 && sobol < 0.4 * other, "\(sobol), \(other)")
    }
  }

  @Test func `options come evenly, seeds differ, and further dimensions are random`() {
    let counts = [3, 8, 5, 1, 2]
    var sequence = SobolSequence(dimensions: counts.count, seed: 5)
    let drawn = (0..<960).map { _ in sequence.next(counts: counts) }
    for (axis, count) in counts.enumerated() {
      for option in 0..<count {
        let times = drawn.count { $0.options[axis] == option }
        #expect(abs(times - 960 / count) <= 8, "axis \(axis), option \(option): \(times)")
      }
    }
    #expect(points(4, dimensions: 2, seed: 1) != points(4, dimensions: 2, seed: 2))
    #expect(points(4, dimensions: 2, seed: 1) == points(4, dimensions: 2, seed: 1))
    let wide = points(200, dimensions: SobolSequence.mostDimensions + 2)
    #expect(Set(wide.map { $0[SobolSequence.mostDimensions + 1] >> 30 }).count == 4)
  }
}
