import Tensor

/// Random search: networks in random order, none twice (spec S12).
struct RandomSampler: Sampler {
  private var left: ArraySlice<Architecture>

  /// Networks of `allowed`, each as probable as any other.
  init(allowed: [Architecture], seed: UInt64) {
    var random = Philox(seed: seed, purpose: .sampling, step: 2)
    left = random.permutation(allowed.count).map { allowed[Int($0)] }[...]
  }

  mutating func ask() -> Architecture? { left.popFirst() }

  /// Learns nothing.
  mutating func tell(_ architecture: Architecture, value: Double) {}
}
