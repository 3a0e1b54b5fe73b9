import Networks
import Runs

extension LayerwiseSpace {
  /// What every candidate costs in a metric that is counted, which latency is not.
  package func prices(_ cost: Configuration.SearchSettings.Cost) -> AdditiveCost {
    switch cost {
    case .flops:
      AdditiveCost(layers: layers.map { $0.map(\.flops) }, fixed: fixedFlops, metric: cost)
    case .params:
      AdditiveCost(layers: layers.map { $0.map(\.params) }, fixed: fixedParams, metric: cost)
    case .latency: preconditionFailure("latencies come from a table")
    }
  }

  /// The sum of what the candidates cost in `metric`; `latency` is in milliseconds.
  ///
  /// Errors: `.configuration` where latency is the cost and not at hand.
  func costModel(_ metric: CostMetric, latency: AdditiveCost?) throws -> AdditiveCost {
    guard metric == .latency else { return prices(metric) }
    guard let latency else {
      throw UserError(
        .configuration,
        "search.cost",
        "no latency table is at hand here",
        remedy: "use flops or params"
      )
    }
    return latency
  }
}
