import Foundation
import Tensor

extension Batch {
  /// The batch blended with itself in reverse order (mixup, arXiv 1710.09412); the labels stay.
  ///
  /// Image i becomes (1 − share)·image i + share·image N−1−i, so its second label is that of N−1−i.
  package func blended(share: Float) -> Batch {
    guard count > 1, share != 0 else { return self }
    let size = pixels.count / count
    let blended = [Float](unsafeUninitializedCapacity: pixels.count) { output, written in
      written = pixels.count
      pixels.withUnsafeBufferPointer { pixels in
        guard let from = pixels.baseAddress, let to = output.baseAddress else { return }
        for image in 0..<count {
          let own = from + image * size
          let other = from + (count - 1 - image) * size
          let result = to + image * size
          // `while` because ranges are slow in debug builds.
          var i = 0
          while i < size {
            result[i] = own[i] + share * (other[i] - own[i])
            i += 1
          }
        }
      }
    }
    return Batch(pixels: blended, labels: labels)
  }
}

extension Philox {
  /// The smaller share of a Beta(alpha, alpha) sample, 0…0.5: G₁/(G₁ + G₂) of two Gamma(alpha)
  /// samples.
  ///
  /// A batch blended with its reverse holds the same images for a share and for 1 − share; with the
  /// smaller one each image's own label leads.
  package mutating func mixupShare(alpha: Double) -> Float {
    let difference = logGamma(alpha) - logGamma(alpha)
    let share = 1 / (1 + exp(difference))
    return Float(min(share, 1 - share))
  }

  /// Logarithm of a Gamma(shape, 1) sample, finite however small the shape (Marsaglia and Tsang
  /// 2000).
  private mutating func logGamma(_ shape: Double) -> Double {
    // Below 1: Gamma(a) = Gamma(a + 1)·U^(1/a).
    let boost = shape < 1 ? log(Double(uniform())) / shape : 0
    let d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = Double(normal())
      let v = 1 + c * x
      guard v > 0 else { continue }
      let cube = v * v * v
      if log(Double(uniform())) < 0.5 * x * x + d - d * cube + d * log(cube) {
        return log(d * cube) + boost
      }
    }
  }
}
