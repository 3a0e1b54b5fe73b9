import Runs
import Tensor

/// What a step samples (spec S5), and which candidates take part in it (`search.paths`).
extension ArchitectureParameters {
  /// The candidates of every layer that take part in a step.
  package enum Paths: Sendable, Equatable {
    /// All of them.
    case all
    /// So many, each candidate as often as any other: as many draws as a layer has candidates give
    /// each of them `count` turns (FairNAS, strict fairness).
    case even(count: Int, draw: Int)
    /// So many, by softmax(θ) without repetition (two: ProxylessNAS section 3.2.1).
    case drawn(count: Int, draw: Int)
    /// The same for the batches of an evaluation, so that the draws of each epoch are the same.
    case evaluated(count: Int, draw: Int)
  }

  /// The candidates of a layer that take part; nil for all.
  func drawn(_ paths: Paths, layer: Int, _ logits: [Float]) -> [Int]? {
    switch paths {
    case .all: return nil
    case .drawn(let count, let draw), .evaluated(let count, let draw):
      let options = allowed(layer)
      let purpose: Philox.Purpose =
        if case .evaluated = paths { .evaluatedPaths } else { .paths }
      var random = Philox(seed: seed, purpose: purpose, step: UInt64(draw), index: UInt32(layer))
      let noisy = logits.map { $0 + random.gumbel() }
      // The largest of θ + g are a draw without repetition.
      return Array(options.sorted { noisy[$0] > noisy[$1] }.prefix(count))
    case .even(let count, let draw):
      let options = allowed(layer)
      let (round, turn) = draw.quotientAndRemainder(dividingBy: options.count)
      var random = Philox(
        seed: seed,
        purpose: .evenPaths,
        step: UInt64(round),
        index: UInt32(layer)
      )
      let order = random.permutation(options.count)
      return (0..<min(count, options.count)).map {
        options[Int(order[(turn + $0) % options.count])]
      }
    }
  }

  /// Noise of a layer for the samples in `rows`; of candidates that are not `drawn`, so low that
  /// their weight is exactly 0.
  func gumbelNoise(
    step: Int,
    layer: Int,
    samples: Int,
    rows: Range<Int>?,
    drawn: [Int]?
  ) -> [Float] {
    var random = Philox(seed: seed, purpose: .gumbel, step: UInt64(step), index: UInt32(layer))
    let k = logits[layer].count
    var noise = (0..<samples * k).map { _ in random.gumbel() }
    if let drawn {
      for i in noise.indices where !drawn.contains(i % k) { noise[i] = Self.outOfSearch }
    }
    guard samples > 1, let rows else { return noise }
    return Array(noise[rows.lowerBound * k..<rows.upperBound * k])
  }

  /// m = softmax((θ + g)/τ), [k] or [samples, k] (FBNetV1 equation 7; spec S5).
  func gumbelSoftmax(
    _ theta: Tensor,
    _ noise: [Float],
    _ temperature: Double,
    samples: Int,
    on engine: Engine
  ) -> Tensor {
    let k = theta.count
    let shape = samples == 1 ? [k] : [samples, k]
    let rows = samples == 1 ? theta : engine.repeatRows(theta, count: samples)
    let noisy = engine.add(rows, engine.tensor(noise, shape: shape))
    return engine.softmax(engine.affine(noisy, factor: Float(1 / temperature)))
  }

  /// The largest weight of each row as 1, the others as 0.
  func oneHot(_ weights: Tensor) -> [Float] {
    let k = weights.channels
    let soft = weights.values
    var values = [Float](repeating: 0, count: weights.count)
    for row in 0..<weights.rows {
      let at = row * k
      let best = (0..<k).max { soft[at + $0] < soft[at + $1] } ?? 0
      values[at + best] = 1
    }
    return values
  }
}
