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
      of costs. Two other forms: 'cfg' (one digit a choice) with 'loss0', 'loss1', …, which are \
      compared in logarithms; and 'block0_e', 'block0_k', … with 'val_top1'.

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

      joint is the search of architecture and recipe together: it looks up 24 networks spread \
      over the table, fits its predictor to them, looks up the 12 with the best predictions, and \
      so on. architecture and recipe search one of both alone; the seed names the other. They \
      are reported after 48, 96 and 192 look-ups, next to random search and evolution, and the \
      predictor's rank correlation after 24 to 192 random ones, with pretraining and without.

      With --run the table is held against a search that was trained: networks of the table are \
      evaluated with its weights, after batch-norm recalibration, on the images that train no \
      weights. Their order is compared with the table's, over all and inside ten classes of equal \
      cost, and what the search chooses with the best of the table and with random search.

        supertop prove --table nasbench_macro.csv.gz --run runs/macro-1 --networks 200
      """
  )

  @Option(help: ArgumentHelp("The table of results.", valueName: "file"), completion: .file())
  var table: String

  @Option(
    help: ArgumentHelp(
      "How to search: dnas, joint, architecture, recipe, evolution or random.",
      valueName: "algorithm"
    )
  )
  var algorithm = "dnas"

  @Option(
    help: ArgumentHelp("The most a network may cost, as in madds<=60M.", valueName: "limit")
  )
  var limit: String?

  @Option(
    help: ArgumentHelp(
      "Networks that a search may look up (default: 96; 192 for joint, architecture and recipe).",
      valueName: "n"
    )
  )
  var evaluations: Int?

  @Option(
    name: .customLong("recipe-digits"),
    help: ArgumentHelp(
      "Digits of the table that are the recipe's (default: 3-7 of a 'cfg' of nine, else none).",
      valueName: "first-last"
    )
  )
  var recipeDigits: String?

  @Flag(help: "Do not pretrain the predictor of joint, architecture and recipe.")
  var scratch = false

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
    help: ArgumentHelp(
      "Cost column of the loss, where there is no limit; with --run of the classes of equal cost "
        + "(default: the cost of the search).",
      valueName: "column"
    )
  )
  var metric: String?

  @Flag(help: "Print one JSON object.")
  var json = false

  @OptionGroup var search: SearchProofOptions

  func validate() throws {
    guard search.run != nil else { return }
    for (name, given) in [
      ("limit", limit != nil), ("evaluations", evaluations != nil),
      ("recipe-digits", recipeDigits != nil),
    ] where given {
      throw ValidationError("--\(name): with --run the search has its own")
    }
  }

  func run() throws {
    if let run = search.run {
      return try search.prove(run, table: table, metric: metric, json: json)
    }
    let clock = ContinuousClock()
    let start = clock.now
    let settings = try settings()
    let search = try TableSearch(
      try ResultTable(path: table, recipe: try recipe()),
      limit: try limit.map { try CostLimit($0) },
      metric: metric,
      settings: settings
    )
    var proof = Proof(search: search, settings: settings)
    let ticker = Ticker()
    for seed in 0..<UInt64(seeds) {
      ticker.show("seed \(seed + 1) of \(seeds)")
      try proof.add(seed: seed)
    }
    ticker.clear()
    let spent = clock.now - start
    proof.seconds = Double(spent.components.seconds) + Double(spent.components.attoseconds) * 1e-18
    if json {
      try Output().json(proof.report)
    } else {
      proof.show()
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
    try check((evaluations ?? 1) > 0, "--evaluations \(evaluations ?? 0)", "give 1 or more")
    try check(seeds > 0, "--seeds \(seeds)", "give 1 or more")
    try check(epochs > 0, "--epochs \(epochs)", "give 1 or more")
    try check(steps > 0, "--steps \(steps)", "give 1 or more")
    try check((1...1024).contains(draws), "--draws \(draws)", "give 1 to 1024")
    try check(alpha >= 0 && alpha.isFinite, "--alpha \(alpha)", "give a number of 0 or more")
    try check(beta > 0 && beta.isFinite, "--beta \(beta)", "give a number above 0")
    var settings = TableSearch.Settings()
    settings.algorithm = try known("--algorithm", algorithm)
    settings.evaluations =
      evaluations ?? (settings.algorithm.predicts ? Proof.budgets.max() : nil) ?? 96
    settings.predictor.pretraining = !scratch
    settings.epochs = epochs
    settings.steps = steps
    settings.samples = draws
    settings.form = try known("--loss", loss)
    settings.multiplier = try known("--multiplier", multiplier)
    settings.alpha = alpha
    settings.beta = beta
    return settings
  }

  /// The digits of `--recipe-digits`, counted from 1.
  private func recipe() throws -> ClosedRange<Int>? {
    guard let recipeDigits else { return nil }
    let ends = recipeDigits.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard ends.count <= 2, let first = ends[0], let last = ends[ends.count - 1], first <= last
    else {
      throw UserError(
        .usage,
        "--recipe-digits \(recipeDigits)",
        "no range of digits",
        remedy: "give the first and the last, counted from 1, as in 3-7"
      )
    }
    return first...last
  }
}
