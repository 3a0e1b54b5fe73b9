import Foundation
import Runs
import TestSupport
import Testing

@testable import Data
@testable import Search
@testable import Training

/// Which images a search looks at, and when (spec S9).
@Suite(.serialized) struct HeldOutTests {
  /// The digits with another class for every test image.
  private var mislabelled: Dataset {
    var data = TinyNetwork.digits
    data.test = data.test.relabelled((0..<10).map { ($0 + 3) % 10 })
    return data
  }

  @Test func `weights, theta, validation and test have no image in common`() throws {
    let task = try TinyRun().task()
    let split = task.split
    let parts = [split.weights, split.theta, split.validation]
    #expect(parts.map(\.count) == [1006, 287, 144])
    #expect(Set(parts.flatMap { $0 }).count == task.data.train.count)
    // What is evaluated is what the part says, in its order.
    for (images, labels) in [
      (EvaluationImages.theta, split.theta.map { task.data.train.labels[Int($0)] }),
      (.validation, split.validation.map { task.data.train.labels[Int($0)] }),
      (.test, task.data.test.labels),
    ] {
      let plan = task.plan(evaluating: images)
      #expect((0..<plan.count).flatMap { plan.batch($0).labels } == labels)
    }
    // A pass over the whole part: its classes as often as in it, whatever the order.
    let whole = try TinyRun(overrides: ["batch=2000"]).task()
    for (phase, part) in [(Phase.weights, split.weights), (.theta, split.theta)] {
      let plan = whole.batches(phase, epoch: 1)
      let labels = (0..<plan.count).flatMap { plan.batch($0).labels }
      #expect(labels.sorted() == part.map { task.data.train.labels[Int($0)] }.sorted())
    }
  }

  @Test(arguments: ["dnas", "random"])
  func `nothing but the last figures depends on the test images`(algorithm: String) throws {
    let overrides = [
      "search.algorithm=\(algorithm)", "random_networks=4", "search.epochs=2", "warmup_epochs=0",
    ]
    func search(_ data: Dataset) throws -> (result: SearchResult, epochs: [EpochRecord], TinyRun) {
      let run = try TinyRun(overrides: overrides)
      let session = try run.session(try run.task(data))
      guard case .search(let result) = try session.train() else {
        throw UserError(.software, "test", "the search did not end")
      }
      let epochs = try run.reader.epochs().map {
        var epoch = $0
        epoch.seconds = 0
        return epoch
      }
      return (result, epochs, run)
    }
    let (right, epochs, run) = try search(TinyNetwork.digits)
    let (wrong, others, otherRun) = try search(mislabelled)
    #expect(epochs == others)
    #expect(right.thetaHash == wrong.thetaHash && right.weightsHash == wrong.weightsHash)
    #expect(right.architecture == wrong.architecture)
    #expect(right.validationLoss == wrong.validationLoss)
    #expect(right.argmaxAccuracy == wrong.argmaxAccuracy)
    #expect(right.sampledMean == wrong.sampledMean && right.verdict == wrong.verdict)
    #expect(
      try run.export().architectures.map(\.blocks) == otherRun.export().architectures.map(\.blocks)
    )
    #expect(right.testLoss != wrong.testLoss)
    #expect(right.supernetTestLoss != wrong.supernetTestLoss)
  }

  @Test func `the figures of the test are those of the chosen network after its recalibration`()
    throws
  {
    let run = try TinyRun()
    let result = try run.finished()
    let task = try run.task()
    try task.restore(try #require(try run.folder.latestCheckpoint()).checkpoint)
    let temperature = try #require(task.temperature(epoch: 2))
    let names = result.architecture.map(\.choice)
    let network = Architecture(
      zip(task.choices, names).map { choice, name in
        choice.options.firstIndex { $0.name == name } ?? -1
      }
    )
    func score(_ network: Architecture?, _ images: EvaluationImages) throws -> Evaluation? {
      try task.evaluate(network, on: images, temperature: temperature, stops: { _ in false })
    }
    let alone = try #require(try score(network, .test))
    #expect(alone.accuracy == result.testAccuracy && alone.crossEntropy == result.testLoss)
    let mixture = try #require(try score(nil, .test))
    #expect(mixture.accuracy == result.supernetTestAccuracy)
    #expect(mixture.crossEntropy == result.supernetTestLoss)
    #expect(try score(network, .validation)?.accuracy == result.argmaxAccuracy)
    #expect(try score(nil, .validation)?.crossEntropy == result.validationLoss)
    #expect(try task.evaluate(nil, on: .test, temperature: 1, stops: { _ in true }) == nil)
  }

  @Test func `too few images for theta or validation are reported before the search`() throws {
    let data = TinyNetwork.digits
    let none = DataFingerprint.Part(hashes: [], labels: [], classes: 0)
    func only(_ indices: [Int]) -> Dataset {
      Dataset(
        name: data.name,
        classNames: data.classNames,
        channels: data.channels,
        resolution: data.width,
        train: PackedImages(
          bytes: Foundation.Data(indices.flatMap { data.train.image($0) }),
          labels: indices.map { data.train.labels[$0] },
          side: data.train.side,
          channels: data.channels
        ),
        test: data.test,
        mean: data.mean,
        standardDeviation: data.standardDeviation,
        padding: data.padding,
        supportsFlip: data.supportsFlip,
        skippedImages: 0,
        warnings: [],
        credit: "",
        cachePath: nil,
        content: (none, none)
      )
    }
    let first = (0..<10).compactMap { digit in data.train.labels.firstIndex(of: Int32(digit)) }
    let error = #expect(throws: UserError.self) { try TinyRun().task(only(first)) }
    #expect(error?.code == .data && error?.problem.contains("10 training images") == true)
    // Two images more than classes are one for each.
    let some = try TinyRun().task(only(first + [20, 30])).split
    #expect(some.theta.count == 1 && some.validation.count == 1 && some.weights.count == 10)
  }
}

extension TinyRun {
  /// What the run trains, on the digits or on `data`.
  func task(_ data: Dataset = TinyNetwork.digits) throws -> SearchTask {
    try SearchTask(try folder.configuration(), data: data)
  }

  /// A session at the start of the run.
  func session(_ task: any TrainingTask) throws -> TrainingSession {
    let store = try folder.store()
    _ = try store.beginSession(step: 0)
    try store.setChoices(task.choices)
    return try TrainingSession(folder: folder, store: store, task: task)
  }
}
