import Networks
import Foundation
import Tensor

/// A table of results as a supernet's loss: what a mixture of candidates is taken to lose.
///
/// At mixture weights m the loss is the expectation under independent choices of the layers, L(m) =
/// Σ_a Π_l m_{l,a_l} · loss(a): the multilinear extension of the table, equal to it where every
/// layer is certain. loss(a) = −log accuracy(a) in units of its standard deviation over the table,
/// so that α of the cost and Adam's weight decay weigh against differences of the order of 1.
struct TableLoss {
  private let sizes: [Int]
  /// [a_1, a_2, …], the last layer running fastest.
  private let losses: [Double]

  /// Takes the accuracies of a complete table.
  init(_ table: ResultTable) {
    sizes = table.sizes
    let scale = (table.accuracies.max() ?? 1) > 1 ? 100.0 : 1
    var losses = [Double](repeating: 0, count: table.accuracies.count)
    for (architecture, accuracy) in zip(table.architectures, table.accuracies) {
      let place = zip(architecture, table.sizes).reduce(0) { $0 * $1.1 + $1.0 }
      losses[place] = -log(accuracy / scale)
    }
    let count = Double(losses.count)
    let mean = losses.reduce(0, +) / count
    let variance = losses.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
    self.losses = variance > 0 ? losses.map { $0 / variance.squareRoot() } : losses
  }

  /// L(m) and ∂L/∂m, exact: the layers are contracted one after the other and swept back once, in a
  /// time proportional to the table.
  func callAsFunction(_ mixture: [[Double]]) -> (loss: Double, gradients: [[Double]]) {
    // values[l] is the table with the first l layers contracted.
    var values = [losses]
    for (m, size) in zip(mixture, sizes) {
      let last = values[values.count - 1]
      let stride = last.count / size
      var next = [Double](repeating: 0, count: stride)
      last.withUnsafeBufferPointer { last in
        next.withUnsafeMutableBufferPointer { next in
          guard let from = last.baseAddress, let to = next.baseAddress else { return }
          for i in 0..<size {
            let (row, weight) = (from + i * stride, m[i])
            // Plain loops over pointers, which a build without optimisation runs fast as well.
            var s = 0
            while s < stride {
              to[s] += weight * row[s]
              s += 1
            }
          }
        }
      }
      values.append(next)
    }
    // weights[s] is ∂L/∂values[l + 1][s].
    var weights = [1.0]
    var gradients = sizes.map { [Double](repeating: 0, count: $0) }
    for layer in sizes.indices.reversed() {
      let stride = weights.count
      var before = [Double](repeating: 0, count: stride * sizes[layer])
      values[layer].withUnsafeBufferPointer { value in
        weights.withUnsafeBufferPointer { weights in
          before.withUnsafeMutableBufferPointer { before in
            guard let value = value.baseAddress, let weights = weights.baseAddress,
              let before = before.baseAddress
            else { return }
            for i in 0..<sizes[layer] {
              let (row, to, share) = (value + i * stride, before + i * stride, mixture[layer][i])
              var sum = 0.0
              var s = 0
              while s < stride {
                sum += weights[s] * row[s]
                to[s] = share * weights[s]
                s += 1
              }
              gradients[layer][i] = sum
            }
          }
        }
      }
      weights = before
    }
    return (values[sizes.count][0], gradients)
  }

  /// L of a sample as a scalar on the tape of the mixtures, in place of a supernet's cross-entropy;
  /// the mean where each mixture has several rows [samples, candidates].
  func crossEntropy(_ mixtures: [Mixture], on engine: Engine) -> Tensor {
    let samples = mixtures.first?.samples ?? 1
    let values = mixtures.map { ($0.forward ?? $0.weights.values).map(Double.init) }
    var loss = 0.0
    var gradients = mixtures.map { _ in [Float]() }
    for sample in 0..<samples {
      let (value, parts) = self(
        zip(values, sizes).map { Array($0[(sample * $1)..<((sample + 1) * $1)]) }
      )
      loss += value / Double(samples)
      for (layer, part) in parts.enumerated() {
        gradients[layer] += part.map { Float($0 / Double(samples)) }
      }
    }
    // Linear in the weights with the true gradient; the constant makes the value right.
    var total = engine.tensor([0], shape: [])
    for (mixture, gradient) in zip(mixtures, gradients) {
      total = engine.add(total, engine.sum(engine.multiply(mixture.weights, constant: gradient)))
    }
    return engine.affine(total, factor: 1, constant: Float(loss) - total.item)
  }
}
