@testable import Data
import Foundation
import Networks
import Runs
import Tensor
import TestSupport
import Testing

@testable import Training

/// Whole trainings of a tiny network: records, results, and that interruptions leave no trace (spec
/// S41, S120, S121).
@Suite(.serialized) struct NetworkTaskTests {
  private static let noisy = [
    "optimiser=rmsprop", "learning_rate=0.01", "mixup=0.4", "dropout=0.2", "drop_path=0.2",
    "ema=0.9", "label_smoothing=0.1", "shift=1",
  ]

  /// The result of a training with everything switched on that nobody touches.
  private static let unbroken = Result { try TinyTraining(noisy).finished() }

  @Test func `the same seed gives the same bits and another seed others`() throws {
    let first = try NetworkTaskTests.unbroken.get()
    let second = try TinyTraining(NetworkTaskTests.noisy).finished()
    let other = try TinyTraining(NetworkTaskTests.noisy + ["seed=2"]).finished()
    #expect(first.weightsHash == second.weightsHash)
    #expect(first.validationLoss == second.validationLoss)
    #expect(first.weightsHash != other.weightsHash)
  }

  @Test(arguments: [1, 5, 6, 11])
  func `a training stopped after some steps ends as an unbroken one`(steps: Int) throws {
    let run = try TinyTraining(NetworkTaskTests.noisy)
    try run.stopped(after: steps)
    #expect(run.folder.checkpointSteps().last == steps)
    let result = try run.finished()
    let unbroken = try NetworkTaskTests.unbroken.get()
    #expect(result.weightsHash == unbroken.weightsHash)
    #expect(result.validationLoss == unbroken.validationLoss)
    #expect(result.top1 == unbroken.top1 && result.top5 == unbroken.top5)
  }

  @Test func `a finished training holds its records`() throws {
    let run = try TinyTraining([])
    let result = try run.finished()
    let steps = try run.reader.steps()
    let epochs = try run.reader.epochs()
    // 1,437 images, a tenth of each class to evaluate, in batches of 256, three epochs.
    #expect(steps.map(\.step) == Array(0..<15))
    #expect(steps.allSatisfy { $0.images == 256 && $0.phase == .weights && $0.temperature == 0 })
    #expect(steps.allSatisfy { $0.cost == result.flops })
    #expect(epochs.map(\.step) == [5, 10, 15])
    #expect(try run.reader.choices().isEmpty && run.reader.thetas().isEmpty)
    #expect(try run.reader.data() == TinyNetwork.digits.fingerprint)
    #expect(try run.reader.status()?.state == .finished)
    #expect(result.validationAccuracy == epochs[2].validationAccuracy)
    #expect(result.validationLoss == epochs[2].validationLoss)
    #expect(result.testAccuracy == result.top1)
    #expect(result.top1 < result.top5 && result.top5 <= 1)
  }

  @Test func `a finished training keeps its result and gives it again`() throws {
    let run = try TinyTraining(["epochs=1"])
    let result = try run.finished()
    let kept = try run.reader.result()
    #expect(kept == (try RunResult.training(result).json()))

    let again = try Trainer(folder: run.folder, makeSession: NetworkTask.make())
    again.start()
    #expect(again.wait(seconds: 0) == .finished(.training(result)))
  }

  @Test func `the weights alone give the figures back`() throws {
    let run = try TinyTraining(["ema=0.9"])
    let result = try run.finished()
    let file = try Checkpoint.read(from: run.folder.weightsPath)
    let description = try NetworkFile.parse(
      Foundation.Data(try #require(file.metadata["network"]).utf8)
    )
    #expect(description == (try TinyNetwork.description()))
    let data = TinyNetwork.digits
    #expect(try LearnedData(metadata: file.metadata, path: "") == data.learned)
    let engine = Engine.ofRun(threads: 2)
    let network = Network(description, engine: engine, seed: 5)
    try network.restore(file.state)
    let evaluator = NetworkEvaluator(network, engine: engine)
    func score(_ images: PackedImages, _ indices: [Int32]? = nil) -> NetworkScore {
      var score = NetworkScore()
      let plan = BatchPlan(evaluating: images, of: data, indices: indices, batch: 256)
      for index in 0..<plan.count { evaluator.evaluate(plan.batch(index), into: &score) }
      return score
    }
    let tested = score(data.test)
    #expect(tested.images == 360)
    #expect(tested.top1 == result.top1 && tested.top5 == result.top5)
    #expect(abs(tested.crossEntropy - result.testLoss) < 1e-9)
    // The epochs were evaluated on training images that trained nothing.
    let split = Split(labels: data.train.labels, thetaShare: 0, validationShare: 0.1, seed: 1)
    let validated = score(data.train, split.validation)
    #expect(validated.images == split.validation.count && validated.images > 130)
    #expect(validated.top1 == result.validationAccuracy)
    #expect(abs(validated.crossEntropy - result.validationLoss) < 1e-9)
  }

  @Test func `without a validation share epochs are evaluated on the test images`() throws {
    let run = try TinyTraining(["validation_share=0", "epochs=1", "batch=1437"])
    let result = try run.finished()
    #expect(try run.reader.steps().map(\.images) == [1437])
    #expect(result.validationAccuracy == result.testAccuracy)
    #expect(result.validationLoss == result.testLoss)
  }

  @Test func `images that evaluate train nothing`() throws {
    let run = try TinyTraining(["batch=1437", "validation_share=0.5"])
    guard case .training(let settings) = try run.folder.settings() else { return }
    let data = TinyNetwork.digits
    let task = try NetworkTask(settings, folder: run.folder, data: data)
    let split = Split(labels: data.train.labels, thetaShare: 0, validationShare: 0.5, seed: 1)
    let trained = task.batches(.weights, epoch: 0).batch(0)
    #expect(trained.count == split.weights.count && trained.count < 730)
    let pixels = BatchPlan(evaluating: data.train, of: data, indices: split.weights, batch: 1437)
      .batch(0).pixels
    #expect(trained.pixels.reduce(0, +).isFinite)
    #expect(abs(trained.pixels.reduce(0, +) - pixels.reduce(0, +)) < 1)
  }

  @Test func `data that has changed is refused with nothing lost, or accepted and logged`() throws {
    let run = try TinyTraining([])
    try run.stopped(after: 6)
    let now = try #require(try run.reader.data())
    var before = now
    before.train.images[3] -= 2
    before.train.content[3] = "other"
    try run.folder.store().record(data: before)
    let error = try #require(try run.failure())
    #expect(error.code == .data && error.place == "digits")
    #expect(error.problem.contains("2 training images more in 3"))
    #expect(error.remedy.contains("--accept-changed-data"))
    #expect(try run.reader.data() == before)
    #expect(run.folder.checkpointSteps().last == 6)
    #expect(try run.reader.steps().count == 6)

    let accepting = try Trainer(
      folder: run.folder,
      acceptsChangedData: true,
      makeSession: NetworkTask.make()
    )
    accepting.start()
    guard case .finished = accepting.wait(seconds: patience) else {
      Issue.record("did not go on")
      return
    }
    #expect(try run.reader.data() == now)
    #expect(try run.reader.log().contains { $0.text.contains("2 training images more in 3") })
  }

  @Test func `data of another number of classes is not accepted`() throws {
    let run = try TinyTraining([])
    try run.stopped(after: 1)
    var before = try #require(try run.reader.data())
    before.learned.classNames.removeLast()
    before.train.content.removeLast()
    before.test.content.removeLast()
    try run.folder.store().record(data: before)
    let error = try #require(try run.failure(acceptsChangedData: true))
    #expect(error.problem.contains("new classes: 9"))
    #expect(!error.remedy.contains("--accept-changed-data"))
    #expect(try run.reader.data() == before)
  }

  @Test func `a training has no temperature to bend`() throws {
    let run = try TinyTraining([])
    try run.reader.request(.setTemperature(2))
    let trainer = try Trainer(folder: run.folder, makeSession: NetworkTask.make())
    // A request from before the trainer stays open for it.
    trainer.start()
    _ = trainer.wait(seconds: patience)
    let request = try #require(try run.reader.interventions().first)
    #expect(request.state == .refused && request.note.contains("no temperature"))
  }

  // MARK: Settings that act over a whole training

  @Test func `the schedule, its warm-up and its factors are what the steps record`() throws {
    func rates(_ overrides: [String]) throws -> [Double] {
      let run = try TinyTraining(["batch=512", "epochs=4", "learning_rate=0.4"] + overrides)
      _ = try run.finished()
      // Two steps an epoch.
      return try run.reader.steps().map(\.learningRate)
    }
    func close(_ a: [Double], _ b: [Double]) -> Bool {
      a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < 1e-9 }
    }
    let none = "warmup_epochs=0"
    #expect(close(try rates(["schedule=constant", none]), Array(repeating: 0.4, count: 8)))
    #expect(
      close(
        try rates(["schedule=cosine", none]),
        (0..<8).map { 0.2 * (1 + cos(.pi * Double($0) / 8)) }
      )
    )
    #expect(
      close(
        try rates(["schedule=step", none, "step_epochs=2", "decay_factor=0.5"]),
        [0.4, 0.4, 0.4, 0.4, 0.2, 0.2, 0.2, 0.2]
      )
    )
    #expect(
      close(
        try rates(["schedule=exponential", none, "decay_factor=0.25"]),
        (0..<8).map { 0.4 * pow(0.25, Double($0) / 2) }
      )
    )
    #expect(
      close(
        try rates(["schedule=constant", "warmup_epochs=2"]),
        [0.1, 0.2, 0.3, 0.4, 0.4, 0.4, 0.4, 0.4]
      )
    )
  }

  @Test func `epochs and batch set the steps, and flip and shift the images`() throws {
    let run = try TinyTraining(["epochs=2", "batch=300"])
    let result = try run.finished()
    // 1,437 images make four full batches of 300.
    #expect(result.epochs == 2 && result.steps == 8)
    #expect(try run.reader.steps().allSatisfy { $0.images == 300 })

    let digits = TinyNetwork.digits
    let mirrored = Dataset(
      name: digits.name,
      classNames: digits.classNames,
      channels: 1,
      resolution: 8,
      train: digits.train,
      test: digits.test,
      mean: digits.mean,
      standardDeviation: digits.standardDeviation,
      padding: digits.padding,
      supportsFlip: true,
      skippedImages: 0,
      warnings: [],
      credit: "",
      cachePath: nil,
      content: (digits.fingerprint.train, digits.fingerprint.test)
    )
    func images(_ overrides: [String]) throws -> Batch {
      let run = try TinyTraining(["batch=64"] + overrides)
      guard case .training(let settings) = try run.folder.settings() else { return batch }
      let task = try NetworkTask(settings, folder: run.folder, data: mirrored)
      return task.batches(.weights, epoch: 0).batch(0)
    }
    let plain = try images([])
    let flipped = try images(["flip=true"])
    let shifted = try images(["shift=2"])
    #expect(plain.labels == flipped.labels && plain.labels == shifted.labels)
    func rows(_ batch: Batch, _ image: Int) -> [[Float]] {
      (0..<8).map { Array(batch.pixels[image * 64 + $0 * 8..<image * 64 + $0 * 8 + 8]) }
    }
    let turned = (0..<64).filter { image in
      rows(flipped, image) == rows(plain, image).map { $0.reversed() }
    }
    #expect((16...48).contains(turned.count))
    #expect(
      (0..<64).allSatisfy {
        turned.contains($0) || rows(flipped, $0) == rows(plain, $0)
      }
    )
    #expect((0..<64).count { rows(shifted, $0) != rows(plain, $0) } > 40)
  }

  private var batch: Batch { TinyNetwork.batch(1) }

  @Test func `recalibration images change the statistics alone`() throws {
    func file(_ images: Int) throws -> Checkpoint {
      let run = try TinyTraining(["epochs=1", "recalibration_images=\(images)"])
      _ = try run.finished()
      return try Checkpoint.read(from: run.folder.weightsPath)
    }
    let (few, many) = (try file(32), try file(1024))
    for (a, b) in zip(few.tensors, many.tensors) {
      #expect(a.name == b.name)
      let isStatistic = a.name.hasSuffix(".mean") || a.name.hasSuffix(".variance")
      #expect((a.values != b.values) == isStatistic, "\(a.name)")
    }
  }

  /// That its figures are those of its file: `the weights alone give the figures back`.
  @Test func `a moving average gives another file and other figures`() throws {
    func file(_ overrides: [String]) throws -> (Checkpoint, TrainingResult) {
      let run = try TinyTraining(["epochs=2"] + overrides)
      let result = try run.finished()
      return (try Checkpoint.read(from: run.folder.weightsPath), result)
    }
    let (plain, plainResult) = try file([])
    let (averaged, averagedResult) = try file(["ema=0.99"])
    #expect(plain["classifier.weight"] != averaged["classifier.weight"])
    #expect(plainResult.validationLoss != averagedResult.validationLoss)
  }

  @Test func `a network made for other images is refused`() throws {
    let run = try TinyTraining([], network: TinyNetwork.json(classes: 7))
    let trainer = try Trainer(folder: run.folder, makeSession: NetworkTask.make())
    trainer.start()
    guard case .failed(let error) = trainer.wait(seconds: patience) else {
      Issue.record("trained on")
      return
    }
    #expect(error.code == .data && error.problem.contains("7 classes"))
  }
}

/// A training of three epochs on the digits in a folder of its own.
private final class TinyTraining {
  let folder: RunFolder
  let reader: RunReader
  private let place: URL

  init(_ overrides: [String], network: String = TinyNetwork.json()) throws {
    place = FileManager.default.temporaryDirectory
      .appendingPathComponent("supertop-training-\(UUID().uuidString)")
    var settings = TrainingConfiguration(
      network: "tiny",
      data: TrainingConfiguration.Images(source: "digits", resolution: 8)
    )
    try settings.apply(["epochs=3", "batch=256", "recalibration_images=256"] + overrides)
    folder = try RunFolder.create(
      at: place.path,
      settings: .training(settings),
      network: Foundation.Data(network.utf8)
    )
    reader = try folder.reader()
  }

  deinit {
    try? FileManager.default.removeItem(at: place)
  }

  func finished() throws -> TrainingResult {
    let trainer = try Trainer(folder: folder, makeSession: NetworkTask.make())
    trainer.start()
    let outcome = trainer.wait(seconds: patience)
    guard case .finished(.training(let result)) = outcome else {
      throw UserError(.software, "test", "the run ended with \(String(describing: outcome))")
    }
    return result
  }

  /// What the run fails with, nil if it does not; no trainer is left behind.
  func failure(acceptsChangedData: Bool = false) throws -> UserError? {
    let trainer = try Trainer(
      folder: folder,
      acceptsChangedData: acceptsChangedData,
      makeSession: NetworkTask.make()
    )
    trainer.start()
    guard case .failed(let error) = trainer.wait(seconds: patience) else { return nil }
    return error
  }

  /// Trains `steps` single steps from the run's start and stops.
  func stopped(after steps: Int) throws {
    let trainer = try Trainer(folder: folder, makeSession: NetworkTask.make())
    try reader.request(.pause)
    for _ in 0..<steps { try reader.request(.singleStep) }
    trainer.start()
    _ = try eventually {
      try reader.status().map { $0.state == .paused && $0.step == steps } ?? false
    }
    try reader.request(.stop)
    guard trainer.wait(seconds: patience) == .stopped else {
      throw UserError(.software, "test", "the run did not stop")
    }
  }
}
