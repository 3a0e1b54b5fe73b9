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
}
