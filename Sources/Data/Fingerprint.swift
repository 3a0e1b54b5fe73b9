import Foundation
import Runs

/// A fast 64-bit hash that notices change and damage; no guard against an adversary.
struct Fingerprint {
  private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  /// Sixteen hexadecimal digits.
  var text: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  mutating func combine(_ word: UInt64) {
    value = (value ^ word) &* 0x9E37_79B9_7F4A_7C15
    value ^= value >> 32
  }

  mutating func combine(_ text: String) {
    for byte in text.utf8 { combine(UInt64(byte)) }
    combine(UInt64(text.utf8.count) | 1 << 63)
  }

  /// Hashes packed bytes by words; of more than 256 MiB an even sample of 64 KiB blocks, so that
  /// opening a huge cache stays a matter of a second.
  mutating func combine(_ bytes: UnsafeRawBufferPointer) {
    combine(UInt64(bytes.count))
    guard let base = bytes.baseAddress else { return }
    let block = 1 << 16
    let step = block * (1 + bytes.count >> 28)
    var start = 0
    while start < bytes.count {
      let size = min(block, bytes.count - start)
      // Aligned: packed files are mapped at a page and blocks are multiples of a page.
      let words = (base + start).bindMemory(to: UInt64.self, capacity: size / 8)
      var i = 0
      while i < size / 8 {
        combine(words[i])
        i += 1
      }
      for i in (size & ~7)..<size { combine(UInt64(bytes[start + i])) }
      start += step
    }
  }
}

extension DataFingerprint.Part {
  /// Adds up a hash and a label an image, in the order of the images.
  init(hashes: [UInt64], labels: [Int32], classes: Int) {
    var images = [Int](repeating: 0, count: classes)
    var content = [Fingerprint](repeating: Fingerprint(), count: classes)
    var order = Fingerprint()
    for (hash, label) in zip(hashes, labels) {
      images[Int(label)] += 1
      content[Int(label)].combine(hash)
      order.combine(UInt64(UInt32(bitPattern: label)))
    }
    self.init(images: images, content: content.map(\.text), order: order.text)
  }
}
