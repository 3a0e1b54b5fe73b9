import Data
import Foundation
import Runs

/// The entries of a zip file in memory, stored or deflated, also of more than 4 GiB.
///
/// Every place and length in the file is checked against its size before it is used.
struct ZipArchive {
  private let bytes: Foundation.Data
  private let path: String
  private var entries: [String: Entry] = [:]

  private struct Entry {
    var method: UInt16
    var checksum: UInt32
    var packed: Int
    var size: Int
    var place: Int
  }

  /// Reads the directory at the end of `bytes`, the content of `path`.
  ///
  /// Errors: `.data` for damage.
  init(_ bytes: Foundation.Data, path: String) throws {
    self.bytes = bytes
    self.path = path
    var (place, end) = try directory()
    while place < end {
      guard bytes.little(UInt32.self, at: place) == 0x0201_4B50,
        let flags = bytes.little(UInt16.self, at: place + 8),
        let method = bytes.little(UInt16.self, at: place + 10),
        let checksum = bytes.little(UInt32.self, at: place + 16),
        let lengths = bytes.little(3, of: UInt16.self, at: place + 28),
        let name = bytes.part(at: place + 46, count: lengths[0])
      else { throw fault("its directory is damaged") }
      let text = String(decoding: name, as: UTF8.self)
      guard flags & 1 == 0 else { throw fault("its entry \(text) is encrypted") }
      guard let numbers = numbers(at: place, extra: place + 46 + lengths[0], lengths[1]) else {
        throw fault("its directory is damaged")
      }
      entries[text] = Entry(
        method: method,
        checksum: checksum,
        packed: numbers[1],
        size: numbers[0],
        place: numbers[2]
      )
      place += 46 + lengths.reduce(0, +)
    }
  }

  /// Names of the entries, in no order.
  var names: [String] { Array(entries.keys) }

  /// What is wrong with the file, with what to do about it.
  func fault(_ problem: String) -> UserError {
    UserError(.data, path, problem, remedy: "restore the file from a copy, or load it again")
  }

  /// The content of an entry, of `most` bytes or fewer.
  ///
  /// Errors: `.data` for an entry that is missing, damaged or larger.
  func content(of name: String, most: Int = .max) throws -> Foundation.Data {
    guard let entry = entries[name] else { throw fault("has no entry \(name)") }
    guard entry.size <= most else { throw fault("its entry \(name) is too large") }
    guard bytes.little(UInt32.self, at: entry.place) == 0x0403_4B50,
      let lengths = bytes.little(2, of: UInt16.self, at: entry.place + 26),
      let packed = bytes.part(
        at: entry.place + 30 + lengths[0] + lengths[1],
        count: entry.packed
      )
    else { throw fault("its entry \(name) is cut") }
    var content: Foundation.Data?
    switch entry.method {
    case 0: content = packed
    // Deflating makes nothing more than 1032 times as small.
    case 8 where max(entry.size, packed.count) < 1 << 31 && entry.size / 1032 <= packed.count:
      content = inflated(Array(packed), most: entry.size, isRaw: true).map { Foundation.Data($0) }
    default: break
    }
    guard let content, content.count == entry.size,
      content.withUnsafeBytes(checksum) == entry.checksum
    else { throw fault("its entry \(name) is damaged") }
    return content
  }

  /// Where the directory begins and ends.
  private func directory() throws -> (start: Int, end: Int) {
    // A comment of up to 65,535 bytes may follow the record.
    let last = bytes.count - 22
    guard last >= 0,
      let record = (max(0, last - 65535)...last).reversed()
        .first(where: { bytes.little(UInt32.self, at: $0) == 0x0605_4B50 }),
      let sizes = bytes.little(2, of: UInt32.self, at: record + 12)
    else { throw fault("is cut: it has no directory at its end") }
    var (size, start) = (sizes[0], sizes[1])
    if size == UInt32.max || start == UInt32.max {
      guard bytes.little(UInt32.self, at: record - 20) == 0x0706_4B50,
        let wide = bytes.little(1, of: UInt64.self, at: record - 12),
        bytes.little(UInt32.self, at: wide[0]) == 0x0606_4B50,
        let sizes = bytes.little(2, of: UInt64.self, at: wide[0] + 40)
      else { throw fault("its directory is damaged") }
      (size, start) = (sizes[0], sizes[1])
    }
    guard bytes.part(at: start, count: size) != nil else { throw fault("its directory is cut") }
    return (start, start + size)
  }

  /// Size, packed size and place of the entry of a record at `place`: those that do not fit into 32
  /// bits stand in the record's extra fields.
  private func numbers(at place: Int, extra: Int, _ length: Int) -> [Int]? {
    guard let sizes = bytes.little(2, of: UInt32.self, at: place + 20),
      let start = bytes.little(1, of: UInt32.self, at: place + 42)
    else { return nil }
    // In the order of the extra field: the size comes before the packed size.
    var numbers = [sizes[1], sizes[0], start[0]]
    let wide = numbers.indices.filter { numbers[$0] == UInt32.max }
    guard !wide.isEmpty else { return numbers }
    var field = extra
    while field + 4 <= extra + length, let head = bytes.little(2, of: UInt16.self, at: field) {
      if head[0] == 1 {
        guard head[1] >= 8 * wide.count,
          let values = bytes.little(wide.count, of: UInt64.self, at: field + 4)
        else { return nil }
        for (index, value) in zip(wide, values) { numbers[index] = value }
        return numbers
      }
      field += 4 + head[1]
    }
    return nil
  }
}

extension Foundation.Data {
  /// The number at `place`, counted from the beginning; nil outside.
  func little<T: FixedWidthInteger>(_: T.Type, at place: Int) -> T? {
    guard place >= 0, place <= count - MemoryLayout<T>.size else { return nil }
    return withUnsafeBytes {
      T(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: T.self))
    }
  }

  /// `count` numbers from `place` on; nil outside, and for one of more than 63 bits.
  fileprivate func little<T: FixedWidthInteger>(
    _ count: Int,
    of type: T.Type,
    at place: Int
  ) -> [Int]? {
    let numbers = (0..<count).compactMap { index in
      little(type, at: place &+ index * MemoryLayout<T>.size).flatMap { Int(exactly: $0) }
    }
    return numbers.count == count ? numbers : nil
  }

  /// `count` bytes from `place` on; nil outside.
  func part(at place: Int, count length: Int) -> Foundation.Data? {
    guard place >= 0, length >= 0, place <= count, length <= count - place else { return nil }
    return self[startIndex + place..<startIndex + place + length]
  }
}
