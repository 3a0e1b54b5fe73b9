import Foundation
import Runs
import Tensor

/// What the architecture parameters say: probabilities, draws and costs.
extension ArchitectureParameters {
  /// The likeliest candidate of every layer.
  package var argmax: [Int] {
    logits.map { row in row.indices.max { row[$0] < row[$1] } ?? 0 }
  }

  /// P = softmax(θ), one array a layer (spec S4).
  package var probabilities: [[Double]] {
    logits.map { row in
      let top = Double(row.max() ?? 0)
      let weights = row.map { exp(Double($0) - top) }
      let total = weights.reduce(0, +)
      return weights.map { $0 / total }
    }
  }

  /// log P(a) = Σ_l log P(b_l) (spec S4).
  package func logProbability(_ architecture: [Int]) -> Double {
    zip(probabilities, architecture).reduce(0) { $0 + log($1.0[$1.1]) }
  }

  /// Draws an architecture from P; `index` tells draws of one seed apart.
  package func sample(seed: UInt64, index: Int) -> [Int] {
    var random = Philox(seed: seed, purpose: .sampling, index: UInt32(index))
    return probabilities.map { row in
      var left = Double(random.uniform())
      for (i, p) in row.enumerated() {
        left -= p
        if left <= 0 { return i }
      }
      return row.count - 1
    }
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
  /// The likeliest architecture and up to `samples` drawn from P, each brought `within` the bounds of cost and
  /// none twice (spec S11); the likeliest comes first, and nothing when nothing fits.
  ///
  /// A draw is the likeliest under log P plus Gumbel noise, so one that costs too much gives way to the
  /// likeliest under the same noise that does not: the changes that the draw minds least.
  package func derived(
    samples: Int,
    seed: UInt64,
    within: ClosedRange<Double>
  ) -> [(drawn: [Int], network: [Int])] {
    let logs = probabilities.map { $0.map { log($0) } }
    var seen: Set<[Int]> = []
    return (0...samples).compactMap { index in
      var random = Philox(seed: seed, purpose: .sampling, step: 1, index: UInt32(index))
      let scores = index == 0 ? logs : logs.map { $0.map { $0 + Double(random.gumbel()) } }
      let drawn = scores.map { row in row.indices.max { row[$0] < row[$1] } ?? 0 }
      let found = BudgetRepair.likeliest(logProbabilities: scores, prices: prices, within: within)
      return found.flatMap { seen.insert($0).inserted ? (drawn, $0) : nil }
    }
  }
}
