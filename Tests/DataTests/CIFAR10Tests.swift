import Foundation
import Testing

@testable import Data

struct CIFAR10Tests {
  private static let records = 20

  /// Twenty records a file; record r of file f has the label r % 10 and planes of f, r and 255.
  private func makeFolder(inner: String = "") throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let names = (1...5).map { "data_batch_\($0).bin" } + ["test_batch.bin"]
    for (f, name) in names.enumerated() {
      var bytes = Foundation.Data()
      for r in 0..<CIFAR10Tests.records {
        bytes.append(UInt8(r % 10))
        for value in [UInt8(f), UInt8(r), 255] {
          bytes.append(Foundation.Data(repeating: value, count: 1024))
        }
      }
      try folder.write(bytes, to: inner + name)
    }
    return folder
  }

  private func load(_ folder: TemporaryFolder) throws -> Dataset {
    let source = try CIFAR10.source(
      folder.path,
      resolution: 32,
      recordsPerFile: CIFAR10Tests.records
    )
    return try Dataset.load(source, settings("", resolution: 32, cache: folder.path + "/cache"))
  }

  @Test func `planes become pixels and the test batch stays apart`() throws {
    let dataset = try load(makeFolder())
    #expect(dataset.train.count == 100)
    #expect(dataset.test.count == 20)
    #expect(dataset.classNames[3] == "cat")
    #expect(dataset.train.labels[47] == 7)
    #expect(Array(dataset.train.image(47)[..<6]) == [2, 7, 255, 2, 7, 255])
    #expect(Array(dataset.test.image(4)[..<3]) == [5, 4, 255])
    #expect(dataset.credit.contains("Krizhevsky"))
  }

  @Test func `test images need no files of training images`() throws {
    let folder = try makeFolder()
    for i in 1...5 {
      try FileManager.default.removeItem(atPath: folder.path + "/data_batch_\(i).bin")
    }
    let source = try CIFAR10.source(
      folder.path,
      resolution: 32,
      testOnly: true,
      recordsPerFile: CIFAR10Tests.records
    )
    let data = try Dataset.load(
      source,
      settings("", resolution: 32, cache: folder.path + "/cache")
    )
    #expect(data.train.count == 0 && data.test.count == 20)
    #expect(Array(data.test.image(4)[..<3]) == [5, 4, 255])
  }

  @Test func `the folder of the archive is found and its class names are read`() throws {
    let inner = "cifar-10-batches-bin/"
    let folder = try makeFolder(inner: inner)
    let names = (0..<10).map { "class\($0)" }.joined(separator: "\n") + "\n\n"
    try folder.write(Foundation.Data(names.utf8), to: inner + "batches.meta.txt")
    #expect(try load(folder).classNames[9] == "class9")
  }

  @Test func `a short file, a missing file and a label above 9 are named`() throws {
    let short = try makeFolder()
    try short.write(Foundation.Data(repeating: 0, count: 3073), to: "data_batch_3.bin")
    #expect(line { _ = try load(short) }.contains("data_batch_3.bin: 3073 bytes"))

    let missing = try makeFolder()
    try FileManager.default.removeItem(atPath: missing.path + "/data_batch_2.bin")
    #expect(line { _ = try load(missing) }.contains("data_batch_2.bin: missing"))

    let wrong = try makeFolder()
    var bytes = Foundation.Data(repeating: 0, count: CIFAR10Tests.records * 3073)
    bytes[3073 * 5] = 10
    try wrong.write(bytes, to: "test_batch.bin")
    #expect(line { _ = try load(wrong) }.contains("image 5 has the label 10, above 9"))
    #expect(
      line { _ = try Dataset.load(settings("cifar10:/none")) }.contains("/none: no such folder")
    )
  }
}
