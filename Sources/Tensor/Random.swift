#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Counter-based random numbers: Philox 4×32-10 (Salmon et al., SC 2011).
///
/// A stream is named by what it is for, never by what was sampled before, so a resumed or replayed
/// run needs to know its step and nothing else (spec S120, S121).
package struct Philox: Sendable {
  /// What a stream of random numbers is used for; part of the key, so streams never overlap.
  package enum Purpose: UInt32, Sendable, CaseIterable {
    case initialisation = 1
    case split, shuffle, augmentation, gumbel, sampling, recalibration, test, dropout, mixup
    case sobol, predictor, genetics, paths, evenPaths, evaluatedPaths
  }

  private let key: (UInt32, UInt32)
  private var counter: (UInt32, UInt32, UInt32, UInt32)
  private var block: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
  private var used = 4
  private var spareNormal: Float?

  /// Opens the stream of `purpose` at `step`; `index` tells apart streams of one step (a layer, an
  /// image).
  package init(seed: UInt64, purpose: Purpose, step: UInt64 = 0, index: UInt32 = 0) {
    key = (UInt32(truncatingIfNeeded: seed) ^ purpose.rawValue &* 0x9E37_79B9, UInt32(seed >> 32))
    counter = (
      0, index, UInt32(truncatingIfNeeded: step),
      UInt32(truncatingIfNeeded: step >> 32) ^ (purpose.rawValue << 24)
    )
  }

  /// Raw block function for a test against published vectors.
  package static func block(
    counter: (UInt32, UInt32, UInt32, UInt32),
    key: (UInt32, UInt32)
  ) -> (UInt32, UInt32, UInt32, UInt32) {
    var c = counter
    var k = key
    for _ in 0..<10 {
      let a = UInt64(c.0) * 0xD251_1F53
      let b = UInt64(c.2) * 0xCD9E_8D57
      c = (
        UInt32(b >> 32) ^ c.1 ^ k.0, UInt32(truncatingIfNeeded: b),
        UInt32(a >> 32) ^ c.3 ^ k.1, UInt32(truncatingIfNeeded: a)
      )
      k = (k.0 &+ 0x9E37_79B9, k.1 &+ 0xBB67_AE85)
    }
    return c
  }

  /// The next 32 random bits.
  package mutating func next() -> UInt32 {
    if used == 4 {
      block = Philox.block(counter: counter, key: key)
      counter.0 &+= 1
      used = 0
    }
    defer { used += 1 }
    return switch used {
    case 0: block.0
    case 1: block.1
    case 2: block.2
    default: block.3
    }
  }

  /// Uniform in the open interval (0, 1): never 0, so its logarithm is finite.
  package mutating func uniform() -> Float {
    (Float(next() >> 9) + 0.5) * 0x1p-23
  }

  /// Uniform integer in `0..<bound`, without bias (Lemire's multiply and reject).
  package mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0 && bound <= Int(UInt32.max), "Philox.below: bound \(bound) out of range")
    let n = UInt32(bound)
    let threshold = (0 &- n) % n
    while true {
      let product = UInt64(next()) * UInt64(n)
      if UInt32(truncatingIfNeeded: product) >= threshold { return Int(product >> 32) }
    }
  }

  /// Standard normal by Box and Muller's transform.
  package mutating func normal() -> Float {
    if let spare = spareNormal {
      spareNormal = nil
      return spare
    }
    let radius = (-2 * log(uniform())).squareRoot()
    let angle = 2 * Float.pi * uniform()
    spareNormal = radius * sin(angle)
    return radius * cos(angle)
  }

  /// Gumbel(0, 1) noise, −log(−log U) (FBNetV1 equation 7; spec notation).
  package mutating func gumbel() -> Float {
    -log(-log(uniform()))
  }

  /// Fisher–Yates permutation of `0..<count`.
  package mutating func permutation(_ count: Int) -> [Int32] {
    var order = (0..<Int32(count)).map { $0 }
    for i in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(i, below(i + 1))
    }
    return order
  }
}
