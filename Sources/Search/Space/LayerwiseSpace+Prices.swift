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

  /// What every candidate costs in the metric of `configuration`; `latency` is in milliseconds.
  ///
  /// Errors: `.configuration` where latency is the cost and not at hand, and for a budget that no
  /// network of the space can meet, with the range of those that one could.
  func prices(_ configuration: Configuration, latency: AdditiveCost?) throws -> AdditiveCost {
    let metric = configuration.search.cost
    let prices: AdditiveCost
    if metric == .latency {
      guard let latency else {
        throw UserError(
          .configuration,
          "search.cost",
          "no latency table is at hand here",
          remedy: "use flops or params"
        )
      }
      prices = latency
    } else {
      prices = self.prices(metric)
    }
    guard let limit = configuration.limit, !prices.range.contains(limit) else { return prices }
    let isLow = limit < prices.range.lowerBound
    throw UserError(
      .configuration,
      "budget.\(metric.rawValue)",
      "\(metric.text(limit)) is "
        + (isLow ? "less than the cheapest " : "more than the most expensive ")
        + "network of this space costs",
      remedy: "give \(metric.text(prices.range.lowerBound, rounded: .up)) to "
        + metric.text(prices.range.upperBound, rounded: .down)
    )
  }
}
