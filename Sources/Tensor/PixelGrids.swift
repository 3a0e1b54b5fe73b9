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

/// The pixels of a map in classes: the pixels of a class are in the same grids.
struct PixelClasses {
  /// Of each class the grids that hold its pixels.
  private(set) var members: [[Int]] = []
  /// Pixels that follow one another in the map, and their class; those in no grid are left out.
  private(set) var runs: [(kind: Int, rows: Range<Int>)] = []

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
        kind = members.count
        kinds[holders] = kind
        members.append(grids.indices.filter { holders >> $0 & 1 == 1 })
      }
      if let last = runs.last, last.kind == kind, last.rows.upperBound == pixel {
        runs[runs.count - 1].rows = last.rows.lowerBound..<pixel + 1
      } else {
        runs.append((kind, pixel..<pixel + 1))
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
      workspaceFloats: (2 * classes.members.count + 1) * channels
    ) { image, workspace in
      let from = x.buffer.pointer + image * x.count / images
      let dots = workspace + 2 * classes.members.count * channels
      workspace.update(repeating: 0, count: (2 * classes.members.count + 1) * channels)
      // Σ g and Σ g·y of the gradient g = y.
      let branch = Branch(base: from, scale: nil, shift: nil, activation: .none, weight: 1)
      for run in classes.runs {
        let own = workspace + 2 * run.kind * channels
        kernels.branchSums(
          BranchSums(
            branch: branch,
            gradient: from,
            channels: channels,
            sums: PartialSums(sums: own, products: own + channels),
            dots: dots
          ),
          run.rows
        )
      }
      for (kind, members) in classes.members.enumerated() {
        for grid in members {
          let sum = sums.chunk(image * sizes.count + grid)
          kernels.addScaled(2 * channels, 1, workspace + 2 * kind * channels, sum.sums)
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
    let coefficients = pool.takeZeros(3 * channels * classes.members.count)
    for (kind, members) in classes.members.enumerated() {
      for grid in members {
        kernels.addScaled(
          3 * channels,
          1,
          pending[grid].coefficients.pointer,
          coefficients.pointer + 3 * channels * kind
        )
      }
    }
    let target = ownGradient(of: x)
    threadPool.run(
      Work("grid statistics", .backward, arithmetic: 4 * x.count, floats: 3 * x.count),
      chunks: images
    ) { image, _ in
      let raw = x.buffer.pointer + image * x.count / images
      let out = target.pointer + image * x.count / images
      for run in classes.runs {
        let source = GradientSource(
          gradient: raw,
          raw: raw,
          stride: channels,
          channels: channels,
          coefficients: coefficients.pointer + 3 * channels * run.kind,
          coefficientStride: channels
        )
        kernels.addGradientRows(source, run.rows, out + run.rows.lowerBound * channels)
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
