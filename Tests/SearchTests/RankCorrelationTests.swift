import Runs
import Tensor
import Testing

@testable import Search

struct RankCorrelationTests {
  /// τ-b by comparing every pair.
  private func plain(_ a: [Double], _ b: [Double]) -> Double {
    var (agree, onlyA, onlyB) = (0.0, 0.0, 0.0)
    for i in a.indices {
      for j in 0..<i {
        let product = (a[i] - a[j]) * (b[i] - b[j])
        agree += product > 0 ? 1 : product < 0 ? -1 : 0
        if a[i] != a[j] { onlyA += 1 }
        if b[i] != b[j] { onlyB += 1 }
      }
    }
    return onlyA * onlyB > 0 ? agree / (onlyA * onlyB).squareRoot() : 0
  }

  @Test func `tau-b is that of all pairs, with ties and without`() {
    var random = Philox(seed: 4, purpose: .test)
    for count in [1, 2, 3, 17, 64, 101] {
      for bound in [2, 5, 1000] {
        let a = (0..<count).map { _ in Double(random.below(bound)) }
        let b = zip(a, 0..<count).map { $0.0 + Double(random.below(bound)) }
        #expect(abs(RankCorrelation.kendall(a, b) - plain(a, b)) < 1e-12, "\(count), \(bound)")
      }
    }
  }

  @Test func `orders that are the same, opposite and unrelated`() {
    let up = (0..<10).map(Double.init)
    #expect(abs(RankCorrelation.kendall(up, up) - 1) < 1e-12)
    #expect(abs(RankCorrelation.kendall(up, up.reversed()) + 1) < 1e-12)
    #expect(RankCorrelation.kendall(up, up.map { _ in 3 }) == 0)
    #expect(RankCorrelation.kendall([], []) == 0)
    #expect(abs(RankCorrelation.kendall([1, 2, 3, 4], [1, 3, 2, 4]) - 2.0 / 3) < 1e-12)
    #expect(abs(RankCorrelation.spearman(up, up.map { $0 * $0 }) - 1) < 1e-12)
  }
}
