import Data
import Foundation
import Runs
import Tensor
import Training

/// Images that a network is evaluated on; none of them trains weights.
enum EvaluationImages: Sendable {
  /// Of the training images, those that curves, ranking and decisions go by.
  case validation
  /// Of the training images, those that train θ.
  case theta
  /// Of the training images, all that train no weights: those of θ and of validation.
  case heldOut
  /// Looked at once, at the end of the search.
  case test
}

/// How a network does on such images.
struct Evaluation: Sendable, Equatable {
  /// Mean cross-entropy of an image.
  var crossEntropy: Double
  /// Share classified right, 0…1.
  var accuracy: Double
}

extension SearchTask {
  /// Evaluates the epoch that just ended; returns nil if somebody asked to stop meanwhile.
  ///
  /// Twice over the validation images: the supernet without noise, and its most probable
  /// architecture alone, each after batch-norm recalibration (spec S9, S11), and in some epochs the
  /// fixed networks of the thermometer. Weights and θ stay as they are.
  package func validate(_ context: EvaluationContext) throws -> EpochScores? {
    let leader = algorithm.leader
    let ranks = thermometer.isDue(epoch: context.epoch)
    let half = ranks ? 0.25 : 0.5
    guard
      let mixture = try evaluate(
        nil,
        in: context,
        message: "validating the supernet",
        share: 0..<half
      ),
      let alone = try evaluate(
        leader,
        in: context,
        message: "validating \(algorithm.leaderName)",
        share: half..<2 * half
      )
    else { return nil }
    let ranking = ranks ? try ranking(context, share: 2 * half..<1) : nil
    if ranks, ranking == nil { return nil }
    let verdict = algorithm.verdict
    return EpochScores(
      loss: mixture.crossEntropy,
      accuracy: mixture.accuracy,
      argmaxAccuracy: alone.accuracy,
      expectedCost: supernet.expectedCost,
      argmaxFlops: supernet.flops(leader),
      argmaxParams: supernet.params(leader),
      argmaxLatency: latency?.cost(leader),
      settled: verdict?.settled,
      meanEntropyBits: verdict?.meanEntropyBits,
      ranking: ranking
    )
  }

  /// Evaluates `architecture` (nil: the mixture without noise) on images of a kind.
  ///
  /// `share` is its part of the progress shown. Returns nil if somebody asked to stop.
  func evaluate(
    _ architecture: Architecture?,
    on images: EvaluationImages = .validation,
    in context: EvaluationContext,
    message: String,
    share: Range<Double>
  ) throws -> Evaluation? {
    try evaluate(architecture, on: images, temperature: context.temperature) { done in
      let progress = share.lowerBound + done * (share.upperBound - share.lowerBound)
      return try context.stops(message, progress)
    }
  }

  /// Evaluates networks on the validation images one after another.
  ///
  /// - Parameters:
  ///   - networks: each alone.
  ///   - context: the training's.
  ///   - share: their part of the progress shown.
  ///   - message: what is shown for the network of a number, counted from 1.
  /// - Returns: a score each; nil if somebody asked to stop.
  /// - Throws: what the context throws.
  func evaluate(
    _ networks: [Architecture],
    in context: EvaluationContext,
    share: Range<Double> = 0..<1,
    message: (Int) -> String
  ) throws -> [Evaluation]? {
    let length = (share.upperBound - share.lowerBound) / Double(max(1, networks.count))
    var scores: [Evaluation] = []
    for (index, network) in networks.enumerated() {
      let start = share.lowerBound + Double(index) * length
      let score = try evaluate(
        network,
        in: context,
        message: message(index + 1),
        share: start..<start + length
      )
      guard let score else { return nil }
      scores.append(score)
    }
    return scores
  }

  /// The same outside a training; `stops` takes the share that is done, and true from it ends the
  /// evaluation.
  func evaluate(
    _ architecture: Architecture?,
    on images: EvaluationImages,
    temperature: Double,
    stops: (Double) throws -> Bool
  ) throws -> Evaluation? {
    if try stops(0) { return nil }
    let recalibration = recalibration
    supernet.recalibrate(architecture, temperature: temperature, batches: recalibration.batches)
    let plan = plan(evaluating: images)
    let found = try supernet.shards.byTurns(plan) {
      try stops(Double($0) / Double(max(1, plan.count)))
    } evaluate: { index, batch in
      let (mean, correct) = supernet.evaluate(
        architecture,
        temperature: temperature,
        pixels: batch.pixels,
        labels: batch.labels,
        draw: index % max(1, recalibration.count)
      )
      return [mean * Double(batch.count), Double(correct)]
    }
    guard let found else { return nil }
    let count = Double(max(1, plan.images))
    return Evaluation(
      crossEntropy: found.reduce(0) { $0 + $1[0] } / count,
      accuracy: found.reduce(0) { $0 + $1[1] } / count
    )
  }

  /// A pass over the images of a kind, unchanged and in their order.
  func plan(evaluating images: EvaluationImages) -> BatchPlan {
    let indices: [Int32]? =
      switch images {
      case .validation: split.validation
      case .theta: split.theta
      case .heldOut: (split.theta + split.validation).sorted()
      case .test: nil
      }
    return BatchPlan(
      evaluating: images == .test ? data.test : data.train,
      of: data,
      indices: indices,
      batch: configuration.search.batch
    )
  }

  private var recalibration: BatchPlan {
    data.recalibration(
      indices: split.weights,
      images: configuration.search.recalibrationImages,
      batch: configuration.search.batch,
      seed: configuration.seed
    )
  }
}
