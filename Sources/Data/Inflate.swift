import CZlib

/// What zlib unpacks from a zlib or gzip stream held in memory.
///
/// - Parameters:
///   - packed: the whole stream; below 4 GiB.
///   - most: bytes that the content may have; below 4 GiB.
///   - isRaw: whether the stream has neither head nor sum, as in a zip file.
/// - Returns: the content; nil for damage, a stream that is cut, and more than `most` bytes.
package func inflated(_ packed: [UInt8], most: Int, isRaw: Bool = false) -> [UInt8]? {
  // 15 is the largest window, 32 asks zlib to tell the two formats apart, a minus sign for neither.
  let window: Int32 = isRaw ? -15 : 15 + 32
  var stream = z_stream()
  let size = Int32(MemoryLayout<z_stream>.size)
  guard inflateInit2_(&stream, window, ZLIB_VERSION, size) == Z_OK else { return nil }
  defer { inflateEnd(&stream) }
  var packed = packed
  var isWhole = false
  let bytes = [UInt8](unsafeUninitializedCapacity: most) { output, count in
    packed.withUnsafeMutableBufferPointer { input in
      stream.next_in = input.baseAddress
      stream.avail_in = UInt32(input.count)
      stream.next_out = output.baseAddress
      stream.avail_out = UInt32(output.count)
      isWhole = inflate(&stream, Z_FINISH) == Z_STREAM_END
      count = most - Int(stream.avail_out)
    }
  }
  return isWhole ? bytes : nil
}

/// The checksum of zip files: CRC-32 of `bytes`.
package func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
  UInt32(crc32_z(0, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), z_size_t(bytes.count)))
}
