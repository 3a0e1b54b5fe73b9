#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension Engine {
  /// Softmax cross-entropy, mean over the batch, with label smoothing.
  ///
  /// - Shapes: `logits` [N, K], `labels` N class numbers; result a scalar.
  /// - Forward: L = −Σ_k q_k log p_k, mean over the rows, with p = softmax(logits) and
  ///   q = (1 − s)·one-hot + s/K (Szegedy et al. 2016; as PyTorch).
  /// - `mixed` is mixup's second image of each row (arXiv 1710.09412): the target is
  ///   (1 − share)·q(labels) + share·q(mixed.labels).
  /// - Backward: ∂L/∂logits = (p − q)/N.
  /// - Cost: one exponential and one logarithm a logit, in Double; nothing beside a network.
  /// - Reference: `ReferenceGraph.crossEntropy`.
  /// - Returns: the loss, and how many rows have their largest logit at their entry of `labels`.
  package func crossEntropy(
    _ logits: Tensor,
    labels: [Int32],
    smoothing: Float = 0,
    mixed: (labels: [Int32], share: Float)? = nil
  ) -> (loss: Tensor, correct: Int) {
    let (rows, classes) = (logits.rows, logits.channels)
    precondition(
      labels.count == rows && logits.normalisation == nil
        && (mixed == nil || mixed?.labels.count == rows)
        && (labels + (mixed?.labels ?? [])).allSatisfy { $0 >= 0 && $0 < classes },
      "crossEntropy: \(labels.count) labels for logits \(logits.shape)"
    )
    let share = mixed?.share ?? 0
    /// The target before smoothing.
    func hot(_ r: Int, _ k: Int) -> Float {
      let own: Float = k == Int(labels[r]) ? 1 - share : 0
      guard let mixed, k == Int(mixed.labels[r]) else { return own }
      return own + share
    }
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
          Double(smoothing) / Double(classes) + (1 - Double(smoothing)) * Double(hot(r, k))
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
      let dx = ownGradient(of: logits)
      for r in 0..<rows {
        for k in 0..<classes {
          let at = r * classes + k
          let q = smoothing / Float(classes) + (1 - smoothing) * hot(r, k)
          dx.pointer[at] += scale * (probabilities.pointer[at] - q)
        }
      }
    }
    return (loss, correct)
  }

  /// How many rows have their label among their `k` largest scores.
  ///
  /// - Shapes: `scores` [N, K], plain; `labels` N class numbers.
  /// - Of equal scores the one of the lower class number is the larger; with `k` ≥ K every row
  ///   counts.
  package func topCorrect(_ scores: Tensor, labels: [Int32], k: Int) -> Int {
    let classes = scores.channels
    precondition(
      labels.count == scores.rows && scores.normalisation == nil
        && labels.allSatisfy { $0 >= 0 && $0 < classes },
      "topCorrect: \(labels.count) labels for scores \(scores.shape)"
    )
    var correct = 0
    for (r, label) in labels.enumerated() {
      let x = scores.buffer.pointer + r * classes
      let own = x[Int(label)]
      var ahead = 0
      for c in 0..<classes where c != Int(label) {
        // So put that a score which is no number is ahead, and a label's that is none comes last.
        if c < Int(label) ? !(x[c] < own) : !(x[c] <= own) { ahead += 1 }
      }
      if ahead < k { correct += 1 }
    }
    return correct
  }
}
