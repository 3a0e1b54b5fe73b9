import Foundation
import Runs

/// A data set ready for training: packed images, their classes, and the statistics of the training
/// set.
package struct Dataset: Sendable {
  /// `digits`, `cifar10`, or the folder's name.
  package let name: String
  /// Names of the classes; a label is an index into them.
  package internal(set) var classNames: [String]
  /// 3 (red, green, blue) or 1 (grey).
  package let channels: Int
  /// Height of the images in a batch, pixels: the resolution asked for.
  package let height: Int
  /// Width of the images in a batch, pixels; the same as `height`.
  package let width: Int
  /// Images to train on; a search parts them by `Split`.
  package let train: PackedImages
  /// Of the training images, the last ones that only evaluate, where the data says which.
  package let validation: Range<Int>?
  /// Images held out from all training.
  package internal(set) var test: PackedImages
  /// Mean of each channel over the training images, in 0…1.
  package internal(set) var mean: [Float]
  /// Standard deviation of each channel over the training images, in 0…1; never 0.
  package internal(set) var standardDeviation: [Float]
  /// What a shifted image is filled up with.
  package let padding: Padding
  /// Whether a mirrored image still shows its class: photographs yes, digits no.
  package let supportsFlip: Bool
  /// Images left out because they could not be decoded (`skip_bad_images`).
  package let skippedImages: Int
  /// One line each: skipped files, odd folders, a cache that could not be written.
  package internal(set) var warnings: [String]
  /// Attribution; empty for a folder of the user's.
  package let credit: String
  /// The cache file in use, nil if the images are in memory.
  package let cachePath: String?
  /// The fingerprint of the data, by which a run recognises it (spec S122).
  package let fingerprint: DataFingerprint

  /// Value of the pixels that a shift brings in.
  package enum Padding: Sendable {
    /// The mean, which is 0 after normalisation: right where no colour means "nothing here".
    case mean
    /// Raw 0, the empty background of the digits.
    case background
  }

  init(
    name: String,
    classNames: [String],
    channels: Int,
    resolution: Int,
    train: PackedImages,
    validation: Int? = nil,
    test: PackedImages,
    mean: [Float],
    standardDeviation: [Float],
    padding: Padding,
    supportsFlip: Bool,
    skippedImages: Int,
    warnings: [String],
    credit: String,
    cachePath: String?,
    content: (train: DataFingerprint.Part, test: DataFingerprint.Part)
  ) {
    self.name = name
    self.classNames = classNames
    self.channels = channels
    height = resolution
    width = resolution
    self.train = train
    self.validation = validation.map { train.count - $0..<train.count }
    self.test = test
    self.mean = mean
    self.standardDeviation = standardDeviation
    self.padding = padding
    self.supportsFlip = supportsFlip
    self.skippedImages = skippedImages
    self.warnings = warnings
    self.credit = credit
    self.cachePath = cachePath
    fingerprint = DataFingerprint(
      learned: LearnedData(
        classNames: classNames,
        mean: mean,
        standardDeviation: standardDeviation,
        side: test.side
      ),
      train: content.train,
      test: content.test
    )
  }

  /// Resolutions that can be asked for, pixels.
  package static let resolutions = 4...1024

  /// Loads the data set that `settings` name, decoding and packing it first if need be.
  ///
  /// `progress` is called now and then, on this thread, with a share 0…1 and what is done. Throws a
  /// `UserError` that names the folder or file at fault.
  package static func load(
    _ settings: Configuration.DataSettings,
    progress: (Double, String) throws -> Void = { _, _ in }
  ) throws -> Dataset {
    guard let source = try source(of: settings) else {
      return Digits.load(resolution: settings.resolution)
    }
    return try load(source, settings, progress: progress)
  }

  /// Where the images are that `settings` name; nil for the digits, which are in the program.
  static func source(
    of settings: Configuration.DataSettings,
    testOnly: Bool = false
  ) throws -> ImageSource? {
    guard resolutions.contains(settings.resolution) else {
      throw UserError(
        .configuration,
        "data.resolution",
        "\(settings.resolution) pixels",
        remedy: "choose \(resolutions.lowerBound) to \(resolutions.upperBound)"
      )
    }
    switch DataSource(settings.source) {
    case .digits: return nil
    case .cifar10(let path):
      return try CIFAR10.source(
        Path.expandingTilde(path),
        resolution: settings.resolution,
        testOnly: testOnly
      )
    case .folder(let path):
      return try folder(path, resolution: settings.resolution, testOnly: testOnly)
    }
  }

  /// The images of a folder, whatever their files are.
  static func folder(
    _ path: String,
    resolution: Int,
    testOnly: Bool = false
  ) throws -> ImageSource {
    let path = Path.expandingTilde(path)
    return try IDXFiles.source(path, resolution: resolution, testOnly: testOnly)
      ?? ImageFolder.source(path, resolution: resolution, testOnly: testOnly)
  }

  /// Takes `source` from its cache file, or packs it.
  static func load(
    _ source: ImageSource,
    _ settings: Configuration.DataSettings,
    progress: (Double, String) throws -> Void = { _, _ in }
  ) throws -> Dataset {
    let cache = PackedCache(source, folder: settings.cache)
    var warnings = source.warnings
    let contents: PackedFile.Contents
    var cachePath: String? = cache.path
    let found = cache.open(source, skipBadImages: settings.skipBadImages)
    if case .good(let kept) = found {
      contents = kept
    } else {
      if case .damaged = found {
        warnings.append("\(cache.path): the cache was damaged and has been made again")
      }
      let writer = PackedWriter(cache.path)
      contents = try Packer(source: source, skipBadImages: settings.skipBadImages)
        .pack(into: writer, progress: progress)
      if let warning = writer.warning {
        warnings.append(warning)
        try progress(1, warning)
        cachePath = nil
      }
    }
    let description = contents.description
    return Dataset(
      name: source.name,
      classNames: source.classNames,
      channels: description.channels,
      resolution: settings.resolution,
      train: contents.train,
      validation: description.validation,
      test: contents.test,
      mean: description.mean.map(Float.init),
      standardDeviation: description.standardDeviation.map(Float.init),
      padding: .mean,
      supportsFlip: source.supportsFlip,
      skippedImages: description.skipped,
      warnings: warnings + description.warnings,
      credit: source.credit,
      cachePath: cachePath,
      content: (description.trainContent, description.testContent)
    )
  }
}

extension Dataset {
  /// Number of classes.
  package var classes: Int { classNames.count }

  /// What a network knows of the data once it was trained on it (spec S123).
  package var learned: LearnedData {
    LearnedData(
      classNames: classNames,
      mean: mean,
      standardDeviation: standardDeviation,
      side: test.side
    )
  }

  /// A page about the data for `supertop data info`, lines parted by newlines.
  package func describe() -> String {
    func list(_ values: [Float]) -> String {
      values.map { Format.fixed(Double($0), 4) }.joined(separator: " ")
    }
    func row(_ name: String, _ value: String) -> String {
      name.padding(toLength: 11, withPad: " ", startingAt: 0) + value.printable()
    }
    let stored = train.side == width ? "" : ", stored as \(train.side)x\(train.side)"
    var lines = [
      row("data", name),
      row(
        "images",
        "\(train.count) for training"
          + (validation.map { " (\($0.count) of them for validation)" } ?? "")
          + ", \(test.count) for testing"
      ),
      row("size", "\(width)x\(height), \(channels == 1 ? "grey" : "RGB")\(stored)"),
      row("mean", list(mean)),
      row("deviation", list(standardDeviation)),
      row("skipped", "\(skippedImages)"),
    ]
    if let cachePath { lines.append(row("cache", cachePath)) }
    if !credit.isEmpty { lines.append(row("credit", credit)) }
    lines += warnings.map { row("warning", $0) }
    let trainCounts = train.counts(classes: classes)
    let testCounts = test.counts(classes: classes)
    let names = classNames.map { $0.printable() }
    let width = max(5, names.map(\.count).max() ?? 0)
    func right(_ text: String) -> String {
      String(repeating: " ", count: max(1, 9 - text.count)) + text
    }
    func left(_ text: String) -> String {
      text + String(repeating: " ", count: width - text.count)
    }
    lines.append("")
    lines.append(left("class") + right("train") + right("test"))
    for (index, name) in names.enumerated() {
      lines.append(left(name) + right("\(trainCounts[index])") + right("\(testCounts[index])"))
    }
    return lines.joined(separator: "\n")
  }
}
