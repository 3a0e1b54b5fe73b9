/// A network that was derived from a search, and what is known of it (spec S11).
package struct DerivedRecord: Codable, Sendable, Equatable {
  /// The architecture as a word: a digit a layer, the candidate's index in base 36.
  package var name: String
  /// `argmax`, `perturbation`, `uniform`, `even`, `refined`, or `sample` for one sampled from
  /// softmax(θ).
  package var source: String
  /// A candidate index a layer.
  package var architecture: [Int]
  /// The candidates' names.
  package var blocks: [String]
  /// What was changed to hold the budget, a layer each: `layer 3 k5_e6 -> k3_e3`.
  package var changes: [String]
  /// log P of the architecture under softmax(θ).
  package var logProbability: Double
  /// Multiply–accumulates of one image.
  package var flops: Double
  /// Weights.
  package var params: Double
  /// Milliseconds by the search's latency table; nil without one.
  package var latency: Double?
  /// Milliseconds of the whole network, timed on this machine; nil where it was not.
  package var measuredLatency: Double?
  /// Share of right answers on the images kept for θ, with the weights of the search, 0…1.
  package var accuracy: Double?
  /// Mean cross-entropy of the same.
  package var crossEntropy: Double?
  /// Mean loss of an image over the first epoch of training from the weights of the search; nil
  /// where networks are not ranked by it.
  package var tunedLoss: Double?
  /// The training from scratch, seen from the search's folder; nil where there was none.
  package var run: String?
  /// Epochs of that training that are done, and how many it has.
  package var epochs: [Int]?
  /// Steps that the search had done when a person asked for the network; nil for one derived from
  /// a checkpoint, whose accuracy is of all images that train no weights.
  package var step: Int?
  /// Share of right answers on its validation images after the last of them, 0…1; decides the
  /// ranking.
  package var trainedAccuracy: Double?
  /// Share of right answers on the test images once the training has ended, 0…1.
  package var top1: Double?

  /// Whether its training from scratch has ended.
  package var isTrained: Bool { epochs.map { $0[0] == $0[1] } ?? false }

  /// Takes over what `known` records say of the same network and what does not change while its
  /// search goes on: its time, and the training from scratch.
  package mutating func keep(from known: [DerivedRecord]) {
    guard let before = known.first(where: { $0.name == name }) else { return }
    measuredLatency = before.measuredLatency
    (run, epochs) = (before.run, before.epochs)
    (trainedAccuracy, top1) = (before.trainedAccuracy, before.top1)
  }

  /// What it is and does, for the log: `sample, validation accuracy 91.2%, 45.1k FLOPs, …`.
  package var text: String {
    let facts = [
      source,
      accuracy.map { "validation accuracy \(Format.percent($0))" },
      CostMetric.flops.shortText(flops),
      CostMetric.params.shortText(params),
      latency.map(CostMetric.latency.shortText),
    ]
    return facts.compactMap(\.self).joined(separator: ", ") + ": "
      + blocks.joined(separator: " ")
  }

  enum CodingKeys: String, CodingKey {
    case name, source, architecture, blocks, changes, flops, params, step, run, epochs, top1
    case logProbability = "log_probability"
    case latency = "latency_ms"
    case measuredLatency = "measured_ms"
    case accuracy = "val_accuracy"
    case trainedAccuracy = "trained_val_accuracy"
    case crossEntropy = "val_loss"
    case tunedLoss = "tuned_loss"
  }

  /// A network of which only the architecture is known.
  package init(
    source: String,
    architecture: [Int],
    blocks: [String],
    changes: [String],
    logProbability: Double,
    flops: Double,
    params: Double,
    latency: Double?
  ) {
    name = architecture.map { String($0, radix: 36) }.joined()
    self.source = source
    self.architecture = architecture
    self.blocks = blocks
    self.changes = changes
    self.logProbability = logProbability
    self.flops = flops
    self.params = params
    self.latency = latency
  }
}
