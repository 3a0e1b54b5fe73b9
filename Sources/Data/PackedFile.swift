import Foundation
import Runs

/// The packed form of a data set, on disk or in memory.
///
/// Layout: pixels of the training images, pixels of the test images, labels of both (Int32, little
/// endian), a description in JSON, and 24 last bytes: magic number, length and checksum of the
/// JSON. The description is at the end so that images can be written as they are decoded, and
/// pixels come first so that they are page-aligned when mapped.
enum PackedFile {
  /// Raised whenever the layout or the meaning of the pixels changes.
  static let version = 3
  private static let magic: UInt64 = 0x3170_6F74_7265_7073  // "spertop1"
  private static let trailer = 24

  struct Description: Codable, Sendable {
    var version: Int
    var name: String
    var side: Int
    var channels: Int
    var classNames: [String]
    var fingerprint: String
    var train: Int
    /// Of the training images, how many of the last only evaluate; nil for none.
    var validation: Int?
    var test: Int
    var mean: [Double]
    var standardDeviation: [Double]
    var skipped: Int
    var warnings: [String]
    /// What the images are, by which a run knows its data again.
    var trainContent: DataFingerprint.Part
    var testContent: DataFingerprint.Part
    var checksum: String

    var pixels: Int { (train + test) * side * side * channels }
  }

  struct Contents: Sendable {
    var description: Description
    var train: PackedImages
    var test: PackedImages
  }

  /// Why a file is packed again.
  enum Unusable: Error {
    case damaged
    /// Sound, but packed by the rules of another version of the program.
    case outdated
  }

  /// Checksum of the pixels, which must start at an aligned address.
  static func checksum(pixels: Foundation.Data) -> String {
    var fingerprint = Fingerprint()
    pixels.withUnsafeBytes { fingerprint.combine($0) }
    return fingerprint.text
  }

  /// Everything that follows the pixels.
  static func tail(_ description: Description, labels: [Int32]) throws -> Foundation.Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let json = try encoder.encode(description)
    var tail = Foundation.Data()
    for label in labels { append(UInt64(UInt32(bitPattern: label)), bytes: 4, to: &tail) }
    let checksum = Self.checksum(labels: tail, json: json)
    tail.append(json)
    append(magic, bytes: 8, to: &tail)
    append(UInt64(json.count), bytes: 8, to: &tail)
    append(checksum, bytes: 8, to: &tail)
    return tail
  }

  /// Reads a whole file; throws `Unusable` if anything in it is not as it was written, or was
  /// written by other rules.
  static func read(_ file: Foundation.Data) throws -> Contents {
    guard file.count >= trailer else { throw Unusable.damaged }
    let end = file.count - trailer
    guard word(file, at: end, bytes: 8) == magic,
      let length = Int(exactly: word(file, at: end + 8, bytes: 8)), length <= end
    else { throw Unusable.damaged }
    let json = file[end - length..<end]
    struct Format: Decodable { var version: Int }
    guard let format = try? JSONDecoder().decode(Format.self, from: json) else {
      throw Unusable.damaged
    }
    guard format.version == version else { throw Unusable.outdated }
    guard let description = try? JSONDecoder().decode(Description.self, from: json),
      description.train >= 0, description.test >= 0, description.side > 0,
      0...description.train ~= description.validation ?? 0,
      description.channels > 0
    else { throw Unusable.damaged }
    let count = description.train + description.test
    guard description.pixels + 4 * count + length == end else { throw Unusable.damaged }
    let labels = file[description.pixels..<end - length]
    guard word(file, at: end + 16, bytes: 8) == checksum(labels: labels, json: json),
      checksum(pixels: file[..<description.pixels]) == description.checksum
    else { throw Unusable.damaged }

    let classes = (0..<count).map {
      Int32(truncatingIfNeeded: word(file, at: description.pixels + 4 * $0, bytes: 4))
    }
    let border = description.train * description.side * description.side * description.channels
    func images(_ bytes: Range<Int>, _ labels: Range<Int>) -> PackedImages {
      PackedImages(
        bytes: file[bytes],
        labels: Array(classes[labels]),
        side: description.side,
        channels: description.channels
      )
    }
    return Contents(
      description: description,
      train: images(0..<border, 0..<description.train),
      test: images(border..<description.pixels, description.train..<count)
    )
  }

  private static func checksum(labels: Foundation.Data, json: Foundation.Data) -> UInt64 {
    var fingerprint = Fingerprint()
    for part in [labels, json] {
      fingerprint.combine(UInt64(part.count))
      part.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
        for byte in bytes { fingerprint.combine(UInt64(byte)) }
      }
    }
    return fingerprint.value
  }

  private static func append(_ value: UInt64, bytes: Int, to data: inout Foundation.Data) {
    for i in 0..<bytes { data.append(UInt8(truncatingIfNeeded: value >> (8 * UInt64(i)))) }
  }

  private static func word(_ data: Foundation.Data, at offset: Int, bytes: Int) -> UInt64 {
    data.withUnsafeBytes { (buffer: UnsafeRawBufferPointer) in
      var word: UInt64 = 0
      for i in 0..<bytes { word |= UInt64(buffer[offset + i]) << (8 * UInt64(i)) }
      return word
    }
  }
}
