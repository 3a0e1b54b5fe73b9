import Foundation
import Runs
import Testing

@testable import Data

struct IDXFilesTests {
  private static func numbers(_ values: [Int]) -> [UInt8] {
    values.flatMap { value in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }
  }

  /// Images of 6×5 pixels, each filled with its number in the file.
  private static func images(_ count: Int) -> [UInt8] {
    [0, 0, 8, 3] + numbers([count, 6, 5])
      + (0..<count).flatMap { [UInt8](repeating: UInt8($0), count: 30) }
  }

  private static func labels(_ values: [UInt8]) -> [UInt8] {
    [0, 0, 8, 1] + numbers([values.count]) + values
  }

  /// The four files, with labels from 1 on.
  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for (name, bytes) in [
      ("train-images-idx3-ubyte", Self.images(6)),
      ("train-labels-idx1-ubyte", Self.labels([1, 2, 4, 1, 2, 4])),
      ("t10k-images-idx3-ubyte", Self.images(2)),
      ("t10k-labels-idx1-ubyte", Self.labels([4, 1])),
    ] {
      try folder.write(Foundation.Data(bytes), to: "set/" + name)
    }
    return folder
  }

  private func load(_ folder: TemporaryFolder) throws -> Dataset {
    try Dataset.load(settings(folder.path + "/set", resolution: 5, cache: folder.path + "/cache"))
  }

  @Test func `the four files of a folder are a data set, its classes the labels that occur`() throws
  {
    let folder = try folder()
    let data = try load(folder)
    #expect(data.classNames == ["1", "2", "4"])
    #expect(data.train.labels == [0, 1, 2, 0, 1, 2])
    #expect(data.test.labels == [2, 0])
    #expect((0..<6).allSatisfy { data.train.image($0) == [UInt8](repeating: UInt8($0), count: 75) })
    let tests = try Dataset.tests(
      settings(folder.path + "/set", resolution: 5, cache: folder.path + "/cache"),
      for: data.learned
    )
    #expect(tests.test.labels == [2, 0])
    let survey = try ImageSurvey(folder: folder.path + "/set")
    #expect(survey.side == 5 && survey.isGrey && survey.train == 6 && survey.classes == 3)
  }

  @Test func `files may be packed by gzip`() throws {
    let folder = try folder()
    let plain = try load(folder)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "gzip '\(folder.path)/set'/*"]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    let packed = try load(folder)
    #expect((0..<6).map(packed.train.image) == (0..<6).map(plain.train.image))
    #expect(packed.fingerprint == plain.fingerprint)
    // A file that is cut anywhere is refused by name, in one line.
    let name = "set/train-images-idx3-ubyte.gz"
    let whole = try Foundation.Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\(name)"))
    for count in 0..<whole.count {
      try folder.write(whole.prefix(count), to: name)
      let said = line { _ = try load(folder) }
      #expect(said.contains("train-images-idx3-ubyte.gz: ") && !said.contains("\n"), "\(count)")
    }
  }

  @Test func `what does not belong together is named`() throws {
    func refusal(_ change: (TemporaryFolder) throws -> Void) throws -> String {
      let folder = try folder()
      try change(folder)
      return line { _ = try load(folder) }
    }
    let manager = FileManager.default
    let lost = try refusal {
      try manager.removeItem(atPath: $0.path + "/set/t10k-images-idx3-ubyte")
    }
    #expect(lost.contains("no file t10k-images-idx3-ubyte in it, but train-images-idx3-ubyte"))
    let unlabelled = try refusal {
      try manager.removeItem(atPath: $0.path + "/set/train-labels-idx1-ubyte")
    }
    #expect(unlabelled.contains("train-labels-idx1-ubyte: missing"))
    let few = try refusal {
      try $0.write(
        Foundation.Data(Self.labels([1, 2])),
        to: "set/train-labels-idx1-ubyte"
      )
    }
    #expect(few.contains("train-labels-idx1-ubyte: 2 labels, but 6 images"))
    let strange = try refusal {
      try $0.write(Foundation.Data(Self.labels([9, 1])), to: "set/t10k-labels-idx1-ubyte")
    }
    #expect(strange.contains("images of class 9"))
    let swapped = try refusal {
      try $0.write(Foundation.Data(Self.labels([1])), to: "set/t10k-images-idx3-ubyte")
    }
    #expect(swapped.contains("not an IDX file of bytes in 3 dimensions"))
    let twice = try refusal {
      try $0.write(Foundation.Data(Self.images(1)), to: "set/emnist-train-images-idx3-ubyte")
    }
    #expect(twice.contains("several files of images"))
  }
}
