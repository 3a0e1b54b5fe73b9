/// Height and width of a map, in pixels.
package struct MapSize: Sendable, Hashable {
  /// Rows.
  package var height: Int
  /// Columns.
  package var width: Int

  /// Makes a size.
  package init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }

  /// The map behind a convolution of this step that keeps the size otherwise.
  package func behind(_ stride: Int) -> MapSize {
    MapSize(height: (height - 1) / stride + 1, width: (width - 1) / stride + 1)
  }
}

/// Pixels that follow one another in a map and in a grid of it.
struct PixelRun {
  /// The first in the grid.
  let small: Int
  /// The first in the map.
  let large: Int
  /// How many.
  let count: Int
}

extension Engine {
  /// The pixels of a grid of `size` in a map of `whole`, row by row.
  func grid(of size: MapSize, in whole: MapSize) -> [PixelRun] {
    precondition(
      (1...whole.height).contains(size.height) && (1...whole.width).contains(size.width),
      "grid: \(size.height)×\(size.width) pixels of \(whole.height)×\(whole.width)"
    )
    var runs: [PixelRun] = []
    for p in 0..<size.height * size.width {
      let row = p / size.width * whole.height / size.height
      let q = row * whole.width + p % size.width * whole.width / size.width
      if let last = runs.last, last.large + last.count == q {
        runs[runs.count - 1] = PixelRun(small: last.small, large: last.large, count: last.count + 1)
      } else {
        runs.append(PixelRun(small: p, large: q, count: 1))
      }
    }
    return runs
  }

  /// Writes the pixels of a grid of an image to `out`.
  func gather(
    _ grid: [PixelRun],
    of image: UnsafeMutablePointer<Float>,
    _ out: UnsafeMutablePointer<Float>,
    channels: Int
  ) {
    for run in grid {
      (out + run.small * channels)
        .update(from: image + run.large * channels, count: run.count * channels)
    }
  }
}
