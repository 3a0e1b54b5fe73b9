import Foundation
import Synchronization
import Testing

@testable import Data

struct CacheTests {
  private let folder: TemporaryFolder
  private let cache: String

  init() throws {
    folder = try makeImageFolder()
    cache = folder.path + "/cache"
  }

  /// Loads the folder; `packed` says whether images had to be decoded.
  private func load(_ cache: String? = nil) throws -> (dataset: Dataset, packed: Bool) {
    var packed = false
    let dataset = try Dataset.load(
      settings(folder.path + "/set", cache: cache ?? self.cache),
      progress: { _, _ in packed = true }
    )
    return (dataset, packed)
  }

  private func bytes(_ images: PackedImages) -> [UInt8] { images.withBytes { Array($0) } }

  @Test func `a second load takes the same bits from the cache`() throws {
    let first = try load()
    let second = try load()
    #expect(first.packed)
    #expect(!second.packed)
    #expect(bytes(first.dataset.train) == bytes(second.dataset.train))
    #expect(bytes(first.dataset.test) == bytes(second.dataset.test))
    #expect(first.dataset.train.labels == second.dataset.train.labels)
    #expect(first.dataset.mean == second.dataset.mean)
    #expect(first.dataset.standardDeviation == second.dataset.standardDeviation)
    let path = try #require(second.dataset.cachePath)
    #expect(FileManager.default.fileExists(atPath: path))
    #expect(try FileManager.default.contentsOfDirectory(atPath: cache).count == 1)
  }

  @Test func `an added, removed or touched image makes the cache stale`() throws {
    _ = try load()
    let pixels = Picture.pixels(width: 12, height: 8, seed: 99)
    try folder.write(Picture.png(pixels, width: 12, height: 8), to: "set/train/cat/new.png")
    let added = try load()
    #expect(added.packed)
    #expect(added.dataset.train.count == 13)

    let path = folder.path + "/set/train/cat/new.png"
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1_000_000)],
      ofItemAtPath: path
    )
    #expect(try load().packed)
    #expect(try !load().packed)

    try FileManager.default.removeItem(atPath: path)
    let removed = try load()
    #expect(removed.packed)
    #expect(removed.dataset.train.count == 12)
  }

  @Test func `a flipped bit or a lost end anywhere is noticed and mended`() throws {
    let first = try load().dataset
    let path = try #require(first.cachePath)
    // Copied, because the images are mapped from the very file that is written to below.
    let good = bytes(first.train)
    let whole = try Foundation.Data(contentsOf: URL(fileURLWithPath: path))
    let last = whole.count - 1
    for position in [0, 1000, whole.count / 2, last - 400, last - 30, last - 20, last - 10, last] {
      var damaged = whole
      damaged[position] ^= 1
      try damaged.write(to: URL(fileURLWithPath: path))
      let again = try load()
      #expect(again.packed, "bit at \(position) of \(whole.count)")
      #expect(again.dataset.warnings.first?.contains("damaged") == true)
      let same = bytes(again.dataset.train) == good
      #expect(same)
    }
    for keep in [0, 10, whole.count - 1] {
      try whole.prefix(keep).write(to: URL(fileURLWithPath: path))
      #expect(try load().packed)
    }
    #expect(try !load().packed)
  }

  @Test func `what another version packed is packed again without a word`() throws {
    let first = try load().dataset
    let path = try #require(first.cachePath)
    let whole = try Foundation.Data(contentsOf: URL(fileURLWithPath: path))
    let contents = try PackedFile.read(whole)
    var description = contents.description
    description.version -= 1
    let labels = contents.train.labels + contents.test.labels
    let old = try whole.prefix(description.pixels) + PackedFile.tail(description, labels: labels)
    try old.write(to: URL(fileURLWithPath: path))
    let again = try load()
    #expect(again.packed)
    #expect(again.dataset.warnings == [])
    #expect(try !load().packed)
  }

  @Test func `without a cache the images stay in memory and a warning says so`() throws {
    // A file where the folder should be: refused for every user, also for root.
    try folder.write(Foundation.Data("x".utf8), to: "blocked")
    let stored = try load()
    let kept = try load(folder.path + "/blocked/cache")
    #expect(kept.dataset.cachePath == nil)
    #expect(kept.dataset.warnings.first?.contains("the cache cannot be written") == true)
    #expect(bytes(kept.dataset.train) == bytes(stored.dataset.train))
  }

  @Test func `what a killed process left is removed, what a living one writes is not`() throws {
    let path = try #require(try load().dataset.cachePath)
    let dead = path + ".999999999.tmp"
    let alive = path + ".1.tmp"
    for file in [dead, alive] {
      try Foundation.Data("x".utf8).write(to: URL(fileURLWithPath: file))
    }
    try FileManager.default.removeItem(atPath: path)
    _ = try load()
    #expect(!FileManager.default.fileExists(atPath: dead))
    #expect(FileManager.default.fileExists(atPath: alive))
  }

  @Test func `several that pack the same images at once do not disturb one another`() throws {
    let images = try settings(folder.path + "/set", cache: cache)
    let faults = Mutex<[String]>([])
    for _ in 0..<5 {
      DispatchQueue.concurrentPerform(iterations: 8) { _ in
        do {
          let warnings = try Dataset.load(images).warnings
          if !warnings.isEmpty { faults.withLock { $0 += warnings } }
        } catch {
          faults.withLock { $0.append("\(error)") }
        }
      }
      let path = try #require(try load().dataset.cachePath)
      try FileManager.default.removeItem(atPath: path)
    }
    #expect(faults.withLock { $0 } == [])
    #expect(try FileManager.default.contentsOfDirectory(atPath: cache).isEmpty)
  }

  @Test func `each resolution has its own file`() throws {
    let source = folder.path + "/set"
    let small = try Dataset.load(settings(source, resolution: 4, cache: cache))
    let large = try Dataset.load(settings(source, resolution: 8, cache: cache))
    #expect(small.train.side == 4)
    #expect(small.cachePath != large.cachePath)
  }
}
