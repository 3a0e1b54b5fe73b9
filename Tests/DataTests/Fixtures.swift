import CPNG
import CTurboJPEG
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

  static func jpeg(_ pixels: [UInt8], width: Int, height: Int, quality: Int32 = 95)
    -> Foundation.Data
  {
    let handle = tjInitCompress()
    defer { tjDestroy(handle) }
    var buffer: UnsafeMutablePointer<UInt8>?
    var size: UInt = 0
    let status = tjCompress2(
      handle,
      pixels,
      Int32(width),
      0,
      Int32(height),
      Int32(TJPF_RGB.rawValue),
      &buffer,
      &size,
      Int32(TJSAMP_444.rawValue),
      quality,
      0
    )
    defer { tjFree(buffer) }
    guard status == 0, let buffer else { preconditionFailure("tjCompress2 failed") }
    return Foundation.Data(bytes: buffer, count: Int(size))
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
