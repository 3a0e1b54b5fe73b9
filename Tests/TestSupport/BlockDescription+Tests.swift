import Networks
import Tensor

extension BlockDescription.Kind {
  /// k×k depthwise, 1×1 project: published networks have it where the expansion is 1.
  package static func depthwiseSeparable(
    kernel: Int,
    channels: Int,
    activation: Activation
  ) -> BlockDescription.Kind {
    .bottleneck(.init(kernels: [kernel], middle: channels, expands: false, activation: activation))
  }
}
