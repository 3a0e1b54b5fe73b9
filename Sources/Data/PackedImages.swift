import Foundation

/// Images of one size as contiguous bytes, with their labels.
///
/// The bytes may be a memory-mapped cache file, so a set larger than memory can be trained on.
package struct PackedImages: Sendable {
  /// Class of each image, an index into `Dataset.classNames`.
  package let labels: [Int32]
  /// Side of the stored squares, pixels; batches are resized when the network's resolution is
  /// another.
  package let side: Int
  /// 3 (red, green, blue) or 1 (grey).
  package let channels: Int
  private let storage: Foundation.Data

  /// Number of images.
  package var count: Int { labels.count }

  /// Bytes of one image: side · side · channels.
  package var imageBytes: Int { side * side * channels }

  /// Takes `labels.count` images laid out [N, side, side, channels].
  package init(bytes: Foundation.Data, labels: [Int32], side: Int, channels: Int) {
    precondition(
      bytes.count == labels.count * side * side * channels,
      "PackedImages: \(bytes.count) bytes for \(labels.count) images of \(side)x\(side)x\(channels)"
    )
    storage = bytes
    self.labels = labels
    self.side = side
    self.channels = channels
  }

  /// The same pixels with other labels, one for each that there is: class i becomes `numbers[i]`.
  func relabelled(_ numbers: [Int32]) -> PackedImages {
    PackedImages(
      bytes: storage,
      labels: labels.map { numbers[Int($0)] },
      side: side,
      channels: channels
    )
  }

  /// Gives `body` all bytes, [N, side, side, channels].
  package func withBytes<Result>(
    _ body: (UnsafeBufferPointer<UInt8>) throws -> Result
  ) rethrows -> Result {
    try storage.withUnsafeBytes { try body($0.bindMemory(to: UInt8.self)) }
  }

  /// A copy of the bytes of image `index`, [side, side, channels].
  package func image(_ index: Int) -> [UInt8] {
    withBytes { Array($0[index * imageBytes..<(index + 1) * imageBytes]) }
  }

  /// Number of images of each class.
  package func counts(classes: Int) -> [Int] {
    var counts = [Int](repeating: 0, count: classes)
    for label in labels { counts[Int(label)] += 1 }
    return counts
  }
}

/// Sums over bytes, from which mean and deviation follow exactly: integers have no order of
/// summation.
struct ChannelSums: Sendable {
  private(set) var count = 0
  private(set) var sum: [Int]
  private(set) var squares: [Int]

  init(channels: Int) {
    sum = Array(repeating: 0, count: channels)
    squares = sum
  }

  /// Adds interleaved pixels.
  mutating func add(_ pixels: UnsafeBufferPointer<UInt8>) {
    let channels = sum.count
    count += pixels.count / channels
    for channel in 0..<channels {
      var total = 0
      var totalSquares = 0
      var i = channel
      while i < pixels.count {
        let value = Int(pixels[i])
        total += value
        totalSquares += value * value
        i += channels
      }
      sum[channel] += total
      squares[channel] += totalSquares
    }
  }

  mutating func add(_ other: ChannelSums) {
    count += other.count
    for channel in sum.indices {
      sum[channel] += other.sum[channel]
      squares[channel] += other.squares[channel]
    }
  }

  /// Mean of each channel in 0…1.
  var mean: [Double] {
    sum.map { Double($0) / Double(max(1, count)) / 255 }
  }

  /// Deviation of each channel in 0…1; at least half a grey level, so that flat images can be
  /// divided by it.
  var standardDeviation: [Double] {
    zip(sum, squares).map { sum, squares in
      let n = Double(max(1, count))
      let mean = Double(sum) / n
      return max(0.5, (Double(squares) / n - mean * mean).squareRoot()) / 255
    }
  }
}
