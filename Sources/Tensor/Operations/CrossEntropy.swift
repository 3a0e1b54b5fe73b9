#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension Engine {
  /// Softmax cross-entropy, mean over the batch, with label smoothing.
  ///
  /// - Shapes: `logits` [N, K], `labels` N class numbers; result a scalar.
  /// - L = −Σ_k q_k log p_k with q = (1 − s)·one-hot + s/K (Szegedy et al. 2016; as PyTorch).
  /// - Returns: the loss, and how many rows have their largest logit at the label.
  package func crossEntropy(_ logits: Tensor, labels: [Int32], smoothing: Float = 0) -> (
    loss: Tensor, correct: Int
  ) {
    let (rows, classes) = (logits.rows, logits.channels)
    precondition(
      labels.count == rows && logits.normalisation == nil
        && labels.allSatisfy { $0 >= 0 && $0 < classes },
      "crossEntropy: \(labels.count) labels for logits \(logits.shape)"
    )
    let probabilities = pool.take(rows * classes)
    var total = 0.0
    var correct = 0
    for r in 0..<rows {
      let x = logits.buffer.pointer + r * classes
      let p = probabilities.pointer + r * classes
      var best = 0
      for k in 1..<max(1, classes) where x[k] > x[best] { best = k }
      if best == Int(labels[r]) { correct += 1 }
      var sum = 0.0
      for k in 0..<classes { sum += exp(Double(x[k] - x[best])) }
      let logSum = log(sum) + Double(x[best])
      for k in 0..<classes {
        let logP = Double(x[k]) - logSum
        p[k] = Float(exp(logP))
        let q =
          Double(smoothing) / Double(classes) + (k == Int(labels[r]) ? 1 - Double(smoothing) : 0)
        if q != 0 { total -= q * logP }
      }
    }
    let out = pool.take(1)
    out.pointer[0] = Float(total / Double(rows))
    let loss = Tensor(shape: [], buffer: out, requiresGradient: wantsGradient([logits]))
    record(loss) { [unowned self] in
      guard let gradient = loss.gradient else { return }
      let scale = gradient.buffer.pointer[0] * gradient.factor / Float(rows)
      loss.gradient = nil
      let target = ownGradient(of: logits)
      for r in 0..<rows {
        for k in 0..<classes {
          let q = smoothing / Float(classes) + (k == Int(labels[r]) ? 1 - smoothing : 0)
          target.pointer[r * classes + k] += scale * (probabilities.pointer[r * classes + k] - q)
        }
      }
    }
    return (loss, correct)
  }
}
