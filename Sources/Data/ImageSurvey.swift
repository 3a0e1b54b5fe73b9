import Runs

/// What a folder of images holds, found without packing them.
package struct ImageSurvey: Sendable {
  /// Images to train on, those for validation included.
  package let train: Int
  /// Images for validation, where the folder says which; nil where it does not.
  package let validation: Int?
  /// Images that test.
  package let test: Int
  /// Number of classes.
  package let classes: Int
  /// Median of the shorter sides of those that were looked at, pixels.
  package let side: Int
  /// Whether none that was looked at has a colour.
  package let isGrey: Bool

  /// Images that are decoded.
  private static let looked = 48

  /// Looks at the folder `path`; errors as those of loading it.
  package init(folder path: String) throws {
    let source = try Dataset.folder(path, resolution: 4)
    let listing = try source.list()
    let step = max(1, listing.train.count / ImageSurvey.looked)
    let images = stride(from: 0, to: listing.train.count, by: step).compactMap {
      // What cannot be decoded is reported when all are packed.
      try? source.decode(listing.train[$0])
    }
    train = listing.train.count + listing.validation.count
    validation = listing.validation.isEmpty ? nil : listing.validation.count
    test = listing.test.count
    classes = source.classNames.count
    let sides = images.map { min($0.width, $0.height) }.sorted()
    side = sides.isEmpty ? 32 : sides[sides.count / 2]
    isGrey =
      !images.isEmpty
      && images.allSatisfy { image in
        stride(from: 0, to: image.pixels.count, by: 3).allSatisfy { i in
          let pixel = image.pixels[i..<i + 3]
          return (pixel.max() ?? 0) - (pixel.min() ?? 0) < 8
        }
      }
  }
}
