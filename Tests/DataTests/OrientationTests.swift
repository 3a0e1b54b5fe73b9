import Foundation
import Testing

@testable import Data

struct OrientationTests {
  /// The stored pixels 0…5 of an image 3 wide and 2 high, as they are seen for each value of the
  /// tag.
  private static let seen: [Int: (width: Int, order: [UInt8])] = [
    1: (3, [0, 1, 2, 3, 4, 5]), 2: (3, [2, 1, 0, 5, 4, 3]), 3: (3, [5, 4, 3, 2, 1, 0]),
    4: (3, [3, 4, 5, 0, 1, 2]), 5: (2, [0, 3, 1, 4, 2, 5]), 6: (2, [3, 0, 4, 1, 5, 2]),
    7: (2, [5, 2, 4, 1, 3, 0]), 8: (2, [2, 5, 1, 4, 0, 3]),
  ]

  /// A TIFF block whose directory holds `entries` of tag, type, count and the four bytes of the
  /// value.
  private static func tiff(
    _ value: Int,
    isLittle: Bool,
    tag: Int = 0x0112,
    type: Int = 3,
    count: Int = 1
  ) -> [UInt8] {
    func number(_ value: Int, _ bytes: Int) -> [UInt8] {
      let high = (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
      return isLittle ? high.reversed() : high
    }
    func entry(_ tag: Int, _ type: Int, _ count: Int, _ value: Int) -> [UInt8] {
      let bytes = type == 3 ? 2 : 4
      return number(tag, 2) + number(type, 2) + number(count, 4) + number(value, bytes)
        + [UInt8](repeating: 0, count: 4 - bytes)
    }
    return Array((isLittle ? "II" : "MM").utf8) + number(42, 2) + number(8, 4) + number(2, 2)
      + entry(0x0100, 4, 1, 77) + entry(tag, type, count, value) + number(0, 4)
  }

  private static let mark = Array("Exif\0\0".utf8)
  private let pixels = Picture.pixels(width: 16, height: 8, seed: 5)

  @Test(arguments: 1...8)
  func `each value turns and mirrors as it says`(value: Int) throws {
    let (width, order) = try #require(Self.seen[value])
    let stored = DecodedImage(width: 3, height: 2, pixels: (0..<6).flatMap { [$0, $0, $0 + 100] })
    let tag = Orientation(exif: Self.tiff(value, isLittle: false))
    let turned = stored.turned(tag)
    #expect(turned.width == width && turned.height == 6 / width)
    #expect(turned.pixels == order.flatMap { [$0, $0, $0 + 100] })
  }

  @Test(arguments: 1...8)
  func `files come out turned, in both byte orders and both formats`(value: Int) throws {
    for isLittle in [true, false] {
      let block = Self.tiff(value, isLittle: isLittle)
      let tag = Orientation(exif: block)
      let jpeg = Picture.jpeg(pixels, width: 16, height: 8, exif: Self.mark + block)
      let plain = try ImageDecoder.decode(Picture.jpeg(pixels, width: 16, height: 8))
      #expect(try ImageDecoder.decode(jpeg).pixels == plain.turned(tag).pixels)
      let png = Picture.png(pixels, width: 16, height: 8)
      let image = DecodedImage(width: 16, height: 8, pixels: pixels).turned(tag)
      for chunk in Self.chunks(block) {
        let decoded = try ImageDecoder.decode(png[..<33] + chunk + png[33...])
        #expect(decoded.pixels == image.pixels)
        #expect(decoded.width == image.width)
        // After the pixels as well.
        let end = png.count - 12
        #expect(try ImageDecoder.decode(png[..<end] + chunk + png[end...]).pixels == image.pixels)
      }
    }
  }

  /// The forms in which PNG files carry a block.
  private static func chunks(_ block: [UInt8]) -> [Foundation.Data] {
    let hex = (mark + block).map { String(format: "%02x", $0) }.joined()
    let lines = hex.enumerated().map { ($0 % 72 == 71 ? "\($1)\n" : "\($1)") }.joined()
    let text = Array("\nexif\n      \(mark.count + block.count)\n\(lines)\n".utf8)
    return [
      Picture.chunk("eXIf", block), Picture.chunk("eXIf", mark + block),
      Picture.chunk("tEXt", Array("Raw profile type exif\0".utf8) + text),
      Picture.chunk(
        "zTXt",
        Array("Raw profile type APP1\0\0".utf8) + Picture.deflated(text)
      ),
    ]
  }

  @Test func `what means nothing and what is damaged leave the picture as it is stored`() {
    let six = Self.tiff(6, isLittle: true)
    for value in [0, 9, 255, 65535] {
      #expect(Orientation(exif: Self.tiff(value, isLittle: true)) == .upright)
    }
    // Six bytes of the end are the next directory's place and the value's padding.
    for length in 0..<six.count - 4 {
      #expect(Orientation(exif: Array(six[..<length])) == .upright, "\(length) bytes")
    }
    #expect(Orientation(exif: six).value == 6)
    #expect(Orientation(exif: Self.tiff(6, isLittle: true, tag: 0x0113)) == .upright)
    #expect(Orientation(exif: Self.tiff(6, isLittle: true, type: 2)) == .upright)
    #expect(Orientation(exif: Self.tiff(6, isLittle: true, count: 2)) == .upright)
    #expect(Orientation(exif: Self.tiff(6, isLittle: false, type: 4)).value == 6)
    for at in [0, 2, 4, 8] {
      var broken = six
      broken[at] ^= 0x7F
      #expect(Orientation(exif: broken) == .upright, "byte \(at)")
    }
    // A directory far behind the end, and one of more entries than there are.
    #expect(Orientation(exif: Array(six[..<4]) + [255, 255, 255, 255]) == .upright)
  }

  @Test func `a damaged chunk and a damaged profile say nothing`() throws {
    let png = Picture.png(pixels, width: 16, height: 8)
    for chunk in Self.chunks(Self.tiff(3, isLittle: true)) {
      var damaged = chunk
      damaged[chunk.count - 6] ^= 1
      #expect(Orientation(damaged: png[..<33] + damaged + png[33...]) == .upright)
    }
    for text in ["", "\nexif\n", "\nexif\n 4\n4d4", "\nexif\n 4\nzz"] {
      let chunk = Picture.chunk("tEXt", Array("Raw profile type exif\0\(text)".utf8))
      #expect(Orientation(damaged: png[..<33] + chunk + png[33...]) == .upright)
    }
  }

  @Test func `the first block of a JPEG counts, wherever stray bytes are`() throws {
    let block = Self.mark + Self.tiff(8, isLittle: false)
    let file = Picture.jpeg(pixels, width: 16, height: 8, exif: block)
    let plain = try ImageDecoder.decode(Picture.jpeg(pixels, width: 16, height: 8))
    let turned = plain.turned(Orientation(exif: block))
    for stray in [[0x00], [0x12, 0x34], [0xFF, 0xFF], [0xFF, 0x00]] as [[UInt8]] {
      let dirty = file[..<2] + stray + file[2...]
      #expect(try ImageDecoder.decode(Foundation.Data(dirty)).pixels == turned.pixels, "\(stray)")
    }
  }
}

extension Orientation {
  /// Of a PNG file that need not decode.
  fileprivate init(damaged file: Foundation.Data) {
    self = file.withUnsafeBytes { Orientation(png: $0) }
  }
}
