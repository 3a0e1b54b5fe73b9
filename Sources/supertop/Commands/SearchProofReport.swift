import Foundation
import Runs
import Search

/// What `supertop prove --run` found: the JSON object, and its text.
struct SearchProofReport: Encodable {
  /// How an order agrees with the truth.
  struct Ranking: Encodable {
    var by: String
    var tau: Double
    var tenthsTau: Double
    var byTenth: [Double?]
    var best1: Double
    var best5: Double

    enum CodingKeys: String, CodingKey {
      case by, tau
      case tenthsTau = "tenths_tau"
      case byTenth = "tau_by_tenth"
      case best1 = "precision_1"
      case best5 = "precision_5"
    }
  }

  /// A network that a rule chose.
  struct Choice: Encodable {
    var rule: String
    var architecture: String
    var cost: Double?
    var inheritedAccuracy: Double
    var accuracy: Double?
    var regret: Double?
    var evaluations: Int
    var randomRegret: Double?

    enum CodingKeys: String, CodingKey {
      case rule, architecture, cost, accuracy, regret, evaluations
      case inheritedAccuracy = "inherited_accuracy"
      case randomRegret = "random_regret"
    }
  }

  /// A network of the table.
  struct Network: Encodable {
    var architecture: String
    var cost: Double
    var tenth: Int
    var accuracy: Double
    var inheritedAccuracy: Double
    var inheritedLoss: Double

    enum CodingKeys: String, CodingKey {
      case architecture, cost, tenth, accuracy
      case inheritedAccuracy = "inherited_accuracy"
      case inheritedLoss = "inherited_loss"
    }
  }

  var run: String
  var metric: String
  var different: Int
  var best: Proof.Report.Best
  var blindRegret: Double?
  var rankings: [Ranking]
  var choices: [Choice]
  var networks: [Network]
  var seconds: Double
  private let layers: Int

  enum CodingKeys: String, CodingKey {
    case run, metric, different, best, rankings, choices, networks, seconds
    case blindRegret = "blind_regret"
  }

  init(
    run: String,
    proof: SearchProof,
    ranking: InheritedRanking,
    chosen: [SearchProof.Chosen],
    seconds: Double
  ) {
    self.run = run
    self.seconds = seconds
    metric = proof.metric
    different = proof.different.count
    layers = proof.table.sizes.count
    best = Proof.Report.Best(
      architecture: proof.table.architectures[proof.best].name,
      accuracy: proof.table.accuracies[proof.best],
      cost: proof.cost(ofRow: proof.best)
    )
    blindRegret = proof.randomRegret(ranking, evaluations: 1)
    rankings = InheritedRanking.Order.allCases.map { order in
      let found = ranking.agreement(order)
      return Ranking(
        by: order.rawValue,
        tau: found.tau,
        tenthsTau: found.meanOfTenths,
        byTenth: found.tenths,
        best1: found.bestHundredth,
        best5: found.bestTwentieth
      )
    }
    choices = chosen.map { each in
      Choice(
        rule: each.rule.rawValue,
        architecture: each.architecture.name,
        cost: each.cost,
        inheritedAccuracy: each.inherited,
        accuracy: each.truth,
        regret: each.truth.map(proof.regret),
        evaluations: each.evaluations,
        randomRegret: proof.randomRegret(ranking, evaluations: max(1, each.evaluations))
      )
    }
    networks = ranking.networks.map { network in
      Network(
        architecture: network.architecture.name,
        cost: network.cost,
        tenth: network.tenth + 1,
        accuracy: network.truth,
        inheritedAccuracy: network.accuracy,
        inheritedLoss: network.crossEntropy
      )
    }
  }

  // MARK: Text

  /// Prints what a person wants to know.
  func show() {
    let output = Output()
    output.line(
      "\(Format.counted(different, "different network")) of \(Format.counted(layers, "layer")), "
        + "\(networks.count) evaluated with the weights of \(run)"
    )
    output.line(
      "the best within its budget is \(best.architecture) with \(number(best.accuracy))"
        + (best.cost.map { " at \(Format.precise($0)) \(metric)" } ?? "")
    )
    output.text("\n" + TextTable.aligned(agreements, left: [0]))
    output.text("\n" + TextTable.aligned(byTenth, left: [0]))
    output.text("\n" + TextTable.aligned(chosen, left: [0, 1]))
    output.line("")
    output.line(
      "random: the best by accuracy of as many evaluated networks, on average"
        + (blindRegret.map { "; one picked blindly \(number($0))" } ?? "")
        + "; \(Format.fixed(seconds, 1)) s in all"
    )
  }

  private var agreements: [[String]] {
    [["ranked by", "tau", "inside tenths", "best 1 %", "best 5 %"]]
      + rankings.map { row in
        [name(of: row), number(row.tau), number(row.tenthsTau)]
          + [row.best1, row.best5].map { Format.percent($0, digits: 0) }
      }
  }

  private var byTenth: [[String]] {
    [["tau by tenth of \(metric)"] + (1...InheritedRanking.tenths).map(String.init)]
      + rankings.map { row in
        [name(of: row)] + row.byTenth.map { $0.map { Format.fixed($0, 2) } ?? "-" }
      }
  }

  private var chosen: [[String]] {
    [["chosen by", "network", "accuracy", "regret", "evaluations", "random"]]
      + choices.map { choice in
        [
          choice.rule == SearchProof.Rule.inherited.rawValue ? "table" : choice.rule,
          choice.architecture, choice.accuracy.map(number) ?? "not in the table",
          choice.regret.map(number) ?? "-", "\(choice.evaluations)",
          choice.randomRegret.map(number) ?? "-",
        ]
      }
  }

  /// As people call it: the cost by its metric.
  private func name(of row: Ranking) -> String {
    row.by == InheritedRanking.Order.cost.rawValue ? metric : row.by
  }

  private func number(_ value: Double) -> String { Format.fixed(value, 3) }
}
