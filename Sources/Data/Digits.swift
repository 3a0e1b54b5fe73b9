import Foundation
import Runs
import Tensor

/// The built-in data set: 1,797 scans of handwritten digits, 8×8 pixels of 17 grey levels.
///
/// Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, UCI Machine Learning
/// Repository, CC BY 4.0 (doi 10.24432/C50P49).
///
/// The split is fixed for good: 1,437 images for training, 360 for testing. In the order of the
/// classes, each gives its share of the 360 (the running totals are rounded down), namely the first
/// images of the permutation of its rows by Philox with seed 1998, purpose `split` and the class as
/// index. Both sets keep the order of the rows in the file.
enum Digits {
  static let credit =
    "Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, UCI, CC BY 4.0"
  static let testImages = 360
  private static let seed: UInt64 = 1998
  private static let side = 8
  private static let classes = 10

  /// The table of grey levels and labels as text.
  ///
  /// It is packed in the program because a long array literal takes the compiler a minute.
  static let table: [UInt8] = {
    guard let table = inflated(PackageResources.digits_csv_gz, most: 1 << 20) else {
      preconditionFailure("digits.csv.gz is damaged")
    }
    return table
  }()

  /// Grey levels stretched to 0…255, and the labels, in the order of the file.
  static func rows() -> (pixels: [UInt8], labels: [Int32]) {
    var pixels: [UInt8] = []
    var labels: [Int32] = []
    var number = 0
    var column = 0
    for byte in table {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        number = number * 10 + Int(byte - UInt8(ascii: "0"))
      case UInt8(ascii: ","):
        pixels.append(UInt8((number * 255 + 8) / 16))
        number = 0
        column += 1
      case UInt8(ascii: "\n"):
        precondition(column == side * side, "digits.csv: a row has \(column) pixels")
        labels.append(Int32(number))
        number = 0
        column = 0
      default: continue
      }
    }
    return (pixels, labels)
  }

  /// Row numbers of the test images, rising.
  static func testRows(labels: [Int32]) -> [Int] {
    var chosen: [Int] = []
    var seen = 0
    for digit in 0..<classes {
      let rows = labels.indices.filter { labels[$0] == Int32(digit) }
      let share =
        (seen + rows.count) * testImages / labels.count - seen * testImages / labels.count
      seen += rows.count
      var random = Philox(seed: seed, purpose: .split, index: UInt32(digit))
      chosen += random.permutation(rows.count).prefix(share).map { rows[Int($0)] }
    }
    return chosen.sorted()
  }

  static func load(resolution: Int) -> Dataset {
    let (pixels, labels) = rows()
    let test = testRows(labels: labels)
    let isTest = Set(test)
    let train = labels.indices.filter { !isTest.contains($0) }
    func pick(_ rows: [Int]) -> PackedImages {
      let size = side * side
      let bytes = Foundation.Data(rows.flatMap { pixels[$0 * size..<($0 + 1) * size] })
      return PackedImages(bytes: bytes, labels: rows.map { labels[$0] }, side: side, channels: 1)
    }
    let (images, testImages) = (pick(train), pick(test))
    func content(_ images: PackedImages) -> DataFingerprint.Part {
      let hashes = (0..<images.count).map { index in
        var hash = Fingerprint()
        images.image(index).withUnsafeBytes { hash.combine($0) }
        return hash.value
      }
      return DataFingerprint.Part(hashes: hashes, labels: images.labels, classes: classes)
    }
    var sums = ChannelSums(channels: 1)
    images.withBytes { sums.add($0) }
    return Dataset(
      name: "digits",
      classNames: (0..<classes).map(String.init),
      channels: 1,
      resolution: resolution,
      train: images,
      test: testImages,
      mean: sums.mean.map(Float.init),
      standardDeviation: sums.standardDeviation.map(Float.init),
      padding: .background,
      supportsFlip: false,
      skippedImages: 0,
      warnings: [],
      credit: credit,
      cachePath: nil,
      content: (content(images), content(testImages))
    )
  }
}
