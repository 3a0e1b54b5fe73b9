import CJPEG

extension ImageDecoder {
  static func readJPEGHeader(_ file: UnsafeRawBufferPointer) throws -> cjpeg_image {
    var image = cjpeg_image()
    let bytes = file.bindMemory(to: UInt8.self).baseAddress
    guard cjpeg_read_header(bytes, file.count, &image) != 0 else { throw fault(of: image) }
    try check(width: Int(image.width), height: Int(image.height))
    return image
  }

  static func decodeJPEG(_ file: UnsafeRawBufferPointer) throws -> DecodedImage {
    var image = try readJPEGHeader(file)
    let (width, height) = (Int(image.width), Int(image.height))
    var pixels = [UInt8](repeating: 0, count: width * height * Int(image.samples))
    let bytes = file.bindMemory(to: UInt8.self).baseAddress
    guard cjpeg_decode(bytes, file.count, &image, &pixels) != 0 else { throw fault(of: image) }
    if image.samples == 4 { pixels = rgb(fromInks: pixels) }
    return DecodedImage(width: width, height: height, pixels: pixels, strayBytes: image.stray)
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

  private static func fault(of image: cjpeg_image) -> BadImage {
    let message = withUnsafeBytes(of: image.message) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    return message.lowercased().contains("premature end")
      ? BadImage(problem: "truncated JPEG (\(message))")
      : BadImage(problem: "corrupt JPEG (\(message))")
  }
}
