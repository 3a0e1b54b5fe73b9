import Foundation
import Runs
import Search
import Tensor

/// What `supertop prove` found: an answer for each seed, next to baselines.
struct Proof {
  /// Look-ups after which the algorithms that predict are compared.
  static let budgets = [48, 96, 192]
  /// Known results after which their predictor is.
  private static let labels = [24, 48, 96, 192]
  /// Networks that a predictor is compared on.
  private static let mostCompared = 5000

  private let search: TableSearch
  private let settings: TableSearch.Settings
  private var answers: [TableSearch.Answer] = []
  private var baselines: [TableSearch.Answer] = []
  /// Of evolution, for the algorithms that predict.
  private var evolved: [TableSearch.Answer] = []
  /// Checks [seed][labels] of the predictor of joint.
  private var checks: [[PredictorCheck]] = []
  /// Time of all searches together.
  var seconds = 0.0

  init(search: TableSearch, settings: TableSearch.Settings) {
    self.search = search
    self.settings = settings
  }

  /// Searches once more.
  mutating func add(seed: UInt64) throws {
    answers.append(try search.run(seed: seed))
    baselines.append(try search.run(seed: seed, algorithm: .random))
    guard settings.algorithm.predicts else { return }
    evolved.append(try search.run(seed: seed, algorithm: .evolution))
    guard settings.algorithm == .joint else { return }
    checks.append(
      try search.checks(
        Proof.labels,
        predictor: settings.predictor,
        most: Proof.mostCompared,
        seed: seed
      )
    )
  }

  /// The budgets that were not beyond the look-ups.
  private var budgets: [Int] {
    guard settings.algorithm.predicts else { return [] }
    return Proof.budgets.filter { $0 < settings.evaluations } + [settings.evaluations]
  }

  /// The labels that every seed was checked with.
  private var checked: [Int] { checks.first?.map(\.labels) ?? [] }

  // MARK: JSON

  /// The JSON object.
  struct Report: Encodable {
    struct Best: Encodable {
      var architecture: String
      var accuracy: Double
      var cost: Double?
    }

    struct Budget: Encodable {
      var budget: Int
      var regret: [Double]
      var randomRegret: [Double]
      var evolutionRegret: [Double]

      enum CodingKeys: String, CodingKey {
        case budget, regret
        case randomRegret = "random_regret"
        case evolutionRegret = "evolution_regret"
      }
    }

    struct Tau: Encodable {
      var labels: Int
      var pretrained: [Double]
      var scratch: [Double]
    }

    var algorithm: String
    var limit: String?
    var best: Best
    var architectures: [String]
    var accuracies: [Double]
    var costs: [Double?]
    var regret: [Double]
    var randomRegret: [Double]
    var withinLimit: [Bool]
    var evaluations: [Int]
    var steps: Int
    var regretByBudget: [Budget]?
    var kendallTau: [Tau]?
    var seconds: Double

    enum CodingKeys: String, CodingKey {
      case algorithm, limit, best, architectures, accuracies, costs, regret, evaluations, steps
      case seconds
      case randomRegret = "random_regret"
      case withinLimit = "within_limit"
      case regretByBudget = "regret_by_budget"
      case kendallTau = "kendall_tau"
    }
  }

  /// Everything that was found.
  var report: Report {
    Report(
      algorithm: settings.algorithm.rawValue,
      limit: search.limit?.text,
      best: Report.Best(
        architecture: search.table.architectures[search.best].name,
        accuracy: search.table.accuracies[search.best],
        cost: search.costs?.values[search.best]
      ),
      architectures: answers.map(\.architecture.name),
      accuracies: answers.map(\.accuracy),
      costs: answers.map(\.cost),
      regret: answers.map(\.regret),
      randomRegret: baselines.map(\.regret),
      withinLimit: answers.map(\.withinLimit),
      evaluations: answers.map(\.evaluations),
      steps: answers.first?.steps ?? 0,
      regretByBudget: budgets.isEmpty
        ? nil
        : budgets.map { budget in
          Report.Budget(
            budget: budget,
            regret: answers.map { search.regret($0, after: budget) },
            randomRegret: baselines.map { search.regret($0, after: budget) },
            evolutionRegret: evolved.map { search.regret($0, after: budget) }
          )
        },
      kendallTau: checks.isEmpty
        ? nil
        : checked.indices.map { index in
          Report.Tau(
            labels: checked[index],
            pretrained: checks.map { $0[index].pretrained.kendall },
            scratch: checks.map { $0[index].scratch.kendall }
          )
        },
      seconds: seconds
    )
  }

  // MARK: Text

  /// Prints the same for a person.
  func show() {
    let table = search.table
    let metric = search.costs?.name
    let best = search.best
    Output().line(
      "\(Format.counted(table.architectures.count, "network")) of "
        + "\(Format.counted(table.sizes.count, "layer")), "
        + (search.limit.map { "\(search.feasible.count) with \($0.text)" } ?? "no limit")
        + "; the best is \(table.architectures[best].name)"
        + " with \(accuracy(table.accuracies[best]))"
        + (search.costs.map { " at \(Format.precise($0.values[best])) \($0.name)" } ?? "")
    )
    let cells = [metric].compactMap { $0 }
    var rows = [["seed", "network", "accuracy"] + cells + ["regret", "look-ups", "random"]]
    for (seed, (answer, baseline)) in zip(answers, baselines).enumerated() {
      rows.append(
        ["\(seed)", answer.architecture.name, accuracy(answer.accuracy)]
          + [answer.cost].compactMap { $0.map(Format.precise) }
          + [accuracy(answer.regret), "\(answer.evaluations)", accuracy(baseline.regret)]
      )
    }
    Output().text(TextTable.aligned(rows, left: [1]))
    showBudgets()
    func summary(_ regrets: [Double]) -> String {
      let mean = regrets.reduce(0, +) / Double(max(1, regrets.count))
      return "\(accuracy(mean)) (at most \(accuracy(regrets.max() ?? 0)))"
    }
    let steps = answers.first?.steps ?? 0
    Output().line(
      "\(settings.algorithm.rawValue): mean regret \(summary(answers.map(\.regret)))"
        + (steps > 0 ? ", \(Format.counted(steps, "step")) on the mixture before the look-ups" : "")
    )
    let looked = Format.counted(min(settings.evaluations, search.feasible.count), "look-up")
    Output().line(
      "random: mean regret \(summary(baselines.map(\.regret))) with \(looked); "
        + "\(Format.fixed(seconds, 1)) s in all"
    )
    let over = answers.count { !$0.withinLimit }
    if over > 0 {
      Output().line("over the limit: \(over) of \(Format.counted(answers.count, "answer"))")
    }
  }

  /// Regrets by look-ups and rank correlations by labels, mean ± deviation over the seeds.
  private func showBudgets() {
    func spread(_ values: [Double]) -> String { MeanSpread(values).text }
    if !budgets.isEmpty {
      let rows = budgets.map { budget in
        ["\(budget)"]
          + [answers, baselines, evolved].map { answers in
            spread(answers.map { search.regret($0, after: budget) })
          }
      }
      let head = ["regret after", settings.algorithm.rawValue, "random", "evolution"]
      Output().text("\n" + TextTable.aligned([head] + rows, left: []))
    }
    if !checks.isEmpty {
      let rows = checked.indices.map { index in
        [
          "\(checked[index])", spread(checks.map { $0[index].pretrained.kendall }),
          spread(checks.map { $0[index].scratch.kendall }),
        ]
      }
      let head = ["Kendall's tau from", "pretrained", "from scratch"]
      Output().text("\n" + TextTable.aligned([head] + rows, left: []))
    }
    if !budgets.isEmpty { Output().line("") }
  }

  private func accuracy(_ value: Double) -> String { Format.fixed(value, 3) }
}

/// A mean and how far values scatter around it.
struct MeanSpread {
  let mean: Double
  let deviation: Double

  init(_ values: [Double]) {
    let mean = values.reduce(0, +) / Double(max(1, values.count))
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    self.mean = mean
    deviation = (squares / Double(max(1, values.count))).squareRoot()
  }

  /// `0.123 ± 0.045`.
  var text: String { "\(Format.fixed(mean, 3)) ± \(Format.fixed(deviation, 3))" }
}
