import Tensor

/// Ageing evolution (Real et al., AAAI 2019): the best of some networks of the last generation,
/// with one gene changed, takes the place of the oldest.
///
/// The first generation is random. A child that is known already or not allowed is sampled again
/// and costs nothing.
struct Evolution: Sampler {
  private let optionCounts: [Int]
  private let allowed: Set<Architecture>
  private var random: Philox
  /// Allowed networks in random order, for the first generation and where no child is new.
  private var fresh: ArraySlice<Architecture>
  private var seen: Set<Architecture> = []
  /// What was evaluated, the oldest first.
  private var evaluated: [(architecture: Architecture, value: Double)] = []

  private static let population = 24
  private static let tournament = 6
  /// Children after which the neighbourhood counts as exhausted, and any network will do.
  private static let patience = 1000

  /// Networks of `allowed`, with `optionCounts[i]` options of choice i.
  init(optionCounts: [Int], allowed: [Architecture], seed: UInt64) {
    self.optionCounts = optionCounts
    self.allowed = Set(allowed)
    random = Philox(seed: seed, purpose: .sampling, step: 3)
    fresh = random.permutation(allowed.count).map { allowed[Int($0)] }[...]
  }

  mutating func ask() -> Architecture? {
    guard seen.count < allowed.count, let next = child() ?? stranger() else { return nil }
    seen.insert(next)
    return next
  }

  mutating func tell(_ architecture: Architecture, value: Double) {
    evaluated.append((architecture, value))
  }

  /// A child of the best of the present generation; nil before that is full.
  private mutating func child() -> Architecture? {
    guard evaluated.count >= Self.population else { return nil }
    for _ in 0..<Self.patience {
      let child = mutated(evaluated.suffix(Self.population))
      if allowed.contains(child), !seen.contains(child) { return child }
    }
    return nil
  }

  /// A new network that descends from none.
  private mutating func stranger() -> Architecture? {
    while let next = fresh.popFirst() {
      if !seen.contains(next) { return next }
    }
    return nil
  }

  /// The best of a tournament, with another option of one choice.
  private mutating func mutated(
    _ population: ArraySlice<(architecture: Architecture, value: Double)>
  ) -> Architecture {
    let order = random.permutation(population.count).prefix(Self.tournament)
    let rivals = order.map { population[population.startIndex + Int($0)] }
    let parent = rivals.max { $0.value < $1.value } ?? population[population.startIndex]
    var child = parent.architecture
    let open = child.indices.filter { optionCounts[$0] > 1 }
    guard !open.isEmpty else { return child }
    let choice = open[random.below(open.count)]
    let other = random.below(optionCounts[choice] - 1)
    child[choice] = other < child[choice] ? other : other + 1
    return child
  }
}
