import Data
import Networks
import Tensor

/// How a network does on images that it was not trained on.
package struct NetworkScore: Sendable, Equatable {
  private var sum = 0.0
  private var first = 0
  private var five = 0
  /// Images judged.
  package private(set) var images = 0

  /// Nothing judged yet.
  package init() {}

  /// Mean cross-entropy of an image.
  package var crossEntropy: Double { sum / Double(max(1, images)) }
  /// Share whose class is the most probable, 0…1.
  package var top1: Double { Double(first) / Double(max(1, images)) }
  /// Share whose class is among the five most probable, 0…1.
  package var top5: Double { Double(five) / Double(max(1, images)) }

  mutating func add(crossEntropy: Double, first: Int, five: Int, images: Int) {
    sum += crossEntropy * Double(images)
    self.first += first
    self.five += five
    self.images += images
  }
}

/// A network with its weights and statistics of one moment, to be judged.
package final class NetworkJudge {
  private let network: Network
  private let inference: InferenceNetwork?
  private let engine: Engine

  /// Takes the inference path where it has all of the network's blocks.
  package init(_ network: Network, engine: Engine) {
    self.network = network
    self.engine = engine
    inference = network.inference()
  }

  /// Adds a batch to `score`.
  package func judge(_ batch: Batch, into score: inout NetworkScore) {
    engine.isRecording = false
    engine.mode = .inference
    let images = network.image(batch, on: engine)
    let scores = inference.map { $0(images) } ?? network(images)
    score.add(
      crossEntropy: Double(engine.crossEntropy(scores, labels: batch.labels).loss.item),
      first: engine.topCorrect(scores, labels: batch.labels, k: 1),
      five: engine.topCorrect(scores, labels: batch.labels, k: 5),
      images: batch.count
    )
  }
}
