import Search

/// All architectures of a space with `optionCounts[i]` options of choice i, the last choice
/// fastest.
func everyArchitecture(_ optionCounts: [Int]) -> [Architecture] {
  optionCounts.reduce([[]]) { starts, count in
    starts.flatMap { start in (0..<count).map { start + [$0] } }
  }.map { Architecture($0) }
}

extension AdditiveCost {
  /// All architectures that it prices.
  var everyArchitecture: [Architecture] {
    SearchTests.everyArchitecture(layers.map(\.count))
  }
}
