import Kernels

/// The grids of one map that are read with a batch-norm each: what all of them need of its pixels
/// is taken, or added, in one pass over the map.
final class PixelGrids {
  /// The sizes of the grids that are known to be read.
  var sizes: [MapSize]
  /// Mean and variance of the pixels of a grid, [C].
  var moments: [MapSize: (mean: [Double], variance: [Double])] = [:]
  /// α = 0, β and κ of α·g + β·y + κ, three runs of C floats: what the statistics of a grid
  /// contribute to the gradient of its pixels.
  var pending: [(size: MapSize, coefficients: Buffer)] = []

  init(_ sizes: [MapSize] = []) { self.sizes = sizes }
}

/// The pixels of a map in classes: the pixels of a class are in the same grids, and those in no
/// grid are in no class.
struct PixelClasses {
  /// The grids that hold the pixels of a class, and their places, ascending.
  private(set) var classes: [(grids: [Int], places: [Int32])] = []

  /// Sorts the pixels of a map by the grids of it, 64 at most.
  init(of grids: [[PixelRun]], pixels: Int) {
    precondition(grids.count <= Int.bitWidth)
    // A bit for each grid that holds a pixel.
    var bits = [Int](repeating: 0, count: pixels)
    for (grid, runs) in grids.enumerated() {
      for run in runs {
        for pixel in run.large..<run.large + run.count { bits[pixel] |= 1 << grid }
      }
    }
    var kinds: [Int: Int] = [:]
    for (pixel, holders) in bits.enumerated() where holders != 0 {
      let kind: Int
      if let known = kinds[holders] {
        kind = known
      } else {
        kind = classes.count
        kinds[holders] = kind
        classes.append((grids.indices.filter { holders >> $0 & 1 == 1 }, []))
      }
      classes[kind].places.append(Int32(pixel))
    }
  }

  /// Calls `body` for each class: its number, the grids that hold its pixels, and these.
  func forEach(_ body: (_ kind: Int, _ grids: [Int], _ pixels: Pixels) -> Void) {
    for (kind, (grids, places)) in classes.enumerated() {
      places.withUnsafeBufferPointer {
        body(kind, grids, Pixels(places: $0.baseAddress, count: $0.count))
      }
    }
  }
}

extension Engine {
  /// Mean and variance of the pixels of a grid of `x`, [C]; takes those of all known grids at once.
  func moments(
    of x: Tensor,
    _ grids: PixelGrids,
    at size: MapSize
  ) -> (mean: [Double], variance: [Double])? {
    if let moments = grids.moments[size] { return moments }
    if !grids.sizes.contains(size) { grids.sizes.append(size) }
    let sizes = grids.sizes.filter { grids.moments[$0] == nil }
    let classes = classes(of: sizes, in: x)
    let (images, channels) = (x.shape[0], x.channels)
    let sums = ChannelSums(chunks: images * sizes.count, channels: channels, pool: pool)
    threadPool.run(
      Work("grid statistics", .forward, arithmetic: 4 * x.count, floats: x.count),
      chunks: images,
      workspaceFloats: 2 * channels
    ) { image, own in
      let from = x.buffer.pointer + image * x.count / images
      classes.forEach { _, grids, pixels in
        own.update(repeating: 0, count: 2 * channels)
        kernels.addPixelSums(
          from,
          pixels,
          channels,
          PartialSums(sums: own, products: own + channels)
        )
        for grid in grids {
          kernels.addScaled(2 * channels, 1, own, sums.chunk(image * sizes.count + grid).sums)
        }
      }
    }
    for (grid, size) in sizes.enumerated() {
      grids.moments[size] = sums.moments(
        rows: images * size.height * size.width,
        of: stride(from: grid, to: images * sizes.count, by: sizes.count)
      )
    }
    return grids.moments[size]
  }

  /// Adds what the statistics of all grids contribute, Σ β·y + κ, to the gradient of `x`.
  func addStatisticsGradient(of grids: PixelGrids, to x: Tensor) {
    let pending = grids.pending
    grids.pending = []
    guard !pending.isEmpty else { return }
    let (images, channels) = (x.shape[0], x.channels)
    let classes = classes(of: pending.map(\.size), in: x)
    // β and κ of each class.
    let coefficients = pool.takeZeros(2 * channels * classes.classes.count)
    classes.forEach { kind, grids, _ in
      for grid in grids {
        kernels.addScaled(
          2 * channels,
          1,
          pending[grid].coefficients.pointer + channels,
          coefficients.pointer + 2 * channels * kind
        )
      }
    }
    let target = ownGradient(of: x)
    threadPool.run(
      Work("grid statistics", .backward, arithmetic: 3 * x.count, floats: 3 * x.count),
      chunks: images
    ) { image, _ in
      let offset = image * x.count / images
      classes.forEach { kind, _, pixels in
        let factors = coefficients.pointer + 2 * channels * kind
        kernels.addAffinePixels(
          AffinePixels(
            from: x.buffer.pointer + offset,
            pixels: pixels,
            factors: factors,
            summands: factors + channels,
            to: target.pointer + offset,
            places: pixels.places
          ),
          channels
        )
      }
    }
  }

  private func classes(of sizes: [MapSize], in x: Tensor) -> PixelClasses {
    let whole = MapSize(height: x.shape[1], width: x.shape[2])
    return PixelClasses(
      of: sizes.map { grid(of: $0, in: whole) },
      pixels: whole.height * whole.width
    )
  }
}
