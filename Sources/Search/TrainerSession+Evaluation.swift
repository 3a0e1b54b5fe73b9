import Data
import Foundation
import Runs
import Tensor

/// How a network does on the held-out images.
struct Evaluation: Sendable, Equatable {
  /// Mean cross-entropy of an image.
  var crossEntropy: Double
  /// Share classified right, 0…1.
  var accuracy: Double
}

extension TrainingSession {
  /// Evaluates the epoch that just ended; returns nil if somebody asked to stop meanwhile.
  ///
  /// Twice over the held-out images: the supernet without noise, and its likeliest architecture
  /// alone, each after batch-norm recalibration (spec S9, S11). Weights and θ stay as they are.
  func validate() throws -> EpochRecord? {
    let clock = ContinuousClock()
    let start = clock.now
    let argmax = supernet.argmax
    guard
      let mixture = try evaluate(nil, message: "validating the supernet", share: 0..<0.5),
      let alone = try evaluate(argmax, message: "validating the likeliest network", share: 0.5..<1)
    else { return nil }
    guard mixture.crossEntropy.isFinite else {
      throw diverged("the validation loss")
    }
    pace.validation(seconds: (clock.now - start).seconds)
    // From the store and not from memory, so that a resume in mid-epoch gives the same means.
    let steps = try store.reader.steps(after: plan.start(of: epoch) - 1)
      .filter { $0.epoch == epoch }
    let trained = steps.filter { $0.phase == .weights }
    let images = Double(max(1, trained.reduce(0) { $0 + $1.images }))
    return EpochRecord(
      epoch: epoch,
      step: step,
      trainLoss: trained.reduce(0) { $0 + $1.loss * Double($1.images) } / images,
      trainAccuracy: trained.reduce(0) { $0 + $1.accuracy * Double($1.images) } / images,
      validationLoss: mixture.crossEntropy,
      validationAccuracy: mixture.accuracy,
      argmaxAccuracy: alone.accuracy,
      expectedCost: supernet.expectedCost,
      argmaxFlops: supernet.flops(argmax),
      argmaxParams: supernet.params(argmax),
      temperature: lastTemperature,
      seconds: steps.reduce((clock.now - start).seconds) { $0 + $1.seconds }
    )
  }

  /// Judges `architecture` (nil: the mixture without noise) on the held-out images.
  ///
  /// `share` is its part of the progress shown. Returns nil if somebody asked to stop.
  func evaluate(
    _ architecture: [Int]?,
    message: String,
    share: Range<Double>
  ) throws -> Evaluation? {
    if try takeUpInterventions(evaluating: message, progress: share.lowerBound) { return nil }
    supernet.recalibrate(
      architecture,
      temperature: lastTemperature,
      batches: recalibrationBatches()
    )
    var crossEntropy = 0.0
    var correct = 0
    var seen = 0
    for batch in testBatches() {
      let done = Double(seen) / Double(max(1, data.test.count))
      let progress = share.lowerBound + done * (share.upperBound - share.lowerBound)
      if try takeUpInterventions(evaluating: message, progress: progress) { return nil }
      let (mean, right) = supernet.evaluate(
        architecture,
        temperature: lastTemperature,
        pixels: batch.pixels,
        labels: batch.labels
      )
      crossEntropy += mean * Double(batch.count)
      correct += right
      seen += batch.count
    }
    let images = Double(max(1, seen))
    return Evaluation(crossEntropy: crossEntropy / images, accuracy: Double(correct) / images)
  }

  private func testBatches() -> BatchLoader {
    BatchLoader(
      BatchPlan(evaluating: data.test, of: data, batch: configuration.search.batch)
    )
  }

  /// The same unchanged images of the weights' share every time, so that what an evaluation finds
  /// depends on the weights alone.
  private func recalibrationBatches() -> [Batch] {
    var random = Philox(seed: configuration.seed, purpose: .recalibration)
    let order = random.permutation(split.weights.count)
    let indices = order.prefix(configuration.search.recalibrationImages)
      .map { split.weights[Int($0)] }
    let plan = BatchPlan(
      evaluating: data.train,
      of: data,
      indices: indices,
      batch: configuration.search.batch
    )
    return (0..<plan.count).map { plan.batch($0) }
  }
}
