import Data
import Foundation
import Networks
import Runs
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

extension Engine {
  /// The engine that a run's settings ask for; 0 threads mean one for each core.
  package static func ofRun(
    threads: Int,
    precision: Configuration.Precision = .float32,
    recompute: Bool = false,
    instructionSet: InstructionSet = .chosen
  ) -> Engine {
    let engine = Engine(
      instructionSet: instructionSet,
      threads: threads > 0 ? threads : ProcessInfo.processInfo.activeProcessorCount
    )
    engine.activationPrecision =
      switch precision {
      case .float32: .float32
      case .bf16Activations: .bfloat16
      }
    engine.recomputes = recompute
    return engine
  }
}

extension Dataset {
  /// A pass over up to `images` of the training images among `indices`, for batch-norm recalibration.
  ///
  /// The same unchanged images every time, so that what an evaluation finds depends on the weights alone.
  /// A single image that would be a last batch is left out: batches weigh the same, and its spread is none.
  package func recalibration(
    indices: [Int32],
    images: Int,
    batch: Int,
    seed: UInt64
  ) -> BatchPlan {
    var random = Philox(seed: seed, purpose: .recalibration)
    let order = random.permutation(indices.count).prefix(images)
    return BatchPlan(
      evaluating: train,
      of: self,
      indices: order.dropLast(order.count > batch && order.count % batch == 1 ? 1 : 0)
        .map { indices[Int($0)] },
      batch: batch
    )
  }
}
