/// Centre crop to a square, then resize: area averaging when shrinking, bilinear when growing.
///
/// The same as scaling the short side and cropping the long one, but without work on pixels that
/// are cropped away. Both filters are a few weights per output coordinate and separable, so one
/// loop serves both.
struct Resampler: Sendable {
  let width: Int
  let height: Int
  let channels: Int
  /// Side of the result, pixels.
  let side: Int

  private let crop: Int
  private let taps: Taps

  /// Which input coordinates an output coordinate is made of.
  private struct Taps: Sendable {
    /// Weights per output coordinate.
    let count: Int
    var first: [Int] = []
    var weights: [Float] = []

    init(from input: Int, to output: Int) {
      let scale = Double(input) / Double(output)
      count = min(input, scale > 1 ? Int(scale.rounded(.up)) + 1 : 2)
      for o in 0..<output {
        let low = scale > 1 ? Double(o) * scale : (Double(o) + 0.5) * scale - 0.5
        let start = max(0, min(Int(low.rounded(.down)), input - count))
        first.append(start)
        for k in 0..<count {
          let position = Double(start + k)
          let weight =
            scale > 1
            ? max(0, min(low + scale, position + 1) - max(low, position)) / scale
              // Beyond the outermost pixel centres the edge pixel counts alone.
            : max(0, 1 - abs(max(0, min(low, Double(input - 1))) - position))
          weights.append(Float(weight))
        }
      }
    }
  }

  init(width: Int, height: Int, channels: Int, side: Int) {
    self.width = width
    self.height = height
    self.channels = channels
    self.side = side
    crop = min(width, height)
    taps = Taps(from: crop, to: side)
  }

  /// Resizes `input` [height, width, channels] into `output` [side, side, channels].
  ///
  /// Pointers and `while` keep the loops usable in debug builds, where ranges are slow.
  func resize(_ input: UnsafePointer<UInt8>, into output: UnsafeMutablePointer<UInt8>) {
    let corner = (height - crop) / 2 * width + (width - crop) / 2
    let source = input + corner * channels
    let row = side * channels
    if crop == side {
      for y in 0..<side {
        (output + y * row).update(from: source + y * width * channels, count: row)
      }
      return
    }
    // Rows first: each input row becomes `side` wide, in Float.
    let narrow = [Float](unsafeUninitializedCapacity: crop * row) { buffer, count in
      count = crop * row
      guard let narrow = buffer.baseAddress else { return }
      taps.weights.withUnsafeBufferPointer { weights in
        for y in 0..<crop {
          var x = 0
          while x < side {
            let from = source + (y * width + taps.first[x]) * channels
            let to = narrow + y * row + x * channels
            var c = 0
            while c < channels {
              var sum: Float = 0
              var k = 0
              while k < taps.count {
                sum += weights[x * taps.count + k] * Float(from[k * channels + c])
                k += 1
              }
              to[c] = sum
              c += 1
            }
            x += 1
          }
        }
      }
    }
    narrow.withUnsafeBufferPointer { narrow in
      for y in 0..<side {
        let from = taps.first[y] * row
        let weights = taps.weights[y * taps.count..<(y + 1) * taps.count]
        weights.withUnsafeBufferPointer { weights in
          var i = 0
          while i < row {
            var sum: Float = 0
            var k = 0
            while k < weights.count {
              sum += weights[k] * narrow[from + k * row + i]
              k += 1
            }
            output[y * row + i] = UInt8(max(0, min(255, sum + 0.5)))
            i += 1
          }
        }
      }
    }
  }
}
