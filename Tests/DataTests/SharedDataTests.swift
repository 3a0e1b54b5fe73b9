import Foundation
import TestSupport
import Testing

@testable import Data

@Suite(.enabled(if: sharedFolder != nil, "needs the shared data: set SUPERTOP_SHARED"))
struct SharedDataTests {
  @Test func `real CIFAR-10 JPEG files load`() throws {
    let shared = try #require(sharedFolder)
    let folder = try TemporaryFolder()
    let tar = Process()
    tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    tar.arguments = [
      "tar", "xzf", shared + "/data/cifar10-images.tar.gz", "-C", folder.path, "--wildcards",
      "train/*/000?.jpg", "test/*/000?.jpg",
    ]
    try tar.run()
    tar.waitUntilExit()
    #expect(tar.terminationStatus == 0)
    let dataset = try Dataset.load(
      settings(folder.path, resolution: 32, cache: folder.path + "/cache")
    )
    #expect(dataset.classNames.count == 10)
    #expect(dataset.train.counts(classes: 10) == [Int](repeating: 10, count: 10))
    #expect(dataset.train.side == 32)
    // The published means are 0.491, 0.482, 0.447; a hundred images come near.
    for (mean, published) in zip(dataset.mean, [0.491, 0.482, 0.447]) {
      #expect(abs(Double(mean) - published) < 0.08)
    }
  }

  @Test func `the built-in digits are the shared ones, byte for byte`() throws {
    let shared = try #require(sharedFolder)
    let unzip = Process()
    let output = Pipe()
    unzip.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    unzip.arguments = ["gzip", "-dc", shared + "/data/digits.csv.gz"]
    unzip.standardOutput = output
    try unzip.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    unzip.waitUntilExit()
    let same = Array(text) == Digits.table
    #expect(same)
  }
}
