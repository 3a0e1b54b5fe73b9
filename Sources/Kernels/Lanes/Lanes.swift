public import CLanes

/// A pointer to floats that a kernel reads.
@usableFromInline
package typealias Input = UnsafePointer<Float>
/// A pointer to floats that a kernel writes.
@usableFromInline
package typealias Output = UnsafeMutablePointer<Float>

/// The vector of one instruction set, and the few steps that differ between sets.
///
/// Kernels are written once over this protocol and inlined whole into a module that is compiled
/// with the flags of its set. `fma` must be a separate multiply and add where the set has no fused
/// one: without the flags Swift's fused step becomes a library call a hundred times slower.
@usableFromInline
package protocol Lanes: SendableMetatype {
  /// The vector type.
  associatedtype Vector: SIMD where Vector.Scalar == Float
  /// Lanes half as wide with as many `rows`, for the last columns of a product; the same lanes if a
  /// half is not worth a loop of its own.
  associatedtype Half: Lanes = Self
  /// Floats in a vector.
  static var count: Int { get }
  /// Rows of the matrix micro-kernel: accumulators are `rows` × 2 vectors.
  static var rows: Int { get }
  /// a · b + c.
  static func fma(_ a: Vector, _ b: Vector, _ c: Vector) -> Vector
  /// The square root.
  static func squareRoot(_ x: Vector) -> Vector
  /// `x` in the lanes where `condition` is above 0, else 0.
  static func keep(_ x: Vector, whereAboveZero condition: Vector) -> Vector
  /// The value of `x` held between two bounds.
  static func clamp(_ x: Vector, _ low: Float, _ high: Float) -> Vector
  /// Writes a whole vector past the caches, to an aligned place that is read much later.
  static func stream(_ x: Vector, _ p: Output)
  /// Reads a vector of bfloat16.
  static func widen(_ p: UnsafePointer<UInt16>) -> Vector
  /// Writes a vector as bfloat16, rounded to the nearest.
  static func narrow(_ x: Vector, _ p: UnsafeMutablePointer<UInt16>)
  /// The lanes that are not 0, the first in the lowest bit.
  static func nonzeros(_ x: Vector) -> UInt64
  /// For each column of a vector the rows, up to 64, in which it is not 0, the first in the lowest
  /// bit.
  static func markColumns(_ p: Input, rows: Int, stride: Int, _ marks: UnsafeMutablePointer<UInt64>)
  /// Writes the columns of 16 rows of 16 floats as rows; rows are `stride` floats apart, and
  /// `toStride`.
  static func transposeBlock(_ from: Input, stride: Int, _ to: Output, toStride: Int)
  /// Reads `n` floats (up to a whole vector); the other lanes are 0.
  static func load(_ p: Input, _ n: Int) -> Vector
  /// Writes the first `n` lanes (up to a whole vector).
  static func store(_ x: Vector, _ p: Output, _ n: Int)
}

extension Lanes {
  /// Reads a whole vector.
  @_alwaysEmitIntoClient @inline(always)
  package static func load(_ p: Input) -> Vector {
    UnsafeRawPointer(p).loadUnaligned(as: Vector.self)
  }

  /// Writes a whole vector.
  @_alwaysEmitIntoClient @inline(always)
  package static func store(_ x: Vector, _ p: Output) {
    UnsafeMutableRawPointer(p).storeBytes(of: x, as: Vector.self)
  }

  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func load(_ p: Input, _ n: Int) -> Vector { loadSome(p, n) }

  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func store(_ x: Vector, _ p: Output, _ n: Int) { storeSome(x, p, n) }

  /// Reads `n` floats lane by lane, or a whole vector.
  @_alwaysEmitIntoClient @inline(always)
  package static func loadSome(_ p: Input, _ n: Int) -> Vector {
    if n >= count { return load(p) }
    var v = Vector.zero
    for i in 0..<n { v[i] = p[i] }
    return v
  }

  /// Writes `n` lanes one by one, or a whole vector.
  @_alwaysEmitIntoClient @inline(always)
  package static func storeSome(_ x: Vector, _ p: Output, _ n: Int) {
    if n >= count { return store(x, p) }
    for i in 0..<n { p[i] = x[i] }
  }

  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func transposeBlock(_ from: Input, stride: Int, _ to: Output, toStride: Int) {
    for column in 0..<blockWidth {
      for row in 0..<blockWidth { to[column * toStride + row] = from[row * stride + column] }
    }
  }

  /// The larger of `x` and 0.
  @_alwaysEmitIntoClient @inline(always)
  package static func relu(_ x: Vector) -> Vector { keep(x, whereAboveZero: x) }

  /// `n` rounded up to whole vectors.
  @_alwaysEmitIntoClient @inline(always)
  package static func padded(_ n: Int) -> Int { (n + count - 1) / count * count }

  /// The activation of `x`.
  @_alwaysEmitIntoClient @inline(always)
  package static func activate(_ x: Vector, _ activation: Activation) -> Vector {
    switch activation {
    case .none: x
    case .relu: relu(x)
    case .hswish: x * clamp(x + 3, 0, 6) * Vector(repeating: 1 / 6)
    }
  }

  /// `g` times the derivative of the activation at `x`; the derivative of ReLU at 0 is 0.
  @_alwaysEmitIntoClient @inline(always)
  package static func activationGradient(
    _ g: Vector,
    at x: Vector,
    _ activation: Activation
  ) -> Vector {
    switch activation {
    case .none: g
    case .relu: keep(g, whereAboveZero: x)
    case .hswish:
      // (2x + 3) / 6 inside (−3, 3), 0 below, 1 above.
      keep(
        g
          * keep(
            fma(x, Vector(repeating: 1 / 3), Vector(repeating: 0.5)) - 1,
            whereAboveZero: 3 - x
          )
          + g,
        whereAboveZero: x + 3
      )
    }
  }
}

/// What a consumer applies to a value after its normalisation.
@usableFromInline
@frozen
package enum Activation: Int32, Sendable, CaseIterable {
  case none, relu, hswish
}

/// Brings the cache line at `p` closer, for a read to come.
@_alwaysEmitIntoClient @inline(always)
package func prefetch(_ p: UnsafeRawPointer) { cs_prefetch(p) }

/// Makes what `Lanes.stream` wrote visible before anything that follows.
@_alwaysEmitIntoClient @inline(always)
package func finishStreams() { cs_finish_streams() }

/// Four lanes without fused multiply–add: SSE on x86-64, NEON on arm64.
@usableFromInline
package enum BaselineLanes: Lanes {
  /// The vector type.
  @usableFromInline package typealias Vector = SIMD4<Float>
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static var count: Int { 4 }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static var rows: Int { 6 }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func fma(_ a: Vector, _ b: Vector, _ c: Vector) -> Vector {
    #if arch(arm64)
      c.addingProduct(a, b)
    #else
      a * b + c
    #endif
  }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func squareRoot(_ x: Vector) -> Vector { cs_root4(x) }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func keep(_ x: Vector, whereAboveZero condition: Vector) -> Vector {
    cs_keep4(x, condition)
  }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func clamp(_ x: Vector, _ low: Float, _ high: Float) -> Vector {
    cs_clamp4(x, low, high)
  }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func stream(_ x: Vector, _ p: Output) { cs_stream4(x, p) }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func widen(_ p: UnsafePointer<UInt16>) -> Vector { cs_widen4(p) }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func narrow(_ x: Vector, _ p: UnsafeMutablePointer<UInt16>) { cs_narrow4(x, p) }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func nonzeros(_ x: Vector) -> UInt64 { cs_nonzeros4(x) }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func markColumns(
    _ p: Input,
    rows: Int,
    stride: Int,
    _ marks: UnsafeMutablePointer<UInt64>
  ) {
    cs_mark_columns4(p, rows, stride, marks)
  }
}

/// What all sets of eight lanes have in common.
extension Lanes where Vector == SIMD8<Float> {
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static var count: Int { 8 }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func fma(_ a: Vector, _ b: Vector, _ c: Vector) -> Vector { cs_fma8(a, b, c) }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func squareRoot(_ x: Vector) -> Vector { cs_root8(x) }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func keep(_ x: Vector, whereAboveZero condition: Vector) -> Vector {
    cs_keep8(x, condition)
  }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func clamp(_ x: Vector, _ low: Float, _ high: Float) -> Vector {
    cs_clamp8(x, low, high)
  }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func stream(_ x: Vector, _ p: Output) { cs_stream8(x, p) }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func widen(_ p: UnsafePointer<UInt16>) -> Vector { cs_widen8(p) }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func narrow(_ x: Vector, _ p: UnsafeMutablePointer<UInt16>) { cs_narrow8(x, p) }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func nonzeros(_ x: Vector) -> UInt64 { cs_nonzeros8(x) }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func markColumns(
    _ p: Input,
    rows: Int,
    stride: Int,
    _ marks: UnsafeMutablePointer<UInt64>
  ) {
    cs_mark_columns8(p, rows, stride, marks)
  }
}

/// Eight lanes with fused multiply–add.
@usableFromInline
package enum AVX2Lanes: Lanes {
  /// The vector type.
  @usableFromInline package typealias Vector = SIMD8<Float>
  /// 6 × 2 accumulators, two vectors of B and a broadcast: 15 of 16 registers.
  @_alwaysEmitIntoClient @inline(always)
  package static var rows: Int { 6 }
}

/// Sixteen lanes with fused multiply–add.
@usableFromInline
package enum AVX512Lanes: Lanes {
  /// The vector type.
  @usableFromInline package typealias Vector = SIMD16<Float>
  /// FBNet's widths are multiples of 8.
  @usableFromInline package typealias Half = AVX512HalfLanes
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static var count: Int { 16 }
  /// 8 × 2 accumulators hide the latency of two FMA units, and widths are multiples of 8.
  @_alwaysEmitIntoClient @inline(always)
  package static var rows: Int { 8 }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func fma(_ a: Vector, _ b: Vector, _ c: Vector) -> Vector {
    cs_fma16(a, b, c)
  }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func squareRoot(_ x: Vector) -> Vector { cs_root16(x) }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func keep(_ x: Vector, whereAboveZero condition: Vector) -> Vector {
    cs_keep16(x, condition)
  }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func clamp(_ x: Vector, _ low: Float, _ high: Float) -> Vector {
    cs_clamp16(x, low, high)
  }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func stream(_ x: Vector, _ p: Output) { cs_stream16(x, p) }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func widen(_ p: UnsafePointer<UInt16>) -> Vector { cs_widen16(p) }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func narrow(_ x: Vector, _ p: UnsafeMutablePointer<UInt16>) { cs_narrow16(x, p) }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func nonzeros(_ x: Vector) -> UInt64 { cs_nonzeros16(x) }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func markColumns(
    _ p: Input,
    rows: Int,
    stride: Int,
    _ marks: UnsafeMutablePointer<UInt64>
  ) {
    cs_mark_columns16(p, rows, stride, marks)
  }
  /// See `Lanes`.
  @_alwaysEmitIntoClient @inline(always)
  package static func transposeBlock(_ from: Input, stride: Int, _ to: Output, toStride: Int) {
    cs_transpose16(from, stride, to, toStride)
  }
  /// Half a vector is the usual tail, since FBNet's widths are multiples of 8.
  @_alwaysEmitIntoClient @inline(always)
  package static func load(_ p: Input, _ n: Int) -> Vector {
    n == 8 ? Vector(lowHalf: AVX2Lanes.load(p), highHalf: .zero) : loadSome(p, n)
  }
  /// See `load`.
  @_alwaysEmitIntoClient @inline(always)
  package static func store(_ x: Vector, _ p: Output, _ n: Int) {
    if n == 8 { AVX2Lanes.store(x.lowHalf, p) } else { storeSome(x, p, n) }
  }
}

/// Eight lanes with the registers of AVX-512.
@usableFromInline
package enum AVX512HalfLanes: Lanes {
  /// The vector type.
  @usableFromInline package typealias Vector = SIMD8<Float>
  /// As many as `AVX512Lanes` has.
  @_alwaysEmitIntoClient @inline(always)
  package static var rows: Int { 8 }
}
