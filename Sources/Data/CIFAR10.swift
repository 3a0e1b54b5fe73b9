import Foundation
import Runs

/// CIFAR-10 in its binary layout (Krizhevsky 2009): records of a label and 32×32 red, green and
/// blue planes, 10,000 to a file.
enum CIFAR10 {
  static let credit = "CIFAR-10, A. Krizhevsky, Learning Multiple Layers of Features, 2009"
  private static let side = 32
  private static let record = 1 + 3 * side * side
  private static let trainFiles = (1...5).map { "data_batch_\($0).bin" }
  private static let testFiles = ["test_batch.bin"]
  private static let classNames = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
  ]

  /// Checks names and sizes of the files in `path` or its subfolder `cifar-10-batches-bin`.
  ///
  /// With `testOnly` those of the training images are not needed. `recordsPerFile` differs from
  /// 10,000 only in tests.
  static func source(
    _ path: String,
    resolution: Int,
    testOnly: Bool = false,
    recordsPerFile: Int = 10_000
  ) throws -> ImageSource {
    let fileNames = (testOnly ? [] : trainFiles) + testFiles
    var folder = Path.absolute(path)
    let inner = folder + "/cifar-10-batches-bin"
    if FileFacts(inner)?.isFolder == true { folder = inner }
    guard FileFacts(folder)?.isFolder == true else {
      throw UserError(
        .noInput,
        path,
        "no such folder",
        remedy: "unpack cifar-10-binary.tar.gz and give its folder"
      )
    }
    var fingerprint = Fingerprint()
    for name in fileNames {
      guard let facts = FileFacts("\(folder)/\(name)") else {
        throw UserError(
          .noInput,
          "\(folder)/\(name)",
          "missing",
          remedy: "unpack cifar-10-binary.tar.gz again"
        )
      }
      guard facts.size == recordsPerFile * record else {
        throw UserError(
          .data,
          "\(folder)/\(name)",
          "\(Format.counted(facts.size, "byte")), "
            + "but \(recordsPerFile) images are \(recordsPerFile * record)",
          remedy: "unpack cifar-10-binary.tar.gz again"
        )
      }
      fingerprint.combine(name)
      fingerprint.combine(facts)
    }
    let names = try readClassNames(folder)
    let files = try fileNames.map { try mapBytes("\(folder)/\($0)") }
    let finalFolder = folder
    return ImageSource(
      name: "cifar10",
      folder: folder,
      side: min(resolution, side),
      classNames: names,
      fingerprint: fingerprint,
      credit: credit,
      isTestOnly: testOnly,
      list: {
        let listed = try zip(fileNames, files).enumerated().map { index, file in
          try items(file.0, file.1, first: index * recordsPerFile, folder: finalFolder)
        }
        let train = Array(listed.dropLast().joined())
        return ImageSource.Listing(train: train, test: listed.last ?? [])
      },
      decode: { item in
        let start = item.record % recordsPerFile * record + 1
        return interleave(files[item.record / recordsPerFile], from: start)
      }
    )
  }

  private static func readClassNames(_ folder: String) throws -> [String] {
    let path = folder + "/batches.meta.txt"
    guard FileFacts(path) != nil else { return classNames }
    let names = try readText(path).split(whereSeparator: \.isNewline).map {
      $0.trimmingCharacters(in: .whitespaces)
    }.filter { !$0.isEmpty }
    guard names.count == classNames.count else {
      throw UserError(
        .data,
        path,
        "\(Format.counted(names.count, "class name")) instead of 10",
        remedy: "unpack cifar-10-binary.tar.gz again"
      )
    }
    return names
  }

  private static func items(
    _ name: String,
    _ file: Foundation.Data,
    first: Int,
    folder: String
  ) throws -> [ImageSource.Item] {
    try file.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
      try stride(from: 0, to: bytes.count, by: record).map { start in
        guard bytes[start] < 10 else {
          throw UserError(
            .data,
            "\(folder)/\(name)",
            "image \(start / record) has the label \(bytes[start]), above 9",
            remedy: "unpack cifar-10-binary.tar.gz again"
          )
        }
        return ImageSource.Item(
          path: name,
          label: Int32(bytes[start]),
          record: first + start / record
        )
      }
    }
  }

  /// Planes to pixels.
  private static func interleave(_ file: Foundation.Data, from start: Int) -> DecodedImage {
    let plane = side * side
    let pixels = [UInt8](unsafeUninitializedCapacity: 3 * plane) { buffer, count in
      count = 3 * plane
      file.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
        for channel in 0..<3 {
          var i = 0
          while i < plane {
            buffer[i * 3 + channel] = bytes[start + channel * plane + i]
            i += 1
          }
        }
      }
    }
    return DecodedImage(width: side, height: side, pixels: pixels)
  }
}
