/// How a file of weights writes the elements of an array; all are little-endian.
package enum ElementType: String, CaseIterable, Sendable {
  /// IEEE double precision.
  case float64 = "F64"
  /// IEEE single precision.
  case float32 = "F32"
  /// IEEE half precision.
  case float16 = "F16"
  /// The upper half of single precision.
  case bfloat16 = "BF16"
  /// Whole numbers of 64 bits.
  case int64 = "I64"
  /// Whole numbers of 32 bits.
  case int32 = "I32"
  /// Whole numbers of 16 bits.
  case int16 = "I16"
  /// Whole numbers of 8 bits.
  case int8 = "I8"
  /// Bytes.
  case uint8 = "U8"
  /// Truth values, a byte each.
  case bool = "BOOL"

  /// Bytes of an element.
  package var size: Int {
    switch self {
    case .float64, .int64: 8
    case .float32, .int32: 4
    case .float16, .bfloat16, .int16: 2
    case .int8, .uint8, .bool: 1
    }
  }

  /// The elements that `bytes` are, rounded to Float where they are wider.
  package func floats(_ bytes: UnsafeRawBufferPointer) -> [Float] {
    precondition(bytes.count % size == 0, "\(rawValue): \(bytes.count) bytes")
    func each<T: FixedWidthInteger>(_: T.Type, _ value: (T) -> Float) -> [Float] {
      (0..<bytes.count / size).map {
        value(T(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * size, as: T.self)))
      }
    }
    switch self {
    case .float64: return each(UInt64.self) { Float(Double(bitPattern: $0)) }
    case .float32:
      return [Float](unsafeUninitializedCapacity: bytes.count / 4) { buffer, count in
        UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
        count = bytes.count / 4
      }
    case .float16: return each(UInt16.self, ElementType.half)
    case .bfloat16: return each(UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
    case .int64: return each(Int64.self) { Float($0) }
    case .int32: return each(Int32.self) { Float($0) }
    case .int16: return each(Int16.self) { Float($0) }
    case .int8: return each(Int8.self) { Float($0) }
    case .uint8, .bool: return each(UInt8.self) { Float($0) }
    }
  }

  /// The value of a half-precision number; Swift's own type is not on every platform.
  private static func half(_ bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let rest = UInt32(bits & 0x7FFF) << 13
    // Infinity and NaN keep the highest exponent; 2^112 is what the two biases differ by.
    guard bits & 0x7C00 != 0x7C00 else { return Float(bitPattern: sign | rest | 0x7F80_0000) }
    let size = Float(bitPattern: rest) * Float(sign: .plus, exponent: 112, significand: 1)
    return sign == 0 ? size : -size
  }
}
