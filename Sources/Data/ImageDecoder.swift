import CPNG
import CTurboJPEG
import Foundation

/// Pixels of one image, [height, width, 3], red first.
struct DecodedImage {
  var width: Int
  var height: Int
  var pixels: [UInt8]
}

/// Why an image cannot be used, without its name.
struct BadImage: Error {
  var problem: String
}

/// Decodes JPEG and PNG files to RGB, told apart by their first bytes, never by their names.
///
/// Anything that libjpeg-turbo so much as warns of (a premature end, above all) is a bad image: it
/// would fill the rest with grey and nobody would know.
final class ImageDecoder {
  private enum Format { case jpeg, png }

  /// Larger images than this are refused rather than decoded, pixels.
  static let largest = 1 << 28

  private let jpeg = tjInitDecompress()

  deinit {
    if let jpeg { tjDestroy(jpeg) }
  }

  /// Decodes a whole file.
  func decode(_ file: Foundation.Data) throws -> DecodedImage {
    switch try format(file) {
    case .jpeg: try decodeJPEG(file)
    case .png: try decodePNG(file)
    }
  }

  /// Width and height by the file's header alone.
  func size(_ file: Foundation.Data) throws -> (width: Int, height: Int) {
    switch try format(file) {
    case .jpeg:
      let header = try readJPEGHeader(file)
      return (header.width, header.height)
    case .png:
      return try withPNG(file) { image, _ in (Int(image.width), Int(image.height)) }
    }
  }

  private func format(_ file: Foundation.Data) throws -> Format {
    if file.isEmpty { throw BadImage(problem: "the file is empty") }
    if file.starts(with: [0xFF, 0xD8, 0xFF]) { return .jpeg }
    if file.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return .png }
    throw BadImage(problem: "neither a JPEG nor a PNG image, whatever its name says")
  }

  private func check(width: Int, height: Int) throws {
    guard width > 0, height > 0, width <= ImageDecoder.largest / height else {
      throw BadImage(problem: "\(width)x\(height) pixels are more than can be decoded")
    }
  }

  // MARK: JPEG

  private struct JPEGHeader {
    var width: Int
    var height: Int
    var hasFourInks: Bool
  }

  private func readJPEGHeader(_ file: Foundation.Data) throws -> JPEGHeader {
    var width: Int32 = 0
    var height: Int32 = 0
    var subsampling: Int32 = 0
    var colours: Int32 = 0
    let status = file.withUnsafeBytes { bytes in
      tjDecompressHeader3(
        jpeg,
        bytes.bindMemory(to: UInt8.self).baseAddress,
        UInt(bytes.count),
        &width,
        &height,
        &subsampling,
        &colours
      )
    }
    guard status == 0 else { throw jpegError() }
    try check(width: Int(width), height: Int(height))
    return JPEGHeader(
      width: Int(width),
      height: Int(height),
      hasFourInks: colours == Int32(TJCS_CMYK.rawValue) || colours == Int32(TJCS_YCCK.rawValue)
    )
  }

  private func decodeJPEG(_ file: Foundation.Data) throws -> DecodedImage {
    let header = try readJPEGHeader(file)
    let samples = header.hasFourInks ? 4 : 3
    let format = header.hasFourInks ? TJPF_CMYK : TJPF_RGB
    var pixels = [UInt8](repeating: 0, count: header.width * header.height * samples)
    let status = file.withUnsafeBytes { bytes in
      tjDecompress2(
        jpeg,
        bytes.bindMemory(to: UInt8.self).baseAddress,
        UInt(bytes.count),
        &pixels,
        Int32(header.width),
        0,
        Int32(header.height),
        Int32(format.rawValue),
        TJFLAG_STOPONWARNING
      )
    }
    guard status == 0 else { throw jpegError() }
    if header.hasFourInks { pixels = ImageDecoder.rgb(fromInks: pixels) }
    return DecodedImage(width: header.width, height: header.height, pixels: pixels)
  }

  /// Adobe's CMYK files, the ones found in photo collections, hold inverted inks.
  private static func rgb(fromInks inks: [UInt8]) -> [UInt8] {
    var pixels = [UInt8]()
    pixels.reserveCapacity(inks.count / 4 * 3)
    for i in stride(from: 0, to: inks.count, by: 4) {
      for ink in 0..<3 { pixels.append(UInt8(Int(inks[i + ink]) * Int(inks[i + 3]) / 255)) }
    }
    return pixels
  }

  private func jpegError() -> BadImage {
    let message = tjGetErrorStr2(jpeg).map { String(cString: $0) } ?? "no reason given"
    return message.lowercased().contains("premature end")
      ? BadImage(problem: "truncated JPEG (premature end of file)")
      : BadImage(problem: "corrupt JPEG (\(message))")
  }

  // MARK: PNG

  private func decodePNG(_ file: Foundation.Data) throws -> DecodedImage {
    try withPNG(file) { image, message in
      let width = Int(image.width)
      let height = Int(image.height)
      try check(width: width, height: height)
      image.format = UInt32(PNG_FORMAT_RGB)
      var pixels = [UInt8](repeating: 0, count: width * height * 3)
      // Transparent parts come out white, as on paper.
      var background = png_color(red: 255, green: 255, blue: 255)
      guard png_image_finish_read(&image, &background, &pixels, 0, nil) != 0 else {
        throw BadImage(problem: message(image))
      }
      return DecodedImage(width: width, height: height, pixels: pixels)
    }
  }

  /// Opens `file` for `body`, whose second argument words the error of a failed call.
  private func withPNG<Result>(
    _ file: Foundation.Data,
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
    return try file.withUnsafeBytes { bytes in
      guard png_image_begin_read_from_memory(&image, bytes.baseAddress, bytes.count) != 0 else {
        throw BadImage(problem: message(image))
      }
      return try body(&image, message)
    }
  }
}
