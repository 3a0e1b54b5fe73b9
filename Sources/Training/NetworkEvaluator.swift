import Data
import Networks
import Tensor

/// A network with its weights and statistics of one moment, to be evaluated.
package final class NetworkEvaluator {
  private let network: Network
  private let inference: InferenceNetwork
  private let engine: Engine

  /// Prepares the network for inference as it is now.
  package init(_ network: Network, engine: Engine) {
    self.network = network
    self.engine = engine
    inference = network.inference()
  }

  /// Adds a batch to `score`.
  package func evaluate(_ batch: Batch, into score: inout NetworkScore) {
    engine.isRecording = false
    engine.mode = .inference
    let images = network.image(batch, on: engine)
    let scores = inference(images)
    score.add(
      crossEntropy: Double(engine.crossEntropy(scores, labels: batch.labels).loss.item),
      first: engine.topCorrect(scores, labels: batch.labels, k: 1),
      five: engine.topCorrect(scores, labels: batch.labels, k: 5),
      images: batch.count
    )
  }
}
