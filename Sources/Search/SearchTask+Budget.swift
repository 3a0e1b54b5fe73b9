import Foundation
import Runs
import Tensor

extension SearchTask {
  /// How far below its budget a network may stay before another that makes use of it is judged as well.
  private static let slack = 0.05

  /// Costs that hold the budget and make use of it.
  private static func allowed(_ limit: Double) -> ClosedRange<Double> {
    limit * (1 - slack)...CostLimit.within(limit).upperBound
  }

  /// Costs that hold the budget.
  var within: ClosedRange<Double> { CostLimit.within(configuration.limit) }

  /// The networks that θ stands for within the budget, at least one.
  ///
  /// The most probable, and where that stays a twentieth below the budget or more, the most probable of those
  /// that do not.
  var probable: [Architecture] {
    let theta = supernet.theta
    var networks = [theta.mostProbable(within: within) ?? supernet.argmax]
    if let limit = configuration.limit,
      let other = theta.mostProbable(within: Self.allowed(limit)), other != networks[0]
    {
      networks.append(other)
    }
    return networks
  }

  /// Why the most probable network of all is not the one that is exported, in a line; nil where it is.
  func reason(for network: Architecture) -> String? {
    let argmax = supernet.argmax
    guard drawn.isEmpty, network != argmax else { return nil }
    let costModel = supernet.costModel
    let metric = configuration.search.cost
    let isOver = !within.contains(costModel.cost(argmax))
    let changes = supernet.choices.changes(from: argmax, to: network).joined(separator: ", ")
    return "the most probable network costs \(metric.text(costModel.cost(argmax))), "
      + (isOver
        ? "over the budget of \(metric.text(configuration.limit ?? 0)): "
        : "and another within reach does better on the validation images: ")
      + "\(changes); the exported one costs \(metric.text(costModel.cost(network)))"
  }

  /// Different networks for a random search, within the budget if there is one; the same for a seed.
  static func draw(_ configuration: Configuration, _ costModel: any CostModel) -> [Architecture] {
    let count = configuration.search.randomNetworks
    let ranges =
      configuration.limit.map { [allowed($0), CostLimit.within($0)] } ?? [CostLimit.within(nil)]
    for range in ranges {
      let networks = costModel.samples(
        count,
        of: nil,
        within: range,
        seed: configuration.seed,
        stream: 0,
        except: []
      )
      if !networks.isEmpty { return networks }
    }
    return []
  }
}

extension [Choice] {
  /// The layers in which two architectures differ, a text each: `layer 3 k5_e6 -> k3_e3`.
  func changes(from before: Architecture, to after: Architecture) -> [String] {
    zip(self, zip(before, after)).filter { $1.0 != $1.1 }
      .map { "\($0.name) \($0.options[$1.0].name) -> \($0.options[$1.1].name)" }
  }
}
