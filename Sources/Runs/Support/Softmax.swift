import Foundation

/// exp(xᵢ)/Σ exp(x), safe for any finite x.
package func softmax(_ logits: [Double]) -> [Double] {
  let top = logits.max() ?? 0
  let weights = logits.map { exp($0 - top) }
  let total = weights.reduce(0, +)
  return weights.map { $0 / total }
}
