import Networks
import Tensor

/// The weights that the networks of a space share, and what they compute: the part of a supernet
/// that depends on its space.
///
/// Not Sendable: made and used on one queue.
protocol SharedNetwork {
  /// Weights and batch-norm parameters, in a fixed order.
  var parameters: [Parameter] { get }
  /// The batch-norms, in a fixed order.
  var norms: [BatchNorm] { get }

  /// Class scores [N, classes] of images [N, H, W, C] under a mixture for each choice.
  func scores(_ image: Tensor, _ mixtures: [Mixture]) -> Tensor
  /// Class scores [N, classes] of one network alone, by the operations of training.
  func scores(_ image: Tensor, of architecture: Architecture) -> Tensor
  /// The weights and running statistics of one network alone, under the names of a `Network`.
  func state(of architecture: Architecture) -> StateDictionary
  /// One network alone with the weights and running statistics of now, for inference: class scores
  /// [N, classes] of images [N, H, W, C].
  func alone(_ architecture: Architecture) -> (Tensor) -> Tensor
}
