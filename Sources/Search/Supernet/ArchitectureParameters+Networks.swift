import Foundation
import Runs
import Tensor

/// What the architecture parameters say: probabilities, draws and costs.
extension ArchitectureParameters {
  /// The most probable candidate of every layer.
  package var argmax: [Int] {
    logits.map { row in row.indices.max { row[$0] < row[$1] } ?? 0 }
  }

  /// P = softmax(θ), one array a layer (spec S4).
  package var probabilities: [[Double]] {
    logits.map { softmax($0.map(Double.init)) }
  }

  /// log P(a) = Σ_l log P(b_l) (spec S4).
  package func logProbability(_ architecture: [Int]) -> Double {
    zip(probabilities, architecture).reduce(0) { $0 + log($1.0[$1.1]) }
  }

  /// Σ P·price over the layers and the fixed parts, in the metric of the cost.
  package var expectedCost: Double { prices.expected(probabilities) }

  /// SHA-256 over the little-endian bytes of all architecture parameters, in the order of the layers.
  package var hash: String {
    var hash = SHA256()
    for layer in logits { hash.update(layer) }
    return hash.finalize()
  }
}

extension ArchitectureParameters {
  /// The most probable architecture whose cost lies `within`; nil when nothing fits.
  package func mostProbable(within: ClosedRange<Double>) -> [Int]? {
    // θ is log P but for a constant of each layer, which decides nothing.
    BudgetRepair.likeliest(
      logProbabilities: logits.map { $0.map(Double.init) },
      prices: prices,
      within: within
    )
  }

  /// Up to `count` different architectures drawn from P on condition that their cost lies `within` (spec
  /// S11): the very distribution of the draws that happen to fit, without the others.
  ///
  /// - Parameters:
  ///   - count: wanted; fewer come where P is settled or few fit.
  ///   - seed: names the draws.
  ///   - within: the lowest and the highest cost allowed.
  ///   - seen: architectures that do not count.
  /// - Returns: one candidate index a layer, in the order of the draws.
  package func drawn(
    _ count: Int,
    seed: UInt64,
    within: ClosedRange<Double>,
    except seen: Set<[Int]> = []
  ) -> [[Int]] {
    RandomNetworks(prices: prices, probabilities: probabilities, within: within)
      .different(count, seed: seed, step: 1, except: seen)
  }
}
