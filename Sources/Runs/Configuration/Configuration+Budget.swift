import Foundation
import Yams

extension Configuration {
  /// What the network that is found may cost, in at most one metric; 0 means no limit (spec S8).
  package struct Budget: Codable, Sendable, Equatable {
    /// Milliseconds for one image.
    package var latency: Double
    /// Multiply–accumulates for one image.
    package var flops: Double
    /// Weights.
    package var params: Double

    /// A limit for each metric, 0 for none.
    package init(latency: Double = 0, flops: Double = 0, params: Double = 0) {
      self.latency = latency
      self.flops = flops
      self.params = params
    }

    /// The limit in a metric; 0 for none.
    package subscript(metric: SearchSettings.Cost) -> Double {
      get {
        switch metric {
        case .latency: latency
        case .flops: flops
        case .params: params
        }
      }
      set {
        switch metric {
        case .latency: latency = newValue
        case .flops: flops = newValue
        case .params: params = newValue
        }
      }
    }

    /// The metrics that are limited.
    package var metrics: [SearchSettings.Cost] {
      SearchSettings.Cost.allCases.filter { self[$0] > 0 }
    }
  }

  /// Where the latencies of a network's parts come from (spec S7).
  package struct LatencySettings: Codable, Sendable, Equatable {
    /// File of a latency table; empty means measured on this machine.
    package var table: String
    /// Threads that a network runs on where it is measured here; 0 means one for each core.
    package var threads: Int
  }

  /// The limit in the metric of the cost; nil for none.
  package var limit: Double? {
    let limit = budget[search.cost]
    return limit > 0 ? limit : nil
  }

  /// Lets cost, form and factor follow a budget as far as the user has not said them; `said` holds
  /// the paths of the keys that were.
  mutating func followBudget(said: Set<String>) {
    if let metric = budget.metrics.first {
      if !said.contains("search.cost") { search.cost = metric }
      if !said.contains("loss.form") { loss.form = .target }
    }
    if loss.needsBudget, !said.contains("loss.alpha") {
      loss.alpha = loss.multiplier == .learned ? Self.firstMultiplier : Self.targetAlpha
    }
  }

  /// The fixed factor of a budget's penalty where none is named: enough to outweigh what accuracy
  /// gains by a dearer network.
  package static let targetAlpha = 4.0
  /// What a learned multiplier starts from where nothing is named.
  package static let firstMultiplier = 1.0
}

extension Origin {
  /// Paths of the keys that a tree sets; an item of a list counts as the list.
  func paths(_ node: Node, at path: String = "") -> Set<String> {
    guard let mapping = node.mapping else { return [path] }
    return mapping.reduce(into: []) { paths, item in
      let name = item.key.scalar?.string ?? ""
      paths.formUnion(self.paths(item.value, at: path.isEmpty ? name : path + "." + name))
    }
  }

  /// Checks that at most one metric is limited, and that it is the one that is paid in.
  func checkBudget(_ config: Configuration) throws {
    let metrics = config.budget.metrics
    if metrics.count > 1 {
      throw error(
        "budget",
        "limits " + metrics.map(\.rawValue).joined(separator: " and "),
        remedy: "keep one of them above 0"
      )
    }
    if let metric = metrics.first, metric != config.search.cost {
      throw error(
        "search.cost",
        "is \(config.search.cost.rawValue), but the budget is in \(metric.rawValue)",
        remedy: "set search.cost to \(metric.rawValue) or leave it out"
      )
    }
    if config.loss.needsBudget, metrics.isEmpty {
      throw error(
        "budget",
        "the \(config.loss.form.rawValue) form needs one",
        remedy: "give budget.latency in milliseconds, budget.flops or budget.params"
      )
    }
  }
}
