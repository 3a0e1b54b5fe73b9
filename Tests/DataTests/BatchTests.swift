import Foundation
import TestSupport
import Testing

@testable import Data

struct BatchTests {
  private let digits: Dataset
  private let all: [Int32]

  init() throws {
    digits = try Dataset.load(settings("digits"))
    all = (0..<Int32(digits.train.count)).map { $0 }
  }

  private func plan(
    seed: UInt64 = 1,
    epoch: Int = 0,
    stream: UInt32 = 0,
    augmentation: Augmentation? = Augmentation(shift: 1, flip: false),
    batch: Int = 64
  ) -> BatchPlan {
    BatchPlan(
      training: digits,
      indices: all,
      batch: batch,
      augmentation: augmentation,
      seed: seed,
      epoch: epoch,
      stream: stream
    )
  }

  /// A set of one 2×3-like tiny image for hand-made expectations: 3×3 pixels of one channel.
  private func tiny(_ padding: Dataset.Padding) -> Dataset {
    let images = PackedImages(
      bytes: Foundation.Data([0, 51, 102, 153, 204, 255, 0, 51, 102]),
      labels: [4],
      side: 3,
      channels: 1
    )
    return Dataset(
      name: "tiny",
      classNames: ["a"],
      channels: 1,
      resolution: 3,
      train: images,
      test: images,
      mean: [0.4],
      standardDeviation: [0.2],
      padding: padding,
      supportsFlip: true,
      skippedImages: 0,
      warnings: [],
      credit: "",
      cachePath: nil,
      content: noContent
    )
  }

  @Test func `the same seed, epoch and stream give the same bits`() {
    #expect(plan().batch(3) == plan().batch(3))
    #expect(plan().batch(3) != plan(seed: 2).batch(3))
    #expect(plan().batch(3) != plan(epoch: 1).batch(3))
    #expect(plan().batch(3) != plan(stream: 1).batch(3))
  }

  @Test func `a pass that resumes in the middle continues with the same bits`() {
    let whole = Array(BatchLoader(plan()))
    let rest = Array(BatchLoader(plan(), from: 9))
    #expect(whole.count == 1437 / 64)
    #expect(Array(whole[9...]) == rest)
  }

  @Test func `how far the loader runs ahead changes nothing`() {
    #expect(Array(BatchLoader(plan(), ahead: 1)) == Array(BatchLoader(plan(), ahead: 7)))
  }

  @Test func `training uses full batches of distinct images`() {
    let plan = plan(augmentation: nil)
    #expect(plan.images == 22 * 64)
    let unchanged = Set((0..<digits.train.count).map { digits.train.image($0) })
    var seen: [[Float]: Int] = [:]
    for batch in BatchLoader(plan) {
      #expect(batch.count == 64)
      for i in 0..<batch.count { seen[Array(batch.pixels[i * 64..<(i + 1) * 64]), default: 0] += 1 }
    }
    // A few scans occur twice in the data, so distinct pictures are counted, not images.
    #expect(seen.count > unchanged.count - 40)
  }

  @Test func `a set smaller than a batch gives one batch`() {
    let few = BatchPlan(
      training: digits,
      indices: [5, 6, 7],
      batch: 8,
      augmentation: nil,
      seed: 1,
      epoch: 0,
      stream: 0
    )
    #expect(few.count == 1)
    #expect(few.batch(0).count == 3)
    let none = BatchPlan(
      training: digits,
      indices: [],
      batch: 8,
      augmentation: nil,
      seed: 1,
      epoch: 0,
      stream: 0
    )
    #expect(none.count == 0)
    #expect(BatchLoader(none).next() == nil)
  }

  @Test func `evaluation covers every image once, in order`() {
    let plan = BatchPlan(evaluating: digits.test, of: digits, batch: 100)
    let batches = Array(BatchLoader(plan))
    #expect(batches.map(\.count) == [100, 100, 100, 60])
    #expect(batches.flatMap(\.labels) == digits.test.labels)
    let value =
      (Float(digits.test.image(359)[20]) / 255 - digits.mean[0]) / digits.standardDeviation[0]
    #expect(batches[3].pixels[59 * 64 + 20] == value)
    let some = BatchPlan(evaluating: digits.train, of: digits, indices: [8, 2], batch: 8).batch(0)
    #expect(some.labels == [digits.train.labels[8], digits.train.labels[2]])
  }

  @Test func `normalised training pixels have mean 0 and deviation 1`() {
    let plan = BatchPlan(evaluating: digits.train, of: digits, batch: 1437)
    let pixels = plan.batch(0).pixels.map(Double.init)
    let mean = pixels.reduce(0, +) / Double(pixels.count)
    let variance = pixels.reduce(0) { $0 + $1 * $1 } / Double(pixels.count) - mean * mean
    #expect(abs(mean) < 1e-4)
    #expect(abs(variance - 1) < 1e-4)
  }

  @Test func `shift and flip give all the pictures they should and no others`() {
    for padding in [Dataset.Padding.mean, .background] {
      let dataset = tiny(padding)
      let raw: [Float] = [0, 51, 102, 153, 204, 255, 0, 51, 102].map { $0 / 255 }
      let fill: Float = padding == .mean ? 0 : (0 - 0.4) / 0.2
      var expected = Set<[Float]>()
      for right in -1...1 {
        for down in -1...1 {
          for mirrored in [false, true] {
            expected.insert(
              (0..<9).map { i in
                let x = (mirrored ? 2 - i % 3 : i % 3)
                let column = mirrored ? x + right : x - right
                let row = i / 3 - down
                guard (0..<3).contains(column), (0..<3).contains(row) else { return fill }
                return (raw[row * 3 + column] - 0.4) / 0.2
              }
            )
          }
        }
      }
      var seen = Set<[Float]>()
      for epoch in 0..<400 {
        let plan = BatchPlan(
          training: dataset,
          indices: [0],
          batch: 1,
          augmentation: Augmentation(shift: 1, flip: true),
          seed: 3,
          epoch: epoch,
          stream: 0
        )
        seen.insert(plan.batch(0).pixels)
      }
      #expect(seen == expected)
    }
  }

  @Test func `three channels are normalised and mirrored each by itself`() {
    let images = PackedImages(
      bytes: Foundation.Data([10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120]),
      labels: [0],
      side: 2,
      channels: 3
    )
    let dataset = Dataset(
      name: "tiny",
      classNames: ["a"],
      channels: 3,
      resolution: 2,
      train: images,
      test: images,
      mean: [0.1, 0.2, 0.3],
      standardDeviation: [1, 0.5, 0.25],
      padding: .mean,
      supportsFlip: true,
      skippedImages: 0,
      warnings: [],
      credit: "",
      cachePath: nil,
      content: noContent
    )
    let bytes: [Float] = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120]
    let plain = bytes.enumerated().map {
      ($1 / 255 - dataset.mean[$0 % 3]) / dataset.standardDeviation[$0 % 3]
    }
    let mirrored = Array(plain[3..<6] + plain[0..<3] + plain[9..<12] + plain[6..<9])
    var seen = Set<[Float]>()
    for epoch in 0..<32 {
      let plan = BatchPlan(
        training: dataset,
        indices: [0],
        batch: 1,
        augmentation: Augmentation(shift: 0, flip: true),
        seed: 3,
        epoch: epoch,
        stream: 0
      )
      seen.insert(plan.batch(0).pixels)
    }
    #expect(seen == [plain, mirrored])
  }

  @Test func `the loader makes a bounded number of batches ahead`() throws {
    let loader = BatchLoader(plan(), ahead: 3)
    #expect(eventually { loader.ready == 3 })
    usleep(20_000)
    #expect(loader.ready == 3)
    _ = loader.next()
    #expect(loader.nextBatch == 1)
    #expect(eventually { loader.ready == 3 })
  }

  @Test func `a loader that is dropped midway leaves nothing running`() {
    weak var gone: BatchLoader?
    for _ in 0..<50 {
      let loader = BatchLoader(plan(), ahead: 8)
      gone = loader
      _ = loader.next()
    }
    #expect(gone == nil)
  }
}
