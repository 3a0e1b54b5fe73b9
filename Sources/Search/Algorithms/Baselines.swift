import Tensor

/// Random search: networks drawn evenly, none twice (spec S12).
struct RandomRows {
  /// Of all draws.
  let seed: UInt64

  /// Up to `count` of `rows` in random order.
  func drawn(_ count: Int, from rows: [Int]) -> [Int] {
    var random = Philox(seed: seed, purpose: .sampling, step: 2)
    return random.permutation(rows.count).prefix(count).map { rows[Int($0)] }
  }
}

/// Ageing evolution (Real et al., AAAI 2019): the best of some networks of the last generation, with one gene
/// changed, takes the place of the oldest.
///
/// A child that is known already, breaks the limit or is not in the table is drawn again and costs nothing.
struct EvolutionOfRows {
  /// The results.
  let table: ResultTable
  /// Rows within the limit.
  let feasible: [Int]
  private static let population = 24
  private static let tournament = 6
  /// Draws after which the neighbourhood counts as exhausted, and any network will do.
  private static let patience = 1000

  /// Up to `count` rows in the order of their evaluation.
  func rows(_ count: Int, seed: UInt64) -> [Int] {
    var random = Philox(seed: seed, purpose: .sampling, step: 3)
    let allowed = Set(feasible)
    var fresh = random.permutation(feasible.count).map { feasible[Int($0)] }[...]
    var seen: Set<Int> = []
    var rows: [Int] = []
    while rows.count < min(count, feasible.count) {
      var next: Int?
      if rows.count >= EvolutionOfRows.population {
        for _ in 0..<EvolutionOfRows.patience {
          let child = child(of: rows.suffix(EvolutionOfRows.population), &random)
          if let row = table.row(of: child), allowed.contains(row), !seen.contains(row) {
            next = row
            break
          }
        }
      }
      while next == nil, let row = fresh.popFirst() {
        if !seen.contains(row) { next = row }
      }
      guard let next else { break }
      seen.insert(next)
      rows.append(next)
    }
    return rows
  }

  private func child(of population: ArraySlice<Int>, _ random: inout Philox) -> Architecture {
    let order = random.permutation(population.count).prefix(EvolutionOfRows.tournament)
    let rivals = order.map { population[population.startIndex + Int($0)] }
    let parent = rivals.max { table.accuracies[$0] < table.accuracies[$1] } ?? population[0]
    var child = table.architectures[parent]
    let open = child.indices.filter { table.sizes[$0] > 1 }
    guard !open.isEmpty else { return child }
    let layer = open[random.below(open.count)]
    let other = random.below(table.sizes[layer] - 1)
    child[layer] = other < child[layer] ? other : other + 1
    return child
  }
}
