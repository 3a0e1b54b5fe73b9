import Foundation

/// Folders of pictures that a small network can tell apart, written without any library.
enum Pictures {
  /// Writes `name/train/CLASS/N.png` and `name/test/CLASS/N.png`, 16×16 pixels; a kind from 0 to 3
  /// says what the pictures of a class look like.
  static func write(
    _ folder: Program.Folder,
    _ name: String,
    _ classes: [String],
    kinds: [Int]? = nil,
    train: Int = 0,
    test: Int
  ) throws {
    for (index, label) in classes.enumerated() {
      for (part, count, first) in [("train", train, 0), ("test", test, 500)] {
        for number in 0..<count {
          let pixels = picture(kinds?[index] ?? index, number: first + number)
          _ = try folder.write("\(name)/\(part)/\(label)/\(number).png", png(pixels))
        }
      }
    }
  }

  private static let side = 16

  /// One half bright, on a pattern that differs from picture to picture; RGB.
  private static func picture(_ kind: Int, number: Int) -> [UInt8] {
    (0..<side * side).flatMap { pixel -> [UInt8] in
      let (x, y) = (pixel % side, pixel / side)
      let isBright = [x < side / 2, x >= side / 2, y < side / 2, y >= side / 2][kind]
      return (0..<3).map { channel in
        let noise = (pixel * 37 + channel * 11 + number * 53 + pixel * number) % 50
        return UInt8(noise + (isBright ? 150 : 10))
      }
    }
  }

  /// A PNG file whose pixels are stored as they are.
  private static func png(_ pixels: [UInt8]) -> Data {
    func number(_ value: UInt32) -> Data { withUnsafeBytes(of: value.bigEndian) { Data($0) } }
    func chunk(_ kind: String, _ content: Data) -> Data {
      let body = Data(kind.utf8) + content
      return number(UInt32(content.count)) + body + number(crc(body))
    }
    var rows = Data()
    for y in 0..<side { rows += [0] + pixels[y * side * 3..<(y + 1) * side * 3] }
    // A zlib stream of one stored block: its length, the complement of that, the bytes, their
    // Adler-32.
    let count = UInt16(rows.count)
    var stream = Data([0x78, 0x01, 0x01])
    for value in [count, ~count] { withUnsafeBytes(of: value.littleEndian) { stream += Data($0) } }
    stream += rows
    var (a, b): (UInt32, UInt32) = (1, 0)
    for byte in rows {
      a = (a + UInt32(byte)) % 65521
      b = (b + a) % 65521
    }
    stream += number(b << 16 | a)
    let size = number(UInt32(side))
    return Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
      + chunk("IHDR", size + size + Data([8, 2, 0, 0, 0])) + chunk("IDAT", stream)
      + chunk("IEND", Data())
  }

  private static func crc(_ bytes: Data) -> UInt32 {
    ~bytes.reduce(UInt32.max) { crc, byte in
      (0..<8).reduce(crc ^ UInt32(byte)) { value, _ in
        value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1
      }
    }
  }
}
