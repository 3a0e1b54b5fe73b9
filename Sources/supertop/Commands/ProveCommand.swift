import ArgumentParser
import Foundation
import Runs
import Search

/// `supertop prove`: the search code on a table of results.
struct ProveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prove",
    abstract: "Test the search code on a table of real results, in seconds and without training.",
    discussion: """
      The table is a CSV file, plain or gzipped: 'arch' (one digit a layer, the index of its \
      candidate), one column 'acc0', 'acc1', … for each seed (their mean counts), and any columns \
      of costs.

      dnas is the gradient search of 'supertop search': the same architecture parameters, Gumbel \
      samples, annealing, costs and learned multiplier. The loss of a step is that of the sampled \
      mixture: the mean over all networks of the table, weighted by their probability under it. So \
      dnas needs a table of the whole space, and a cost that is a sum of what each layer adds, \
      alone or with the one before it. At the end it looks up the most probable network \
      within the limit and networks sampled within it, and then neighbours of the best (one layer \
      changed, or two that trade cost) until none is better or the evaluations are spent. The best \
      of all is the answer.

      An evaluation is one network looked up in the table, as if it had been trained. The steps of \
      dnas look up no single network and are reported separately: they stand for the training of \
      one supernet, and read the whole table. Random search and evolution (population 24, \
      tournament 6, one gene mutated, oldest removed) spend all their evaluations on networks \
      within the limit.
      """
  )

  @Option(help: ArgumentHelp("The table of results.", valueName: "file"))
  var table: String

  @Option(help: "How to search: dnas, random or evolution.")
  var algorithm = "dnas"

  @Option(
    help: ArgumentHelp("The most a network may cost, as in madds<=60M.", valueName: "limit")
  )
  var limit: String?

  @Option(help: ArgumentHelp("Networks that a search may look up.", valueName: "n"))
  var evaluations = 96

  @Option(help: ArgumentHelp("Searches, with seeds 0, 1, …", valueName: "n"))
  var seeds = 10

  @Option(help: ArgumentHelp("Epochs of dnas; each lowers the temperature.", valueName: "n"))
  var epochs = 90

  @Option(help: ArgumentHelp("Steps of dnas in an epoch.", valueName: "n"))
  var steps = 20

  @Option(
    help: ArgumentHelp("Samples of a step of dnas; their losses are averaged.", valueName: "n")
  )
  var draws = 8

  @Option(
    help: ArgumentHelp(
      "Loss of dnas: limit (one-sided), target (two-sided), log, paper or additive.",
      valueName: "form"
    )
  )
  var loss = "limit"

  @Option(
    help: ArgumentHelp(
      "Weight of the cost under a limit: learned, or fixed at --alpha.",
      valueName: "kind"
    )
  )
  var multiplier = "learned"

  @Option(help: "Weight of the cost in the loss of dnas; the initial one where it is learned.")
  var alpha = 1.0

  @Option(help: "Exponent of the cost in the loss forms that have one.")
  var beta = 0.6

  @Option(
    help: ArgumentHelp("Cost column of the loss, where there is no limit.", valueName: "column")
  )
  var metric: String?

  @Flag(help: "Print one JSON object.")
  var json = false

  /// The JSON object.
  private struct Report: Encodable {
    struct Best: Encodable {
      var architecture: String
      var accuracy: Double
      var cost: Double?
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
    var seconds: Double

    enum CodingKeys: String, CodingKey {
      case algorithm, limit, best, architectures, accuracies, costs, regret, evaluations, steps
      case seconds
      case randomRegret = "random_regret"
      case withinLimit = "within_limit"
    }
  }

  func run() throws {
    let clock = ContinuousClock()
    let start = clock.now
    let settings = try settings()
    let table = try ResultTable(path: table)
    let search = try TableSearch(
      table,
      limit: try limit.map { try CostLimit($0) },
      metric: metric,
      settings: settings
    )
    let ticker = Ticker()
    var answers: [TableSearch.Answer] = []
    var baselines: [TableSearch.Answer] = []
    for seed in 0..<UInt64(seeds) {
      ticker.show("seed \(seed + 1) of \(seeds)")
      answers.append(try search.run(seed: seed))
      baselines.append(try search.run(seed: seed, algorithm: .random))
    }
    ticker.clear()
    let spent = clock.now - start
    let seconds = Double(spent.components.seconds) + Double(spent.components.attoseconds) * 1e-18
    if json {
      try show(answers, baselines, search, settings, seconds)
    } else {
      show(answers, baselines, of: search, settings, seconds)
    }
  }

  private func settings() throws -> TableSearch.Settings {
    func check(_ holds: Bool, _ option: String, _ remedy: String) throws {
      guard holds else { throw UserError(.usage, option, "out of range", remedy: remedy) }
    }
    func known<T: CaseIterable & RawRepresentable>(_ option: String, _ name: String) throws -> T
    where T.RawValue == String {
      guard let value = T(rawValue: name) else {
        let names = T.allCases.map(\.rawValue)
        throw UserError(
          .usage,
          "\(option) \(name)",
          "no such choice",
          remedy: "give \(names.joined(separator: ", "))"
        )
      }
      return value
    }
    try check(evaluations > 0, "--evaluations \(evaluations)", "give 1 or more")
    try check(seeds > 0, "--seeds \(seeds)", "give 1 or more")
    try check(epochs > 0, "--epochs \(epochs)", "give 1 or more")
    try check(steps > 0, "--steps \(steps)", "give 1 or more")
    try check((1...1024).contains(draws), "--draws \(draws)", "give 1 to 1024")
    try check(alpha >= 0 && alpha.isFinite, "--alpha \(alpha)", "give a number of 0 or more")
    try check(beta > 0 && beta.isFinite, "--beta \(beta)", "give a number above 0")
    var settings = TableSearch.Settings()
    settings.algorithm = try known("--algorithm", algorithm)
    settings.evaluations = evaluations
    settings.epochs = epochs
    settings.steps = steps
    settings.samples = draws
    settings.form = try known("--loss", loss)
    settings.multiplier = try known("--multiplier", multiplier)
    settings.alpha = alpha
    settings.beta = beta
    return settings
  }

  private func show(
    _ answers: [TableSearch.Answer],
    _ baselines: [TableSearch.Answer],
    _ search: TableSearch,
    _ settings: TableSearch.Settings,
    _ seconds: Double
  ) throws {
    let report = Report(
      algorithm: settings.algorithm.rawValue,
      limit: search.limit?.text,
      best: Report.Best(
        architecture: name(search.table.architectures[search.best]),
        accuracy: search.table.accuracies[search.best],
        cost: search.costs?.values[search.best]
      ),
      architectures: answers.map { name($0.architecture) },
      accuracies: answers.map(\.accuracy),
      costs: answers.map(\.cost),
      regret: answers.map(\.regret),
      randomRegret: baselines.map(\.regret),
      withinLimit: answers.map(\.withinLimit),
      evaluations: answers.map(\.evaluations),
      steps: answers.first?.steps ?? 0,
      seconds: seconds
    )
    try Output().json(report)
  }

  private func show(
    _ answers: [TableSearch.Answer],
    _ baselines: [TableSearch.Answer],
    of search: TableSearch,
    _ settings: TableSearch.Settings,
    _ seconds: Double
  ) {
    let table = search.table
    let metric = search.costs?.name
    let best = search.best
    Output().line(
      "\(Format.counted(table.architectures.count, "network")) of "
        + "\(Format.counted(table.sizes.count, "layer")), "
        + (search.limit.map { "\(search.feasible.count) with \($0.text)" } ?? "no limit")
        + "; the best is \(name(table.architectures[best]))"
        + " with \(accuracy(table.accuracies[best]))"
        + (search.costs.map { " at \(Format.precise($0.values[best])) \($0.name)" } ?? "")
    )
    let cells = [metric].compactMap { $0 }
    var rows = [["seed", "network", "accuracy"] + cells + ["regret", "look-ups", "random"]]
    for (seed, (answer, baseline)) in zip(answers, baselines).enumerated() {
      rows.append(
        ["\(seed)", name(answer.architecture), accuracy(answer.accuracy)]
          + [answer.cost].compactMap { $0.map(Format.precise) }
          + [accuracy(answer.regret), "\(answer.evaluations)", accuracy(baseline.regret)]
      )
    }
    Output().text(TextTable.aligned(rows, left: [1]))
    func summary(_ regrets: [Double]) -> String {
      let mean = regrets.reduce(0, +) / Double(max(1, regrets.count))
      return "\(accuracy(mean)) (at most \(accuracy(regrets.max() ?? 0)))"
    }
    let steps = answers.first?.steps ?? 0
    Output().line(
      "\(settings.algorithm.rawValue): mean regret \(summary(answers.map(\.regret)))"
        + (steps > 0 ? ", \(Format.counted(steps, "step")) on the mixture before the look-ups" : "")
    )
    Output().line(
      "random: mean regret \(summary(baselines.map(\.regret))) with "
        + "\(Format.counted(min(evaluations, search.feasible.count), "look-up")); "
        + "\(Format.fixed(seconds, 1)) s in all"
    )
    let over = answers.count { !$0.withinLimit }
    if over > 0 {
      Output().line("over the limit: \(over) of \(Format.counted(answers.count, "answer"))")
    }
  }

  private func name(_ architecture: Architecture) -> String {
    architecture.map(String.init).joined()
  }
  private func accuracy(_ value: Double) -> String { Format.fixed(value, 3) }
}
