import Runs
import Tensor

/// What one training step came to.
package struct StepOutcome: Sendable, Equatable {
  /// The minimised loss of spec S8, the cross-entropy in it, and the expected cost under this draw.
  package var loss: Double
  package var crossEntropy: Double
  package var cost: Double
  /// Images classified right.
  package var correct: Int
}
