/// How well two lists agree in their order.
package enum RankCorrelation {
  /// Kendall's τ-b, −1 to 1: pairs in the same order less pairs in the opposite one, ties aside.
  ///
  /// 0 where one of the lists has one value only. In n·log n steps (Knight 1966).
  package static func kendall(_ a: [Double], _ b: [Double]) -> Double {
    let order = zip(a, b).sorted { $0.0 != $1.0 ? $0.0 < $1.0 : $0.1 < $1.1 }
    let all = pairs(order.count)
    let tiedA = ties(order.map(\.0))
    let tiedBoth = ties(order) { $0 == $1 }
    var sorted = order.map(\.1)
    let swaps = inversions(&sorted)
    let tiedB = ties(sorted)
    // One root of the product: of two roots rounding would make 1 a little more than 1.
    let scale = ((all - tiedA) * (all - tiedB)).squareRoot()
    return scale > 0 ? (all - tiedA - tiedB + tiedBoth - 2 * swaps) / scale : 0
  }

  /// Spearman's ρ: the correlation of the ranks, equal values sharing the mean of theirs.
  package static func spearman(_ a: [Double], _ b: [Double]) -> Double {
    correlation(ranks(a), ranks(b))
  }

  private static func pairs(_ count: Int) -> Double { Double(count) * Double(count - 1) / 2 }

  /// Pairs of equal values of a sorted list.
  private static func ties(_ sorted: [Double]) -> Double { ties(sorted, ==) }

  private static func ties<T>(_ sorted: [T], _ equal: (T, T) -> Bool) -> Double {
    var total = 0.0
    var first = 0
    for index in sorted.indices
    where index + 1 == sorted.count
      || !equal(sorted[index], sorted[index + 1])
    {
      total += pairs(index + 1 - first)
      first = index + 1
    }
    return total
  }

  /// Sorts by merging and counts the pairs that were in the wrong order.
  private static func inversions(_ values: inout [Double]) -> Double {
    var count = 0.0
    var spare = values
    var width = 1
    while width < values.count {
      for start in stride(from: 0, to: values.count, by: 2 * width) {
        let middle = min(start + width, values.count)
        let end = min(middle + width, values.count)
        var (i, j) = (start, middle)
        for place in start..<end {
          if j == end || i < middle && values[i] <= values[j] {
            spare[place] = values[i]
            i += 1
          } else {
            spare[place] = values[j]
            j += 1
            count += Double(middle - i)
          }
        }
      }
      swap(&values, &spare)
      width *= 2
    }
    return count
  }

  private static func ranks(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = [Double](repeating: 0, count: values.count)
    var first = 0
    while first < order.count {
      var last = first
      while last + 1 < order.count, values[order[last + 1]] == values[order[first]] { last += 1 }
      for place in first...last { ranks[order[place]] = Double(first + last) / 2 }
      first = last + 1
    }
    return ranks
  }

  private static func correlation(_ a: [Double], _ b: [Double]) -> Double {
    let meanA = a.reduce(0, +) / Double(max(1, a.count))
    let meanB = b.reduce(0, +) / Double(max(1, b.count))
    var (ab, aa, bb) = (0.0, 0.0, 0.0)
    for (x, y) in zip(a, b) {
      ab += (x - meanA) * (y - meanB)
      aa += (x - meanA) * (x - meanA)
      bb += (y - meanB) * (y - meanB)
    }
    return aa > 0 && bb > 0 ? ab / (aa * bb).squareRoot() : 0
  }
}
