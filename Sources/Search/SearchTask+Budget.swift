import Runs

extension SearchTask {
  /// Costs that hold the budget and make use of it; see `CostModel.useful`.
  var within: ClosedRange<Double> { supernet.theta.useful(configuration.limit) }
}

extension Supernet {
  /// The networks that a search under `limit` ends with before any is sampled, all different and
  /// at least one: the most probable of those that make use of the limit, its uniform scaling, and
  /// that with scaled expansions.
  ///
  /// Scaling gives strong networks that a short search may not reach, so the one that is chosen is
  /// no worse by the search's own measure.
  func starts(limit: Double?) -> [Candidate] {
    let argmax = argmax
    let within = theta.useful(limit)
    let probable = theta.mostProbable(within: within) ?? argmax
    var starts = [
      Candidate(source: probable == argmax ? "argmax" : "repaired", architecture: probable)
    ]
    guard let limit else { return starts }
    let uniform = uniform(like: probable, limit: limit)?.architecture
    let even = space.even(like: probable) { costModel.cost($0) <= within.upperBound }
    for (source, scaled) in [("uniform", uniform), ("even", even)] {
      guard let scaled, theta.allows(scaled),
        !starts.contains(where: { $0.architecture == scaled }),
        source == "uniform" || within.contains(costModel.cost(scaled))
      else { continue }
      starts.append(Candidate(source: source, architecture: scaled))
    }
    return starts
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
  /// The options of an architecture, by name.
  func names(of architecture: Architecture) -> [String] {
    zip(self, architecture).map { $0.options[$1].name }
  }

  /// The layers in which two architectures differ, a text each: `layer 3 k5_e6 -> k3_e3`.
  func changes(from before: Architecture, to after: Architecture) -> [String] {
    zip(self, zip(before, after)).filter { $1.0 != $1.1 }
      .map { "\($0.name) \($0.options[$1.0].name) -> \($0.options[$1.1].name)" }
  }
}
