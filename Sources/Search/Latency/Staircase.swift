/// Measured times as a monotone staircase over widths.
///
/// A point holds whole numbers that a time can only rise with, such as the widths of a block. First
/// the times are made monotone: of all that never fall where no number falls, the nearest ones in
/// the least-squares sense, so that noise makes nothing wider cheaper. Then what lies between
/// measured points costs what the cheapest measured point costs that is nowhere less. So an error
/// of rounding is never on the cheap side, where a search would seek it out.
struct Staircase: Sendable {
  /// Measured points.
  private let points: [[Int]]
  /// Their times, monotone.
  let values: [Double]

  /// Passes over all pairs at most.
  private static let passes = 500
  /// Change in a pass that counts as none, as a share of the greatest value.
  private static let negligible = 1e-9

  /// Fits `values` at `points`, at least one.
  init(_ points: [[Int]], _ values: [Double]) {
    precondition(!points.isEmpty && points.count == values.count, "Staircase: a value a point")
    self.points = points
    self.values = Self.monotone(points, values)
  }

  /// The value at a point; above all measured ones the greatest.
  subscript(point: [Int]) -> Double {
    var least = Double.infinity
    for (measured, value) in zip(points, values)
    where value < least && Self.isNowhereLess(measured, than: point) { least = value }
    return least < .infinity ? least : values.max() ?? 0
  }

  private static func isNowhereLess(_ a: [Int], than b: [Int]) -> Bool {
    for index in a.indices where a[index] < b[index] { return false }
    return true
  }

  /// The monotone values nearest to `values`: Hildreth's projections on one pair after the other,
  /// each with what it was moved by before taken back first, which converges to the nearest.
  private static func monotone(_ points: [[Int]], _ values: [Double]) -> [Double] {
    var pairs: [(low: Int, high: Int)] = []
    for high in points.indices {
      for low in points.indices
      where low != high && isNowhereLess(points[high], than: points[low]) {
        pairs.append((low, high))
      }
    }
    var values = values
    var moves = [Double](repeating: 0, count: pairs.count)
    let small = negligible * (values.map(abs).max() ?? 0)
    for _ in 0..<passes {
      var largest = 0.0
      for (index, pair) in pairs.enumerated() {
        let before = moves[index]
        // Half the distance between the two without this pair's own move.
        let move = max(0, before + (values[pair.low] - values[pair.high]) / 2)
        guard move != before else { continue }
        values[pair.low] -= move - before
        values[pair.high] += move - before
        moves[index] = move
        largest = max(largest, abs(move - before))
      }
      if largest <= small { break }
    }
    return values
  }
}
