import Runs
import Tensor

/// Some normalised images and their labels.
package struct Batch: Sendable, Equatable {
  /// [count, height, width, channels], normalised.
  package var pixels: [Float]
  /// Class of each image.
  package var labels: [Int32]
  /// Images of the whole batch, of which these may be a part.
  package let total: Int
  /// Number of images.
  package var count: Int { labels.count }

  /// Takes images and labels as they are; nil for `total` means that there are no others.
  package init(pixels: [Float], labels: [Int32], total: Int? = nil) {
    self.pixels = pixels
    self.labels = labels
    self.total = total ?? labels.count
  }

  /// The images in `range` alone.
  package subscript(range: Range<Int>) -> Batch {
    if range == 0..<count { return self }
    let size = pixels.count / count
    return Batch(
      pixels: Array(pixels[range.lowerBound * size..<range.upperBound * size]),
      labels: Array(labels[range])
    )
  }
}

/// Neighbouring parts of a batch that is cut into equal ones, as far as its images allow.
package struct BatchPart: Sendable, Equatable {
  private let parts: Range<Int>
  private let count: Int

  /// Of `count` parts those in `parts`.
  package init(_ parts: Range<Int>, of count: Int) {
    self.parts = parts
    self.count = count
  }

  /// The whole batch.
  package static let whole = BatchPart(0..<1, of: 1)

  /// Their images among those of a batch of `images`.
  package func images(in images: Int) -> Range<Int> {
    parts.lowerBound * images / count..<parts.upperBound * images / count
  }
}

/// Random changes to a training image.
package struct Augmentation: Sendable, Equatable {
  /// Largest shift along each axis, pixels of the network's input.
  package var shift: Int
  /// Mirrors every second image, at random.
  package var flip: Bool

  /// Takes both as they are.
  package init(shift: Int, flip: Bool) {
    self.shift = shift
    self.flip = flip
  }

  /// What `settings` ask for and `dataset` allows.
  package init(_ settings: Configuration.DataSettings, for dataset: Dataset) {
    shift = max(0, min(settings.shift, dataset.width - 1))
    flip = settings.flip && dataset.supportsFlip
  }
}

/// The batches of one pass over some images, any of which can be made by itself.
///
/// A pure function of its arguments: order and augmentation come from counters named by seed,
/// epoch, stream and position, so a run that resumes in the middle of an epoch sees the same bits
/// (spec S120, S121).
package struct BatchPlan: Sendable {
  /// Images over the whole pass.
  package let images: Int
  /// Number of batches.
  package let count: Int
  /// The part of each batch that is made.
  package var part = BatchPart.whole

  private let packed: PackedImages
  private let order: [Int32]
  private let batch: Int
  private let augmentation: Augmentation?
  private let random: (seed: UInt64, step: UInt64)
  private let side: Int
  private let channels: Int
  /// Normalised value of each of 256 levels, [channels, 256].
  private let table: [Float]
  /// Normalised value of padding, [channels].
  private let padding: [Float]
  private let resampler: Resampler?

  /// A training pass: shuffled, augmented, full batches only.
  ///
  /// Images that do not fill a last batch are left out this time (others the next epoch), unless
  /// there are fewer than one batch.
  /// `indices` says which images of `dataset.train`; `stream` tells apart passes of one epoch, such
  /// as the two phases of a search.
  package init(
    training dataset: Dataset,
    indices: [Int32],
    batch: Int,
    augmentation: Augmentation?,
    seed: UInt64,
    epoch: Int,
    stream: UInt32
  ) {
    precondition(batch > 0, "BatchPlan: batch \(batch)")
    precondition(stream < 1 << 24, "BatchPlan: stream \(stream) would overlap another purpose")
    var shuffle = Philox(seed: seed, purpose: .shuffle, step: UInt64(epoch), index: stream)
    let order = shuffle.permutation(indices.count).map { indices[Int($0)] }
    let full = indices.count < batch ? indices.count : indices.count / batch * batch
    self.init(
      dataset,
      dataset.train,
      order: Array(order[..<full]),
      batch: batch,
      augmentation: augmentation,
      random: (seed, UInt64(stream) << 32 | UInt64(UInt32(epoch)))
    )
  }

  /// A pass for evaluation: every image once, in the given order, unchanged.
  ///
  /// `images` is `dataset.train` or `dataset.test`; without `indices` all of it. The last batch may
  /// be smaller.
  package init(
    evaluating images: PackedImages,
    of dataset: Dataset,
    indices: [Int32]? = nil,
    batch: Int
  ) {
    precondition(batch > 0, "BatchPlan: batch \(batch)")
    self.init(
      dataset,
      images,
      order: indices ?? (0..<Int32(images.count)).map { $0 },
      batch: batch,
      augmentation: nil,
      random: (0, 0)
    )
  }

  private init(
    _ dataset: Dataset,
    _ packed: PackedImages,
    order: [Int32],
    batch: Int,
    augmentation: Augmentation?,
    random: (seed: UInt64, step: UInt64)
  ) {
    self.packed = packed
    self.order = order
    self.batch = batch
    self.augmentation = augmentation
    self.random = random
    images = order.count
    count = (order.count + batch - 1) / batch
    side = dataset.width
    channels = dataset.channels
    table = zip(dataset.mean, dataset.standardDeviation).flatMap { mean, deviation in
      (0..<256).map { (Float($0) / 255 - mean) / deviation }
    }
    padding = zip(dataset.mean, dataset.standardDeviation).map { mean, deviation in
      switch dataset.padding {
      case .mean: 0
      case .background: (0 - mean) / deviation
      }
    }
    resampler =
      packed.side == side
      ? nil
      : Resampler(width: packed.side, height: packed.side, channels: channels, side: side)
  }

  /// All batches in their order, each made when it is taken.
  package var batches: LazyMapSequence<Range<Int>, Batch> {
    (0..<count).lazy.map { batch($0) }
  }

  /// Makes batch `index` of `0..<count`.
  package func batch(_ index: Int) -> Batch {
    precondition(index >= 0 && index < count, "BatchPlan: batch \(index) of \(count)")
    let first = index * batch
    let total = min(batch, order.count - first)
    let images = part.images(in: total)
    let positions = first + images.lowerBound..<first + images.upperBound
    let imageSize = side * side * channels
    let pixels = [Float](unsafeUninitializedCapacity: positions.count * imageSize) {
      buffer,
      count in
      count = positions.count * imageSize
      var workspace = [UInt8](repeating: 0, count: resampler == nil ? 0 : imageSize)
      packed.withBytes { bytes in
        workspace.withUnsafeMutableBufferPointer { workspace in
          guard let output = buffer.baseAddress, let bytes = bytes.baseAddress else { return }
          for position in positions {
            var source = bytes + Int(order[position]) * packed.imageBytes
            if let resampler, let resized = workspace.baseAddress {
              resampler.resize(source, into: resized)
              source = UnsafePointer(resized)
            }
            write(source, position, to: output + (position - positions.lowerBound) * imageSize)
          }
        }
      }
    }
    return Batch(
      pixels: pixels,
      labels: positions.map { packed.labels[Int(order[$0])] },
      total: total
    )
  }

  /// Augments and normalises one image, [side, side, channels].
  private func write(
    _ source: UnsafePointer<UInt8>,
    _ position: Int,
    to output: UnsafeMutablePointer<Float>
  ) {
    var right = 0
    var down = 0
    var mirrored = false
    if let augmentation {
      var random = Philox(
        seed: random.seed,
        purpose: .augmentation,
        step: random.step,
        index: UInt32(position)
      )
      right = random.below(2 * augmentation.shift + 1) - augmentation.shift
      down = random.below(2 * augmentation.shift + 1) - augmentation.shift
      mirrored = random.next() & 1 == 1 && augmentation.flip
    }
    let row = side * channels
    if right == 0, down == 0, !mirrored {
      normalise(source, step: channels, pixels: side * side, to: output)
      return
    }
    // Output pixel x shows input pixel x - right (mirrored: counted from the other edge).
    let first = max(0, right)
    let last = side + min(0, right)
    for y in 0..<side {
      let line = output + y * row
      guard y - down >= 0, y - down < side else {
        pad(line, pixels: side)
        continue
      }
      let from = source + (y - down) * row
      pad(line, pixels: first)
      pad(line + last * channels, pixels: side - last)
      let start = mirrored ? side - 1 - (first - right) : first - right
      normalise(
        from + start * channels,
        step: mirrored ? -channels : channels,
        pixels: last - first,
        to: line + first * channels
      )
    }
  }

  /// Looks up `pixels` pixels, `step` bytes apart.
  ///
  /// `while` because ranges are slow in debug builds.
  private func normalise(
    _ source: UnsafePointer<UInt8>,
    step: Int,
    pixels: Int,
    to output: UnsafeMutablePointer<Float>
  ) {
    table.withUnsafeBufferPointer { table in
      guard let table = table.baseAddress else { return }
      var channel = 0
      while channel < channels {
        let levels = table + channel * 256
        let end = pixels * channels
        var from = source + channel
        var i = channel
        while i < end {
          output[i] = levels[Int(from.pointee)]
          from += step
          i += channels
        }
        channel += 1
      }
    }
  }

  private func pad(_ output: UnsafeMutablePointer<Float>, pixels: Int) {
    for i in 0..<pixels * channels { output[i] = padding[i % channels] }
  }
}
