import CZlib

/// What zlib unpacks from a zlib or gzip stream held in memory.
///
/// - Parameters:
///   - packed: the whole stream.
///   - most: bytes that the content may have.
/// - Returns: the content; nil for damage, a stream that is cut, and more than `most` bytes.
func inflated(_ packed: [UInt8], most: Int) -> [UInt8]? {
  // 15 is the largest window, 32 asks zlib to tell the two formats apart.
  let window: Int32 = 15 + 32
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
