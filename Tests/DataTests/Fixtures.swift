import CLibJPEG
import CPNG
import CZlib
import Foundation
import Runs

@testable import Data

/// A folder that vanishes with its owner.
final class TemporaryFolder {
  let path: String

  init() throws {
    path =
      FileManager.default.temporaryDirectory
      .appendingPathComponent("supertop-data-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file and the folders on its way.
  func write(_ bytes: Foundation.Data, to name: String) throws {
    let url = URL(fileURLWithPath: path).appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(),
      withIntermediateDirectories: true
    )
    try bytes.write(to: url)
  }

  func makeFolder(_ name: String) throws {
    try FileManager.default.createDirectory(
      atPath: path + "/" + name,
      withIntermediateDirectories: true
    )
  }
}

/// Images made on the spot.
enum Picture {
  /// A smooth RGB pattern that differs for each `seed`.
  static func pixels(width: Int, height: Int, seed: Int) -> [UInt8] {
    (0..<width * height).flatMap { i in
      let x = i % width
      let y = i / width
      return [
        UInt8((x * 200 / width + seed * 7) % 256), UInt8((y * 200 / height + seed * 13) % 256),
        UInt8((seed * 31) % 256),
      ]
    }
  }

  static func flat(width: Int, height: Int, _ colour: [UInt8]) -> [UInt8] {
    (0..<width * height).flatMap { _ in colour }
  }

  static func png(_ pixels: [UInt8], width: Int, height: Int, alpha: Bool = false)
    -> Foundation.Data
  {
    var image = png_image()
    image.version = UInt32(PNG_IMAGE_VERSION)
    image.width = UInt32(width)
    image.height = UInt32(height)
    image.format = UInt32(
      alpha ? PNG_FORMAT_FLAG_COLOR | PNG_FORMAT_FLAG_ALPHA : PNG_FORMAT_FLAG_COLOR
    )
    var size = pixels.count * 2 + 4096
    var bytes = [UInt8](repeating: 0, count: size)
    let status = png_image_write_to_memory(&image, &bytes, &size, 0, pixels, 0, nil)
    precondition(status != 0, "png_image_write_to_memory failed")
    return Foundation.Data(bytes[..<size])
  }

  /// A baseline JPEG without subsampling, or a progressive one; `exif` is the content of its APP1
  /// block.
  static func jpeg(
    _ pixels: [UInt8],
    width: Int,
    height: Int,
    quality: Int32 = 95,
    isProgressive: Bool = false,
    exif: [UInt8]? = nil
  ) -> Foundation.Data {
    var pixels = pixels
    var encoder = jpeg_compress_struct()
    var errors = jpeg_error_mgr()
    encoder.err = jpeg_std_error(&errors)
    jpeg_CreateCompress(
      &encoder,
      JPEG_LIB_VERSION,
      MemoryLayout<jpeg_compress_struct>.size
    )
    var buffer: UnsafeMutablePointer<UInt8>?
    var size: UInt = 0
    jpeg_mem_dest(&encoder, &buffer, &size)
    encoder.image_width = UInt32(width)
    encoder.image_height = UInt32(height)
    encoder.input_components = 3
    encoder.in_color_space = JCS_RGB
    jpeg_set_defaults(&encoder)
    jpeg_set_quality(&encoder, quality, boolean(1))
    encoder.comp_info[0].h_samp_factor = 1
    encoder.comp_info[0].v_samp_factor = 1
    if isProgressive { jpeg_simple_progression(&encoder) }
    jpeg_start_compress(&encoder, boolean(1))
    if let exif { jpeg_write_marker(&encoder, 0xE1, exif, UInt32(exif.count)) }
    pixels.withUnsafeMutableBufferPointer { pixels in
      for y in 0..<height {
        var row: UnsafeMutablePointer<UInt8>? = pixels.baseAddress.map { $0 + y * width * 3 }
        jpeg_write_scanlines(&encoder, &row, 1)
      }
    }
    jpeg_finish_compress(&encoder)
    jpeg_destroy_compress(&encoder)
    defer { free(buffer) }
    guard let buffer else { preconditionFailure("libjpeg wrote nothing") }
    return Foundation.Data(bytes: buffer, count: Int(size))
  }

  /// A PNG file of one colour, each sample in `depth` bits; `chunks` precede its pixels.
  static func png(
    flat samples: [Int],
    side: Int,
    colour: UInt8,
    depth: Int,
    chunks: [Foundation.Data] = []
  ) -> Foundation.Data {
    let pixel: [UInt8] = samples.flatMap {
      depth == 16 ? [UInt8($0 >> 8), UInt8($0 & 255)] : [UInt8($0)]
    }
    let row: [UInt8] = [0] + Array(repeating: pixel, count: side).joined()
    let rows: [UInt8] = Array(Array(repeating: row, count: side).joined())
    let header = word(side) + word(side) + [UInt8(depth), colour, 0, 0, 0]
    return Foundation.Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
      + chunk("IHDR", header) + chunks.joined() + chunk("IDAT", deflated(rows)) + chunk("IEND", [])
  }

  /// A chunk of a PNG file.
  static func chunk(_ kind: String, _ content: [UInt8]) -> Foundation.Data {
    let named = Array(kind.utf8) + content
    return Foundation.Data(
      word(content.count) + named + word(Int(crc32(0, named, UInt32(named.count))))
    )
  }

  /// `bytes` as zlib packs them.
  static func deflated(_ bytes: [UInt8]) -> [UInt8] {
    var size = compressBound(UInt(bytes.count))
    var packed = [UInt8](repeating: 0, count: Int(size))
    precondition(compress(&packed, &size, bytes, UInt(bytes.count)) == Z_OK)
    return Array(packed.prefix(Int(size)))
  }

  /// Four bytes, the highest first.
  static func word(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }
}

/// Settings of the data with the fields that a test cares for.
func settings(
  _ source: String,
  resolution: Int = 8,
  skip: Bool = false,
  cache: String = ""
) throws -> Configuration.DataSettings {
  let json: [String: Any] = [
    "source": source, "resolution": resolution, "shift": 1, "flip": true,
    "skip_bad_images": skip, "cache": cache,
  ]
  return try JSONDecoder().decode(
    Configuration.DataSettings.self,
    from: JSONSerialization.data(withJSONObject: json)
  )
}

/// A folder of `classes` classes with JPEG and PNG files in turn, 12×8 pixels.
func makeImageFolder(_ classes: [String] = ["cat", "dog"], train: Int = 6, test: Int = 2) throws
  -> TemporaryFolder
{
  let folder = try TemporaryFolder()
  for (label, name) in classes.enumerated() {
    for (part, count) in [("train", train), ("test", test)] {
      for i in 0..<count {
        let pixels = Picture.pixels(width: 12, height: 8, seed: label * 50 + i)
        let file = "set/\(part)/\(name)/\(i)"
        if i % 2 == 0 {
          try folder.write(Picture.jpeg(pixels, width: 12, height: 8), to: file + ".jpg")
        } else {
          try folder.write(Picture.png(pixels, width: 12, height: 8), to: file + ".PNG")
        }
      }
    }
  }
  return folder
}

/// What `body` throws, as the one line a user would see.
func line(_ body: () throws -> Void) -> String {
  do {
    try body()
    return "no error"
  } catch {
    return "\(error)"
  }
}

/// The fingerprint's parts for data made by hand, where nobody asks for them.
let noContent = (
  train: DataFingerprint.Part(hashes: [], labels: [], classes: 0),
  test: DataFingerprint.Part(hashes: [], labels: [], classes: 0)
)
