import Foundation
import Runs

/// A number for each option of each choice, fitted to what whole networks cost or are worth.
///
/// Ridge regression on the one-hot digits of the architectures, by the normal equations in
/// `Double`. How hard it shrinks is chosen by generalised cross-validation, so noise-free costs are
/// met exactly and a few noisy ones are not taken at their word.
package struct AdditiveFit: Sendable {
  /// What each candidate adds, [layer][candidate]; the least of every layer is 0.
  ///
  /// Whole networks show differences within a layer only: what all candidates of a layer share is
  /// in `constant`. So no term is below 0 and no prediction is changed for that.
  package let terms: [[Double]]
  /// What all networks share, in the unit of what was fitted.
  package let constant: Double
  /// λ that was chosen.
  package let ridge: Double

  private static let ridges = [1e-6, 0.1, 0.5, 2, 10]

  /// Fits terms to the `costs` of `architectures`, which have `sizes[l]` candidates in layer l.
  package init(architectures: [Architecture], costs: [Double], sizes: [Int]) {
    let starts = sizes.indices.map { sizes[..<$0].reduce(0, +) }
    let rows = architectures.map { zip(starts, $0).map { $0 + $1 } }
    let count = sizes.reduce(0, +)
    let mean = costs.reduce(0, +) / Double(max(1, costs.count))
    var gram = [Double](repeating: 0, count: count * count)
    var right = [Double](repeating: 0, count: count)
    for (row, cost) in zip(rows, costs) {
      for i in row {
        right[i] += cost - mean
        for j in row { gram[i * count + j] += 1 }
      }
    }
    var best: (error: Double, ridge: Double, weights: [Double])?
    for ridge in AdditiveFit.ridges {
      let (weights, inverseTrace) = AdditiveFit.solve(gram, right, ridge: ridge)
      var squares = 0.0
      for (row, cost) in zip(rows, costs) {
        let error = row.reduce(mean) { $0 + weights[$1] } - cost
        squares += error * error
      }
      // tr (G + λ)⁻¹G = p − λ·tr (G + λ)⁻¹, and one for the mean.
      let freedom = Double(count) - ridge * inverseTrace + 1
      let left = max(Double(costs.count) - freedom, 1e-9)
      let error = squares / (left * left)
      if best.map({ error < $0.error }) ?? true { best = (error, ridge, weights) }
    }
    let weights = best?.weights ?? []
    ridge = best?.ridge ?? 0
    let layers = zip(starts, sizes).map { Array(weights[$0..<$0 + $1]) }
    let least = layers.map { $0.min() ?? 0 }
    terms = zip(layers, least).map { layer, least in layer.map { $0 - least } }
    constant = mean + least.reduce(0, +)
  }

  /// What the fit predicts for a network.
  package func value(_ architecture: Architecture) -> Double {
    zip(terms, architecture).reduce(constant) { $0 + $1.0[$1.1] }
  }

  /// x of (G + λ)x = b by Cholesky's factors L·Lᵀ, and the trace of (G + λ)⁻¹, which is Σ (L⁻¹)².
  private static func solve(
    _ gram: [Double],
    _ right: [Double],
    ridge: Double
  ) -> (solution: [Double], inverseTrace: Double) {
    let n = right.count
    var factor = gram
    var x = right
    var trace = 0.0
    withUnsafeTemporaryAllocation(of: Double.self, capacity: n) { column in
      factor.withUnsafeMutableBufferPointer { factor in
        guard let l = factor.baseAddress, let column = column.baseAddress else { return }
        for i in 0..<n {
          for j in 0...i {
            var sum = l[i * n + j] + (i == j ? ridge : 0)
            for k in 0..<j { sum -= l[i * n + k] * l[j * n + k] }
            l[i * n + j] =
              i == j ? max(sum, .leastNormalMagnitude).squareRoot() : sum / l[j * n + j]
          }
        }
        for i in 0..<n {
          for k in 0..<i { x[i] -= l[i * n + k] * x[k] }
          x[i] /= l[i * n + i]
        }
        for i in (0..<n).reversed() {
          for k in i + 1..<n { x[i] -= l[k * n + i] * x[k] }
          x[i] /= l[i * n + i]
        }
        // The columns of L⁻¹, one after the other.
        for c in 0..<n {
          for i in c..<n {
            var sum = i == c ? 1.0 : 0
            for k in c..<i { sum -= l[i * n + k] * column[k] }
            column[i] = sum / l[i * n + i]
            trace += column[i] * column[i]
          }
        }
      }
    }
    return (x, trace)
  }
}

/// How well predictions agree with what was measured.
package struct FitQuality: Codable, Sendable, Equatable {
  /// 1 − Σ(prediction − truth)² / Σ(truth − mean)².
  package let r2: Double
  /// Rank correlation, equal values sharing the mean of their ranks.
  package let spearman: Double
  /// Mean of |prediction − truth| / truth, in percent.
  package let meanError: Double

  enum CodingKeys: String, CodingKey {
    case r2, spearman
    case meanError = "mean_error_percent"
  }

  /// Compares `predictions` with the `truths` in the same order.
  package init(predictions: [Double], truths: [Double]) {
    let mean = truths.reduce(0, +) / Double(max(1, truths.count))
    let pairs = Array(zip(predictions, truths))
    let errors = pairs.reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    let spread = truths.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    r2 = spread > 0 ? 1 - errors / spread : errors > 0 ? 0 : 1
    spearman = RankCorrelation.spearman(predictions, truths)
    meanError =
      100 * pairs.reduce(0) { $0 + abs($1.0 - $1.1) / abs($1.1) } / Double(max(1, pairs.count))
  }
}
