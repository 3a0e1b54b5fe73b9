import Dispatch
import Runs
import Synchronization

/// Decodes, resizes and packs the images of a source on every core.
struct Packer {
  let source: ImageSource
  let skipBadImages: Bool
  static let channels = 3
  /// Names of skipped files that are kept for the warnings.
  private static let namedFiles = 5

  /// What came of a few images in a row, in their order.
  private struct Piece: Sendable {
    var pixels: [UInt8] = []
    var labels: [Int32] = []
    var hashes: [UInt64] = []
    var sums = ChannelSums(channels: Packer.channels)
    var bad: [(path: String, problem: String)] = []
    /// Files that hold bytes which belong to nothing.
    var stray: [String] = []
  }

  /// Packs everything into `writer`; without `skipBadImages` the first bad image ends it.
  func pack(
    into writer: PackedWriter,
    progress: (Double, String) throws -> Void
  ) throws -> PackedFile.Contents {
    let listing = try source.list()
    let total = listing.train.count + listing.validation.count + listing.test.count
    // Small enough for a lively progress bar and little memory, large enough to keep cores busy.
    let imageBytes = source.side * source.side * Packer.channels
    let slice = max(32, min(2048, (16 << 20) / imageBytes))
    var sums = ChannelSums(channels: Packer.channels)
    var labels: [[Int32]] = [[], [], []]
    var hashes: [[UInt64]] = [[], [], []]
    var bad: [(path: String, problem: String)] = []
    var stray: [String] = []
    var done = 0
    for (part, items) in [listing.train, listing.validation, listing.test].enumerated() {
      for start in stride(from: 0, to: items.count, by: slice) {
        try progress(Double(done) / Double(total), "Packing images: \(done) of \(total)")
        let now = items[start..<min(start + slice, items.count)]
        for piece in decode(now) {
          if !skipBadImages, let first = piece.bad.first {
            throw UserError(
              .data,
              "\(source.folder)/\(first.path)",
              first.problem,
              remedy: "replace the file, or leave such files out with --skip-bad-images"
            )
          }
          writer.append(piece.pixels)
          labels[part] += piece.labels
          hashes[part] += piece.hashes
          if part == 0 { sums.add(piece.sums) }
          bad += piece.bad
          stray += piece.stray
        }
        done += now.count
      }
    }
    // Training images that only evaluate are the last of them.
    let validation = labels[1].count
    labels = [labels[0] + labels[1], labels[2]]
    hashes = [hashes[0] + hashes[1], hashes[2]]
    try checkRest(listing, labels)
    try progress(1, "Packing images: \(total) of \(total)")
    let content = zip(hashes, labels).map {
      DataFingerprint.Part(hashes: $0, labels: $1, classes: source.classNames.count)
    }
    let description = PackedFile.Description(
      version: PackedFile.version,
      name: source.name,
      side: source.side,
      channels: Packer.channels,
      classNames: source.classNames,
      fingerprint: source.fingerprint.text,
      train: labels[0].count,
      validation: validation > 0 ? validation : nil,
      test: labels[1].count,
      mean: sums.mean,
      standardDeviation: sums.standardDeviation,
      skipped: bad.count,
      warnings: warnings(bad: bad, stray: stray),
      trainContent: content[0],
      testContent: content[1],
      checksum: try writer.checksum()
    )
    return try writer.finish(description, labels: labels[0] + labels[1])
  }

  private func decode(_ items: ArraySlice<ImageSource.Item>) -> [Piece] {
    let size = 16
    let count = (items.count + size - 1) / size
    let pieces = Mutex([Piece](repeating: Piece(), count: count))
    DispatchQueue.concurrentPerform(iterations: count) { index in
      let start = items.startIndex + index * size
      let piece = decodePiece(items[start..<min(start + size, items.endIndex)])
      pieces.withLock { $0[index] = piece }
    }
    return pieces.withLock { $0 }
  }

  private func decodePiece(_ items: ArraySlice<ImageSource.Item>) -> Piece {
    var piece = Piece()
    var resampler = Resampler(width: 1, height: 1, channels: Packer.channels, side: source.side)
    var packed = [UInt8](repeating: 0, count: source.side * source.side * Packer.channels)
    for item in items {
      do {
        let image = try source.decode(item)
        if image.width != resampler.width || image.height != resampler.height {
          resampler = Resampler(
            width: image.width,
            height: image.height,
            channels: Packer.channels,
            side: source.side
          )
        }
        image.pixels.withUnsafeBufferPointer { input in
          packed.withUnsafeMutableBufferPointer { output in
            guard let input = input.baseAddress, let output = output.baseAddress else { return }
            resampler.resize(input, into: output)
          }
        }
        packed.withUnsafeBufferPointer { piece.sums.add($0) }
        var hash = Fingerprint()
        packed.withUnsafeBytes { hash.combine($0) }
        piece.hashes.append(hash.value)
        if image.strayBytes > 0 { piece.stray.append(item.path) }
        piece.pixels += packed
        piece.labels.append(item.label)
      } catch {
        let problem = (error as? BadImage)?.problem ?? "\(error)"
        piece.bad.append((item.path, problem))
      }
    }
    return piece
  }

  /// After skipping, every class must still have a training image, and something must be left to
  /// test.
  ///
  /// Where only test images were asked for, the second alone.
  private func checkRest(_ listing: ImageSource.Listing, _ labels: [[Int32]]) throws {
    let present = Set(labels[0])
    for (index, name) in source.classNames.enumerated()
    where !source.isTestOnly && !present.contains(Int32(index)) {
      throw UserError(
        .data,
        source.folder,
        "no image of the class \(name) can be used",
        remedy: "replace its files or remove its folder"
      )
    }
    if labels[1].isEmpty {
      throw UserError(
        .data,
        source.folder,
        "no test image can be used",
        remedy: "replace the files"
      )
    }
  }

  private func warnings(bad: [(path: String, problem: String)], stray: [String]) -> [String] {
    var lines = bad.prefix(Packer.namedFiles).map { "\($0.path): \($0.problem); skipped" }
    if bad.count > Packer.namedFiles {
      lines.append(Format.counted(bad.count - Packer.namedFiles, "more bad image") + " skipped")
    }
    if let first = stray.first {
      lines.append(
        (stray.count == 1 ? first : "\(stray.count) files (\(first) is the first)")
          + ": stray bytes before a marker of the JPEG file; decoded all the same"
      )
    }
    return lines
  }
}
