import Foundation
import Runs
import Testing

@testable import Data

/// Test images as a trained network takes them (spec S123).
struct TestImagesTests {
  private let learned = LearnedData(
    classNames: ["cat", "dog", "emu"],
    mean: [0.1, 0.2, 0.3],
    standardDeviation: [0.5, 0.25, 0.125],
    side: 8
  )

  private func load(
    _ folder: TemporaryFolder,
    _ learned: LearnedData? = nil,
    resolution: Int = 8,
    repacks: Bool = false
  ) throws -> Dataset {
    try Dataset.tests(
      settings(folder.path + "/set", resolution: resolution, cache: folder.path + "/cache"),
      for: learned ?? self.learned,
      repacks: repacks
    )
  }

  /// The first test image of every class.
  private func firsts(_ data: Dataset) -> [String: [UInt8]] {
    var firsts: [String: [UInt8]] = [:]
    for (index, label) in data.test.labels.enumerated().reversed() {
      firsts[data.classNames[Int(label)]] = data.test.image(index)
    }
    return firsts
  }

  @Test func `classes keep their numbers whatever the folder has, and figures are those learned`()
    throws
  {
    let whole = try makeImageFolder(["cat", "dog", "emu"])
    let some = try makeImageFolder(["dog", "emu"])
    let all = try load(whole)
    #expect(all.test.labels == [0, 0, 1, 1, 2, 2] && all.warnings == [])
    #expect(all.learned == learned)
    let part = try load(some)
    #expect(part.test.labels == [1, 1, 2, 2])
    #expect(part.classNames == learned.classNames && part.mean == learned.mean)
    #expect(part.warnings.count == 1 && part.warnings[0].contains("no test image of cat;"))
    // Another order of the scores: the same images, other numbers.
    var turned = learned
    turned.classNames = ["emu", "cat", "dog"]
    let other = try load(whole, turned)
    #expect(other.test.labels == [1, 1, 2, 2, 0, 0])
    #expect(firsts(other) == firsts(all))
  }

  @Test func `training images are neither needed nor looked at`() throws {
    let folder = try makeImageFolder(["cat", "dog", "emu"])
    let before = try load(folder)
    try folder.write(Foundation.Data("no image".utf8), to: "set/train/cat/0.jpg")
    try folder.makeFolder("set/train/zebra")
    #expect(firsts(try load(folder)) == firsts(before))
    try FileManager.default.removeItem(atPath: folder.path + "/set/train")
    #expect(firsts(try load(folder)) == firsts(before))
    #expect(try load(folder).train.count == 0)
  }

  @Test func `test images alone have a cache besides that of the whole`() throws {
    let folder = try makeImageFolder(["cat", "dog", "emu"])
    let set = try settings(folder.path + "/set", cache: folder.path + "/cache")
    let whole = try Dataset.load(set)
    let tests = try load(folder)
    #expect(whole.cachePath != tests.cachePath && tests.cachePath != nil)
    var packed = false
    _ = try Dataset.load(set, progress: { _, _ in packed = true })
    _ = try Dataset.tests(set, for: learned, progress: { _, _ in packed = true })
    #expect(!packed)
  }

  @Test func `images are packed as in the training, or again for another resolution`() throws {
    let folder = try makeImageFolder(["cat", "dog", "emu"])
    var small = learned
    small.side = 5
    #expect(try load(folder, small).test.side == 5)
    #expect(try load(folder, small).width == 8)
    #expect(try load(folder, small, resolution: 6, repacks: true).test.side == 6)
  }

  @Test func `classes that were never learned are named, other channels refused`() throws {
    let strange = try makeImageFolder(["cat", "x_dog", "y_emu"])
    let message = line { _ = try load(strange) }
    #expect(message.contains("never learned x_dog, y_emu; it knows cat, dog, emu"))
    #expect(!message.contains("\n"))
    var grey = learned
    (grey.mean, grey.standardDeviation) = ([0.5], [0.5])
    let folder = try makeImageFolder(["cat"])
    #expect(line { _ = try load(folder, grey) }.contains("images of 3 channels"))
    let none = try TemporaryFolder()
    try none.makeFolder("set/train/cat")
    let empty = line { _ = try load(none) }
    #expect(empty.contains("train: no JPEG or PNG image in its class folders"))
  }

  @Test func `the digits are matched by name as well`() throws {
    var reversed = LearnedData(
      classNames: (0..<10).reversed().map(String.init),
      mean: [0.5],
      standardDeviation: [0.5],
      side: 8
    )
    let digits = try Dataset.load(settings("digits"))
    let tests = try Dataset.tests(settings("digits"), for: reversed)
    #expect(tests.test.labels == digits.test.labels.map { 9 - $0 })
    reversed.classNames[0] = "nine"
    #expect(
      line { _ = try Dataset.tests(settings("digits"), for: reversed) }.contains("never learned 9")
    )
  }
}

/// Which changes of a folder are changes of the data (spec S122).
struct ContentTests {
  private func load(_ folder: TemporaryFolder, cache: String = "cache") throws -> DataFingerprint {
    try Dataset.load(settings(folder.path + "/set", cache: folder.path + "/" + cache)).fingerprint
  }

  @Test func `copies, touched files and another cache are the same data`() throws {
    let folder = try makeImageFolder()
    let before = try load(folder)
    #expect(before.train.images == [6, 6] && before.test.images == [2, 2])
    #expect(Set(before.train.content + before.test.content).count == 4)
    #expect(try load(folder) == before)
    #expect(try load(folder, cache: "other") == before)
    #expect(try load(makeImageFolder()) == before)
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1_000_000)],
      ofItemAtPath: folder.path + "/set/train/cat/0.jpg"
    )
    #expect(try load(folder).changes(since: before) == [])
  }

  @Test func `one other pixel, an image more and swapped names are changes`() throws {
    let folder = try makeImageFolder()
    let before = try load(folder)
    // File 1 is a PNG, so the picture comes back as it was made.
    var pixels = Picture.pixels(width: 12, height: 8, seed: 1)
    pixels[3 * 18] ^= 1
    try folder.write(Picture.png(pixels, width: 12, height: 8), to: "set/train/cat/1.PNG")
    #expect(
      try load(folder).changes(since: before) == [
        "other pixels or another order of training images in cat"
      ]
    )
    let more = try makeImageFolder()
    try more.write(Picture.png(pixels, width: 12, height: 8), to: "set/test/dog/9.png")
    #expect(try load(more).changes(since: before) == ["1 test image more in dog"])
    let swapped = try makeImageFolder(["dog", "cat"])
    #expect(
      try load(swapped).changes(since: before) == [
        "classes that hold each other's images: cat, dog"
      ]
    )
  }

  @Test func `the digits never change`() throws {
    let digits = try Dataset.load(settings("digits")).fingerprint
    #expect(digits.train.images.reduce(0, +) == 1437)
    let again = try Dataset.load(settings("digits", resolution: 16)).fingerprint
    #expect(again.changes(since: digits) == [])
  }
}
