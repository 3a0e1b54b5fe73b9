import Networks
import Tensor

/// How a choice mixes its options: weights m of spec S5, [k] or [N, k], on the tape of whoever uses
/// it, and values that replace them forward.
package typealias Mixture = MaskedBlock.Mixture

extension Mixture {
  /// Rows of `weights`: 1, or one for each sample of a step.
  var samples: Int { weights.count / weights.channels }
}
