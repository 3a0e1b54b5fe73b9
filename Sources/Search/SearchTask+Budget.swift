import Runs

extension SearchTask {
  /// Costs that hold the budget.
  var within: ClosedRange<Double> { CostLimit.within(configuration.limit) }

  /// The networks that θ stands for within the budget, at least one.
  var probable: [Architecture] { supernet.theta.probable(limit: configuration.limit) }
}

extension [Choice] {
  /// The layers in which two architectures differ, a text each: `layer 3 k5_e6 -> k3_e3`.
  func changes(from before: Architecture, to after: Architecture) -> [String] {
    zip(self, zip(before, after)).filter { $1.0 != $1.1 }
      .map { "\($0.name) \($0.options[$1.0].name) -> \($0.options[$1.1].name)" }
  }
}
