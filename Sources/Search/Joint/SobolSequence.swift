import Tensor

/// Sobol's sequence: points of the unit cube that fill it more evenly than random ones.
///
/// Direction numbers of S. Joe and F. Y. Kuo, "Constructing Sobol sequences with better
/// two-dimensional projections" (SIAM J. Sci. Comput. 30, 2008), in the order of Gray's code
/// (Antonov and Saleev 1979). A seed shifts all points by the same bits, which keeps every property
/// of the sequence; without one it starts at the origin.
package struct SobolSequence: Sendable {
  /// Dimensions that have direction numbers; those beyond are random.
  package static let mostDimensions = table.count + 1

  /// A line of the published table.
  private struct Line {
    /// The polynomial's inner coefficients; its degree is the count of `first`.
    var coefficients: UInt32
    /// The first numbers: m₁, m₂, … (odd, mₖ below 2ᵏ).
    var first: [UInt32]
  }

  /// The lines of dimensions from 2 on.
  private static let table = String(decoding: PackageResources.sobol_txt, as: UTF8.self)
    .split(separator: "\n").filter { $0.first?.isNumber == true }
    .map { line in
      let numbers = line.split(separator: " ").compactMap { UInt32($0) }
      return Line(coefficients: numbers[2], first: Array(numbers[3...]))
    }

  /// Direction numbers [dimension][bit], as fractions of 2³².
  private let directions: [[UInt32]]
  private var point: [UInt32]
  private var index: UInt32 = 0
  private var random: Philox
  private let dimensions: Int

  /// The sequence in `dimensions` dimensions, shifted by the bits of `seed` if there is one.
  package init(dimensions: Int, seed: UInt64? = nil) {
    self.dimensions = dimensions
    directions = (0..<min(dimensions, SobolSequence.mostDimensions)).map { dimension in
      dimension == 0
        ? (0..<32).map { 1 << (31 - $0) }
        : SobolSequence.directions(SobolSequence.table[dimension - 1])
    }
    random = Philox(seed: seed ?? 0, purpose: .sobol)
    point = directions.map { _ in 0 }
    guard seed != nil else { return }
    for dimension in point.indices { point[dimension] = random.next() }
  }

  /// mₖ = 2a₁mₖ₋₁ ⊕ 2²a₂mₖ₋₂ ⊕ … ⊕ 2ˢmₖ₋ₛ ⊕ mₖ₋ₛ, and vₖ = mₖ/2ᵏ.
  private static func directions(_ line: Line) -> [UInt32] {
    let degree = line.first.count
    var v = line.first.enumerated().map { $0.element << UInt32(31 - $0.offset) }
    for k in degree..<32 {
      var next = v[k - degree] ^ (v[k - degree] >> UInt32(degree))
      for i in 1..<degree where (line.coefficients >> UInt32(degree - 1 - i)) & 1 == 1 {
        next ^= v[k - i]
      }
      v.append(next)
    }
    return v
  }

  /// The next point, each coordinate a fraction of 2³².
  ///
  /// - Precondition: fewer than 2³² points were taken.
  package mutating func next() -> [UInt32] {
    defer {
      let bit = (~index).trailingZeroBitCount
      for dimension in directions.indices { point[dimension] ^= directions[dimension][bit] }
      index += 1
    }
    guard dimensions > directions.count else { return point }
    return point + (directions.count..<dimensions).map { _ in random.next() }
  }

  /// The next point as a choice of options, of which choice i has `counts[i]`.
  package mutating func next(counts: [Int]) -> Architecture {
    Architecture(zip(next(), counts).map { Int((UInt64($0) * UInt64($1)) >> 32) })
  }
}
