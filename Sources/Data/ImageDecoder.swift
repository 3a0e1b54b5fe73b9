import CJPEG
import CPNG
import Foundation

/// Pixels of one image, [height, width, 3], red first.
struct DecodedImage {
  var width: Int
  var height: Int
  var pixels: [UInt8]
  /// Bytes of its file that belong to nothing and cost no pixel.
  var strayBytes = 0
}

/// Why an image cannot be used, without its name.
struct BadImage: Error {
  var problem: String
}

/// Decodes JPEG and PNG files to RGB, told apart by their first bytes, never by their names.
///
/// Pictures come out upright, as every viewer shows them. Anything that the libraries so much as
/// warn of is a bad image (libjpeg would fill what a cut file lacks with grey, and nobody would
/// know), but for bytes between two markers of a JPEG file, which are only counted.
enum ImageDecoder {
  private enum Format { case jpeg, png }

  /// Larger images than this are refused rather than decoded, pixels.
  static let largest = 1 << 28

  /// Decodes a whole file and turns the picture as its EXIF block says.
  static func decode(_ file: Foundation.Data) throws -> DecodedImage {
    try file.withUnsafeBytes { bytes in
      switch try format(bytes) {
      case .jpeg: try decodeJPEG(bytes).turned(Orientation(jpeg: bytes))
      case .png: try decodePNG(bytes).turned(Orientation(png: bytes))
      }
    }
  }

  /// Width and height as they are stored, by the file's header alone.
  static func size(_ file: Foundation.Data) throws -> (width: Int, height: Int) {
    try file.withUnsafeBytes { bytes in
      switch try format(bytes) {
      case .jpeg:
        let header = try readJPEGHeader(bytes)
        return (Int(header.width), Int(header.height))
      case .png: return try withPNG(bytes) { image, _ in (Int(image.width), Int(image.height)) }
      }
    }
  }

  private static func format(_ file: UnsafeRawBufferPointer) throws -> Format {
    if file.isEmpty { throw BadImage(problem: "the file is empty") }
    if file.starts(with: [0xFF, 0xD8]) { return .jpeg }
    if file.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return .png }
    throw BadImage(problem: "neither a JPEG nor a PNG image, whatever its name says")
  }

  static func check(width: Int, height: Int) throws {
    guard width > 0, height > 0, width <= largest / height else {
      throw BadImage(problem: "\(width)x\(height) pixels are more than can be decoded")
    }
  }

  // MARK: PNG

  private static func decodePNG(_ file: UnsafeRawBufferPointer) throws -> DecodedImage {
    try withPNG(file) { image, message in
      let width = Int(image.width)
      let height = Int(image.height)
      try check(width: width, height: height)
      image.format = UInt32(PNG_FORMAT_RGB)
      // Left to itself libpng takes 16 bits without a chunk on gamma for linear light; those who
      // write such files mean the same levels as in 8 bits.
      image.flags |= UInt32(PNG_IMAGE_FLAG_16BIT_sRGB)
      var pixels = [UInt8](repeating: 0, count: width * height * 3)
      // Transparent parts come out white.
      var background = png_color(red: 255, green: 255, blue: 255)
      guard png_image_finish_read(&image, &background, &pixels, 0, nil) != 0 else {
        throw BadImage(problem: message(image))
      }
      return DecodedImage(width: width, height: height, pixels: pixels)
    }
  }

  /// Opens `file` for `body`, whose second argument words the error of a failed call.
  private static func withPNG<Result>(
    _ file: UnsafeRawBufferPointer,
    _ body: (inout png_image, (png_image) -> String) throws -> Result
  ) throws -> Result {
    var image = png_image()
    image.version = UInt32(PNG_IMAGE_VERSION)
    defer { png_image_free(&image) }
    let message = { (image: png_image) in
      let text = withUnsafeBytes(of: image.message) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      return "truncated or corrupt PNG (\(text))"
    }
    guard png_image_begin_read_from_memory(&image, file.baseAddress, file.count) != 0 else {
      throw BadImage(problem: message(image))
    }
    return try body(&image, message)
  }
}
