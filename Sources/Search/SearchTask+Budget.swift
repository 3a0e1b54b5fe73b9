import Runs

extension SearchTask {
  /// Costs that hold the budget and make use of it; see `CostModel.useful`.
  var within: ClosedRange<Double> { supernet.theta.useful(configuration.limit) }
}

extension Supernet {
  /// The networks that a search under `limit` ends with before any is sampled, at least one: the
  /// most probable of those that make use of the limit, and its uniform scaling.
  ///
  /// Uniform scaling is a strong network that a short search may not reach, so the one that is
  /// chosen is no worse by the search's own measure.
  func starts(limit: Double?) -> [Candidate] {
    let argmax = argmax
    let probable = theta.mostProbable(within: theta.useful(limit)) ?? argmax
    let start = Candidate(
      source: probable == argmax ? "argmax" : "repaired",
      architecture: probable
    )
    guard limit != nil, let scaled = uniform(like: probable, limit: limit)?.architecture,
      scaled != probable
    else { return [start] }
    return [start, Candidate(source: "uniform", architecture: scaled)]
  }

  /// The uniform scaling of a network to `limit`, or to no higher cost than its own where that is
  /// nil; see `SearchSpace.uniform`.
  func uniform(
    like network: Architecture,
    limit: Double?
  ) -> (scale: Double, architecture: Architecture)? {
    let within = CostLimit.within(limit ?? costModel.cost(network))
    return space.uniform(like: network) { within.contains(costModel.cost($0)) }
  }
}

extension [Choice] {
  /// The layers in which two architectures differ, a text each: `layer 3 k5_e6 -> k3_e3`.
  func changes(from before: Architecture, to after: Architecture) -> [String] {
    zip(self, zip(before, after)).filter { $1.0 != $1.1 }
      .map { "\($0.name) \($0.options[$1.0].name) -> \($0.options[$1.1].name)" }
  }
}
