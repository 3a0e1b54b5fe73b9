import Foundation
import Runs

/// A folder of IDX files, the format of MNIST (LeCun, Cortes and Burges) and its family, such as
/// Fashion-MNIST: `train-images-idx3-ubyte` with `train-labels-idx1-ubyte`, and the same of `t10k`
/// or `test`; each may be packed by gzip.
enum IDXFiles {
  /// What a file has behind its header.
  private struct Content: Sendable {
    /// Images or labels, then height and width of images.
    var sizes: [Int]
    /// One each, row by row.
    var bytes: ArraySlice<UInt8>
  }

  /// Images with their labels.
  private struct Part: Sendable {
    var name = ""
    var images = Content(sizes: [0, 1, 1], bytes: [])
    var labels: ArraySlice<UInt8> = []
  }

  /// The most bytes that a file may unpack to.
  private static let most = 1 << 32

  /// The images of a folder; nil where it holds no such file.
  ///
  /// Errors: `.noInput` for files that are missing, `.data` for damaged ones.
  static func source(_ path: String, resolution: Int, testOnly: Bool = false) throws -> ImageSource?
  {
    let folder = Path.absolute(path)
    let files = (names(in: folder) ?? []).filter { isImages($0) }.sorted()
    guard !files.isEmpty else { return nil }
    func file(_ words: [String]) throws -> String {
      let found = files.filter { name in words.contains { name.lowercased().contains($0) } }
      guard found.count == 1 else {
        throw UserError(
          .noInput,
          path,
          found.isEmpty
            ? "no file \(words[0])-images-idx3-ubyte in it, but \(files[0])"
            : "several files of images: \(found.listed())",
          remedy: "keep the four files of one data set in a folder of its own"
        )
      }
      return found[0]
    }
    var fingerprint = Fingerprint()
    func part(_ words: [String]) throws -> Part {
      let images = try file(words)
      let labels = images.replacing("images", with: "labels").replacing("idx3", with: "idx1")
      for name in [images, labels] {
        guard let facts = FileFacts("\(folder)/\(name)") else {
          throw UserError(
            .noInput,
            "\(folder)/\(name)",
            "missing",
            remedy: "put the labels beside their images"
          )
        }
        fingerprint.combine(name)
        fingerprint.combine(facts)
      }
      let part = try Part(
        name: images,
        images: content("\(folder)/\(images)", dimensions: 3),
        labels: content("\(folder)/\(labels)", dimensions: 1).bytes
      )
      guard part.labels.count == part.images.sizes[0] else {
        throw UserError(
          .data,
          "\(folder)/\(labels)",
          "\(Format.counted(part.labels.count, "label")), but "
            + Format.counted(part.images.sizes[0], "image"),
          remedy: "take both files from the same data set"
        )
      }
      return part
    }
    let train = testOnly ? Part() : try part(["train"])
    let test = try part(["t10k", "test"])
    // Some of the family count from 1.
    let classes = Set(testOnly ? test.labels : train.labels).sorted()
    try check(test, classes: classes, in: folder)
    let sizes = (testOnly ? test : train).images.sizes
    return ImageSource(
      name: Path.name(folder),
      folder: folder,
      side: min(resolution, sizes[1], sizes[2]),
      classNames: classes.map { "\($0)" },
      fingerprint: fingerprint,
      isTestOnly: testOnly,
      list: {
        ImageSource.Listing(
          train: items(train, classes: classes),
          test: items(test, classes: classes)
        )
      },
      decode: { item in
        image(item.record, of: item.path == train.name ? train.images : test.images)
      }
    )
  }

  private static func items(_ part: Part, classes: [UInt8]) -> [ImageSource.Item] {
    part.labels.enumerated().map { record, label in
      ImageSource.Item(
        path: part.name,
        label: Int32(classes.firstIndex(of: label) ?? 0),
        record: record
      )
    }
  }

  private static func isImages(_ name: String) -> Bool {
    name.contains("images") && name.contains("idx3-ubyte") && !name.hasPrefix(".")
  }

  /// Refuses labels that nothing is trained on, and fewer than two classes.
  private static func check(_ test: Part, classes: [UInt8], in folder: String) throws {
    let strange = Set(test.labels).subtracting(classes).sorted()
    guard strange.isEmpty else {
      throw UserError(
        .data,
        "\(folder)/\(test.name)",
        "images of class \(strange[0]), which the training images do not have",
        remedy: "take all files from the same data set"
      )
    }
    guard classes.count > 1, !test.labels.isEmpty else {
      throw UserError(
        .data,
        folder,
        classes.count > 1 ? "no test images" : Format.counted(classes.count, "class"),
        remedy: "a search needs images of at least two classes, and some to test"
      )
    }
  }

  /// Unpacks a file and checks its header: two zeros, the type 8 (bytes), the number of dimensions,
  /// and their sizes, 32 bits each with the highest byte first.
  private static func content(_ path: String, dimensions: Int) throws -> Content {
    func damaged(_ problem: String) -> UserError {
      UserError(.data, path, problem, remedy: "download the file again")
    }
    var bytes = try [UInt8](readBytes(path))
    if bytes.starts(with: [0x1F, 0x8B]) {
      guard bytes.count > 18 else { throw damaged("a gzip file that is cut") }
      // A gzip file ends with the size of its content.
      let size = bytes.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
      guard size < most, let unpacked = inflated(bytes, most: max(1, size)) else {
        throw damaged("a damaged gzip file")
      }
      bytes = unpacked
    }
    let start = 4 + 4 * dimensions
    guard bytes.count >= start, bytes[0...3].elementsEqual([0, 0, 8, UInt8(dimensions)]) else {
      throw damaged("not an IDX file of bytes in \(Format.counted(dimensions, "dimension"))")
    }
    let sizes = (0..<dimensions).map { index in
      bytes[(4 + 4 * index)..<(8 + 4 * index)].reduce(0) { $0 << 8 | Int($1) }
    }
    guard sizes.allSatisfy({ $0 > 0 && $0 < 1 << 24 }),
      sizes.reduce(1, *) == bytes.count - start
    else {
      throw damaged(
        "\(Format.counted(bytes.count - start, "byte")) of content, but its header says "
          + sizes.map { "\($0)" }.joined(separator: "×")
      )
    }
    return Content(sizes: sizes, bytes: bytes[start...])
  }

  /// Grey levels as red, green and blue.
  private static func image(_ record: Int, of content: Content) -> DecodedImage {
    let (height, width) = (content.sizes[1], content.sizes[2])
    let start = content.bytes.startIndex + record * height * width
    return DecodedImage(
      width: width,
      height: height,
      pixels: content.bytes[start..<start + height * width].flatMap { [$0, $0, $0] }
    )
  }
}
