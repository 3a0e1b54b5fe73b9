import Runs
import Tensor

extension Activation {
  /// The activation that a configuration names.
  init(_ named: Configuration.Space.Candidate.Activation) {
    self =
      switch named {
      case .relu: .relu
      case .hswish: .hswish
      }
  }
}
