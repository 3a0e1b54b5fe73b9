import Kernels

/// What the machine gives at most, for measurements: each call does a known amount of work on all
/// threads.
extension Engine {
  /// Threads of an operation.
  package var threads: Int { threadPool.threads }

  /// Chunks a thread, so that a late one costs little.
  private static var peakChunks: Int { 8 }

  /// Runs multiply–adds in registers, `steps` rounds of 12 in each chunk; returns the
  /// floating-point operations.
  package func runPeakSteps(_ steps: Int) -> Double {
    let chunks = Engine.peakChunks * threadPool.threads
    threadPool.run(chunks: chunks, workspaceFloats: 3 * kernels.lanes) { _, workspace in
      // x · 0.5 + 1 stays near 2, far from numbers that are slow.
      workspace.update(repeating: 0.5, count: kernels.lanes)
      (workspace + kernels.lanes).update(repeating: 1, count: kernels.lanes)
      kernels.peakSteps(steps, workspace)
    }
    return Double(chunks) * Double(steps) * Double(12 * 2 * kernels.lanes)
  }

  /// Runs the matrix micro-kernel on operands in the first-level cache; returns the floating-point
  /// operations.
  package func runPeakTiles(_ repeats: Int) -> Double {
    // Both operands take 20 KiB at the widest.
    let depth = 128
    let columns = 2 * kernels.lanes
    let floats = kernels.rows * depth + columns * depth + kernels.rows * columns
    let chunks = Engine.peakChunks * threadPool.threads
    threadPool.run(chunks: chunks, workspaceFloats: floats) { _, workspace in
      workspace.update(repeating: 0.001, count: floats)
      kernels.peakTiles(depth, repeats, workspace)
    }
    return Double(chunks) * Double(repeats) * Double(2 * kernels.rows * columns * depth)
  }

  /// Reads `x` once; returns the bytes.
  package func readOnce(_ x: Buffer) -> Double {
    let chunks = Chunks(rows: x.count, rowFloats: 1)
    threadPool.run(chunks: chunks.count, workspaceFloats: kernels.lanes) { chunk, workspace in
      let range = chunks[chunk]
      kernels.readAll(range.count, x.pointer + range.lowerBound, workspace)
    }
    return Double(x.count) * 4
  }

  /// Copies `x` to `y`, of the same size; returns the bytes read and written.
  package func copyOnce(_ x: Buffer, to y: Buffer) -> Double {
    precondition(x.count == y.count, "copyOnce: \(x.count) floats to \(y.count)")
    let chunks = Chunks(rows: x.count, rowFloats: 1)
    threadPool.run(chunks: chunks.count) { chunk, _ in
      let range = chunks[chunk]
      kernels.scale(range.count, 1, x.pointer + range.lowerBound, y.pointer + range.lowerBound)
    }
    return Double(x.count) * 8
  }
}

extension Tensor {
  /// Forgets the gradient, so that the next backward pass overwrites it.
  package func clearGradient() { gradient = nil }
}
