import CZlib

/// How the pixels of a file lie: the tag 0x0112 of EXIF, 1 (upright) to 8.
///
/// Cameras store what the sensor read and note how to turn it. A tag that means nothing, and a
/// block that is damaged, leave the picture as it is stored.
struct Orientation: Equatable {
  static let upright = Orientation(value: 1)

  /// 1…8.
  private(set) var value: Int

  /// Whether stored rows are columns of the picture.
  var swapsSides: Bool { value >= 5 }
  /// Whether the picture begins at the last stored column.
  var reversesColumns: Bool { [2, 3, 7, 8].contains(value) }
  /// Whether the picture begins at the last stored row.
  var reversesRows: Bool { [3, 4, 6, 7].contains(value) }

  private init(value: Int) { self.value = value }

  /// What the first EXIF block of a JPEG file says.
  init(jpeg file: UnsafeRawBufferPointer) {
    self = .upright
    var at = 2
    while at + 4 <= file.count {
      guard file[at] == 0xFF else {
        at += 1
        continue
      }
      switch file[at + 1] {
      case 0xFF: at += 1  // a fill byte
      case 0x00, 0x01, 0xD0...0xD8: at += 2
      case 0xD9, 0xDA: return
      case let marker:
        let end = min(file.count, at + 2 + max(2, Int(file[at + 2]) << 8 | Int(file[at + 3])))
        let block = file[(at + 4)..<max(at + 4, end)]
        if marker == 0xE1, block.starts(with: Orientation.mark) {
          self = Orientation(exif: Array(block))
          return
        }
        at = end
      }
    }
  }

  /// What the chunk `eXIf` of a PNG file says, else the profile that ImageMagick and others write
  /// as text.
  init(png file: UnsafeRawBufferPointer) {
    self = .upright
    var profile: [UInt8]?
    var at = 8
    while at + 12 <= file.count {
      func word(_ at: Int) -> Int { file[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
      let length = word(at)
      let end = at + 12 + length
      guard end <= file.count else { break }
      let kind = String(decoding: file[(at + 4)..<(at + 8)], as: UTF8.self)
      if ["eXIf", "tEXt", "zTXt"].contains(kind) {
        let named = Array(file[(at + 4)..<(end - 4)])
        let content = Array(named.dropFirst(4))
        if Int(crc32(0, named, UInt32(named.count))) != word(end - 4) {
          // A damaged chunk says nothing.
        } else if kind == "eXIf" {
          self = Orientation(exif: content)
          return
        } else {
          profile = profile ?? Orientation.profile(content, isPacked: kind == "zTXt")
        }
      }
      at = end
    }
    if let profile { self = Orientation(exif: profile) }
  }

  /// What precedes a TIFF block in JPEG files, and for some writers elsewhere.
  private static let mark: [UInt8] = Array("Exif\0".utf8)

  /// Reads the first directory of a TIFF block.
  init(exif block: [UInt8]) {
    self = .upright
    let tiff = Array(block.starts(with: Orientation.mark) ? block.dropFirst(6) : block[...])
    let isLittle = tiff.starts(with: [0x49, 0x49])
    guard tiff.count >= 8, isLittle || tiff.starts(with: [0x4D, 0x4D]) else { return }
    func number(_ at: Int, _ bytes: Int) -> Int {
      let part = tiff[at..<at + bytes]
      return isLittle
        ? part.reversed().reduce(0) { $0 << 8 | Int($1) } : part.reduce(0) { $0 << 8 | Int($1) }
    }
    let directory = number(4, 4)
    guard number(2, 2) == 42, directory >= 8, directory + 2 <= tiff.count else { return }
    let entries = number(directory, 2)
    guard directory + 2 + 12 * entries <= tiff.count else { return }
    for entry in stride(from: directory + 2, to: directory + 2 + 12 * entries, by: 12)
    where number(entry, 2) == 0x0112 {
      // One short number; some writers make it a long one.
      let sizes = [3: 2, 4: 4]
      guard number(entry + 4, 4) == 1, let size = sizes[number(entry + 2, 2)] else { return }
      let value = number(entry + 8, size)
      if (1...8).contains(value) { self.init(value: value) }
      return
    }
  }

  /// Bytes that a text chunk's EXIF profile may have: twice the 64 KiB of a block, in hexadecimal.
  private static let largestProfile = 1 << 18

  /// The bytes of a text chunk's EXIF profile: a name, a length and hexadecimal digits, perhaps
  /// deflated.
  private static func profile(_ content: [UInt8], isPacked: Bool) -> [UInt8]? {
    let parts = content.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    guard let keyword = parts.first.map({ String(decoding: $0, as: UTF8.self) }), parts.count == 2,
      keyword == "Raw profile type exif" || keyword == "Raw profile type APP1",
      let text = isPacked
        ? inflated(Array(parts[1].dropFirst()), most: largestProfile) : Array(parts[1])
    else { return nil }
    let words = text.split { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
    let digits = words.dropFirst(2).joined().map { Character(Unicode.Scalar($0)).hexDigitValue }
    guard digits.count % 2 == 0, digits.allSatisfy({ $0 != nil }) else { return nil }
    let values = digits.map { UInt8($0 ?? 0) }
    return stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
  }
}

extension DecodedImage {
  /// The picture as it is seen, from pixels in that orientation.
  func turned(_ orientation: Orientation) -> DecodedImage {
    guard orientation != .upright else { return self }
    var turned = self
    if orientation.swapsSides { (turned.width, turned.height) = (height, width) }
    // Where the pixel right of another, and the one below it, are stored, and where the first one
    // is.
    let first =
      (orientation.reversesRows ? (height - 1) * width : 0)
      + (orientation.reversesColumns ? width - 1 : 0)
    let alongColumns = orientation.reversesColumns ? -1 : 1
    let alongRows = orientation.reversesRows ? -width : width
    let (right, down) =
      orientation.swapsSides ? (alongRows, alongColumns) : (alongColumns, alongRows)
    turned.pixels = [UInt8](unsafeUninitializedCapacity: pixels.count) { output, count in
      count = pixels.count
      var at = 0
      for y in 0..<turned.height {
        for x in 0..<turned.width {
          let from = 3 * (first + y * down + x * right)
          for channel in 0..<3 { output[at + channel] = pixels[from + channel] }
          at += 3
        }
      }
    }
    return turned
  }
}
