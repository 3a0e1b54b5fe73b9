import Data
import Foundation

/// A zip file of a few entries, as a test wants it.
struct ZipWriter {
  /// Name and content, in order.
  var entries: [(name: String, content: Foundation.Data)]
  /// Whether each entry is a deflate stream, of a single block that is not compressed.
  var deflates = false
  /// Whether sizes and places stand in the fields of files above 4 GiB.
  var isWide = false

  /// The file.
  var data: Foundation.Data {
    var (file, directory) = (Foundation.Data(), Foundation.Data())
    for (name, content) in entries {
      let place = file.count
      let packed = deflates ? block(content) : content
      let sum = content.withUnsafeBytes(checksum)
      let head =
        little(UInt16(45), 0, deflates ? 8 : 0, 0, 0) + little(sum)
        + (isWide ? little(UInt32.max, .max) : little(UInt32(packed.count), UInt32(content.count)))
        + little(UInt16(name.utf8.count))
      file += little(UInt32(0x0403_4B50)) + head + little(UInt16(0)) + Foundation.Data(name.utf8)
      file += packed
      let wide =
        isWide
        ? little(UInt16(1), 24) + little(UInt64(content.count), UInt64(packed.count), UInt64(place))
        : Foundation.Data()
      directory += little(UInt32(0x0201_4B50)) + little(UInt16(45)) + head
      directory += little(UInt16(wide.count), 0, 0, 0) + little(UInt32(0))
      directory += little(isWide ? UInt32.max : UInt32(place)) + Foundation.Data(name.utf8) + wide
    }
    let start = file.count
    file += directory
    if isWide {
      let record = UInt64(file.count)
      file += little(UInt32(0x0606_4B50)) + little(UInt64(44)) + little(UInt16(45), 45)
      file += little(UInt32(0), 0) + little(UInt64(entries.count), UInt64(entries.count))
      file += little(UInt64(directory.count), UInt64(start))
      file += little(UInt32(0x0706_4B50), 0) + little(record) + little(UInt32(1))
    }
    let count = UInt16(entries.count)
    file += little(UInt32(0x0605_4B50)) + little(UInt16(0), 0, count, count)
    file += isWide ? little(UInt32.max, .max) : little(UInt32(directory.count), UInt32(start))
    return file + little(UInt16(0))
  }

  private func block(_ content: Foundation.Data) -> Foundation.Data {
    let count = UInt16(content.count)
    return Foundation.Data([1]) + little(count, ~count) + content
  }

  private func little<T: FixedWidthInteger>(_ values: T...) -> Foundation.Data {
    values.reduce(into: Foundation.Data()) { data, value in
      withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) }
    }
  }
}
