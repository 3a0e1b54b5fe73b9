/// The taps of a k×k window over images, one by one.
struct Taps {
  var images: Int
  var height: Int
  var width: Int
  var outHeight: Int
  var outWidth: Int
  var kernel: Int
  var stride: Int
  var padding: Int

  /// Calls `body(input pixel, output pixel, tap)` for every tap that falls inside the image.
  func forEach(_ body: (Int, Int, Int) -> Void) {
    for n in 0..<images {
      for oy in 0..<outHeight {
        for ox in 0..<outWidth {
          for ky in 0..<kernel {
            for kx in 0..<kernel {
              let y = oy * stride + ky - padding
              let x = ox * stride + kx - padding
              if y < 0 || y >= height || x < 0 || x >= width { continue }
              body(
                (n * height + y) * width + x,
                (n * outHeight + oy) * outWidth + ox,
                ky * kernel + kx
              )
            }
          }
        }
      }
    }
  }
}

// While loops, since ranges are slow in an unoptimised build.

/// y += a · x.
func addScaled(
  _ n: Int,
  _ a: Double,
  _ x: UnsafeMutablePointer<Double>,
  _ y: UnsafeMutablePointer<Double>
) {
  var i = 0
  while i < n {
    y[i] += a * x[i]
    i += 1
  }
}

/// z += x · y.
func addProduct(
  _ n: Int,
  _ x: UnsafeMutablePointer<Double>,
  _ y: UnsafeMutablePointer<Double>,
  _ z: UnsafeMutablePointer<Double>
) {
  var i = 0
  while i < n {
    z[i] += x[i] * y[i]
    i += 1
  }
}

/// Σ x · y.
func dot(_ n: Int, _ x: UnsafeMutablePointer<Double>, _ y: UnsafeMutablePointer<Double>) -> Double {
  var sum = 0.0
  var i = 0
  while i < n {
    sum += x[i] * y[i]
    i += 1
  }
  return sum
}

/// The activation of `z`.
func activate(_ z: Double, _ norm: Norm) -> Double {
  switch norm {
  case .off, .linear: z
  case .relu: max(z, 0)
  case .hswish: z * min(max(z + 3, 0), 6) / 6
  }
}

/// The derivative of the activation at `z`.
func activationSlope(_ z: Double, _ norm: Norm) -> Double {
  switch norm {
  case .off, .linear: 1
  case .relu: z > 0 ? 1 : 0
  case .hswish: z <= -3 ? 0 : z >= 3 ? 1 : (2 * z + 3) / 6
  }
}
