import Tensor

/// How a choice mixes its options: weights [k] or [N, k], and values that replace them forward.
package struct Mixture {
  /// m of spec S5, on the tape of whoever uses it.
  package var weights: Tensor
  /// The one-hot values of a hard sample, as many as `weights` has; nil for a soft one.
  package var forward: [Float]?

  /// Rows of `weights`: 1, or one for each sample of a step.
  var samples: Int { weights.count / weights.channels }
}
