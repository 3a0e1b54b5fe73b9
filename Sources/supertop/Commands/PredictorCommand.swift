import ArgumentParser
import Runs
import Search

/// `supertop predictor`: how well the accuracy predictor ranks what it does not know.
struct PredictorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predictor",
    abstract: "Check the accuracy predictor of a joint search: how well it ranks new candidates.",
    discussion: """
      Of a joint search, live or finished, it checks the predictor of all candidates that were \
      trained, by cross-validation. --set tries another predictor.

      Of a table it takes some random networks as known and reports Kendall's tau and Spearman's \
      rho, over all and within the best quarter, with an encoder that was pretrained on costs and \
      without: by cross-validation among the known ones, which is all that a run has, \
      and on the rest of the table. 'mistake' is the predictor's error in units of the spread that \
      it gives; about 1 is right.

        supertop predictor runs/fbnet-v3-digits-1 --set predictor.encoding=integer
        supertop predictor --table accel_nasbench.csv.gz --labels 48 --seeds 10
      """
  )

  @Argument(
    help: ArgumentHelp("Folder of a joint search.", valueName: "run"),
    completion: .directory
  )
  var path: String?

  @Option(
    help: ArgumentHelp("A table of results, as of 'supertop prove'.", valueName: "file"),
    completion: .file()
  )
  var table: String?

  @Option(
    name: .customLong("set"),
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Override a key of the predictor.", valueName: "key=value")
  )
  var assignments: [String] = []

  @Option(help: ArgumentHelp("Networks of the table that are known.", valueName: "n"))
  var labels = 48

  @Option(help: ArgumentHelp("Checks, with seeds 0, 1, …", valueName: "n"))
  var seeds = 5

  @Flag(help: "Print one JSON object.")
  var json = false

  /// The JSON object.
  private struct Report: Encodable {
    var table: String?
    var run: String?
    var labels: Int
    /// Of each seed.
    var crossValidation: [PredictorCheck]
    var others: [PredictorCheck]?

    enum CodingKeys: String, CodingKey {
      case table, run, labels, others
      case crossValidation = "cross_validation"
    }
  }

  /// Networks of the table that predictions are compared on.
  private static let mostCompared = 5000

  func validate() throws {
    guard (path == nil) != (table == nil) else {
      throw ValidationError("give the run of a joint search, or --table FILE")
    }
  }

  func run() throws {
    guard seeds > 0 else {
      throw UserError(.usage, "--seeds \(seeds)", "out of range", remedy: "give 1 or more")
    }
    if let path {
      try check(run: path)
    } else if let table {
      try check(table: table)
    }
  }

  /// The predictor's settings in `base` with the overrides.
  private func settings(
    _ base: JointConfiguration? = nil
  ) throws -> JointConfiguration.Predictor {
    var base = try base ?? JointConfiguration.preset(JointConfiguration.presetNames[0])
    for assignment in assignments { try base.set(assignment) }
    return base.predictor
  }

  private func check(run path: String) throws {
    let folder = try RunFolder.open(path: path)
    let records = try JointRecords(folder)
    let history = records.history
    let ticker = Ticker()
    var report = Report(
      run: folder.absolutePath,
      labels: history.count,
      crossValidation: []
    )
    for seed in 0..<UInt64(seeds) {
      ticker.show("seed \(seed + 1) of \(seeds)")
      let predictors = try PredictorCheck.Predictors(
        records.problem(in: records.rounds),
        settings: try settings(records.settings),
        seed: seed
      )
      report.crossValidation.append(try predictors.crossValidated(history))
    }
    ticker.clear()
    if json { return try Output().json(report) }
    Output().line(
      "\(Format.counted(history.count, "candidate")) of \(folder.name) after "
        + "\(Format.counted(records.stopEpoch, "epoch")), "
        + "mean ± deviation over \(Format.counted(seeds, "seed"))"
    )
    PredictorCommand.show(report.crossValidation, "cross-validation")
  }

  private func check(table: String) throws {
    let search = try TableSearch(ResultTable(path: table), limit: nil, settings: .sampling)
    let most = search.feasible.count / 2
    guard most >= PredictorCheck.fewest else {
      throw UserError(
        .data,
        table,
        "\(Format.counted(search.feasible.count, "network")) tell nothing of a predictor",
        remedy: "give a table of \(2 * PredictorCheck.fewest) or more"
      )
    }
    guard labels >= PredictorCheck.fewest, labels <= most else {
      throw UserError(
        .usage,
        "--labels \(labels)",
        "out of range",
        remedy: "give \(PredictorCheck.fewest) to \(most), half of the table"
      )
    }
    var report = Report(table: table, labels: labels, crossValidation: [])
    var others: [PredictorCheck] = []
    let ticker = Ticker()
    for seed in 0..<UInt64(seeds) {
      ticker.show("seed \(seed + 1) of \(seeds)")
      let rows = search.rows(seed: seed)
      let predictors = try PredictorCheck.Predictors(
        try search.problem(rows: search.feasible),
        settings: try settings(),
        seed: seed
      )
      let known = Array(rows.prefix(labels))
      report.crossValidation.append(try predictors.crossValidated(known))
      others.append(
        try predictors.check(
          known,
          on: Array(rows.dropFirst(labels).prefix(PredictorCommand.mostCompared))
        )
      )
    }
    ticker.clear()
    if json {
      report.others = others
      try Output().json(report)
    } else {
      Output().line(
        "\(Format.counted(labels, "known network")) of \(search.feasible.count), "
          + "mean ± deviation over \(Format.counted(seeds, "seed"))"
      )
      PredictorCommand.show(report.crossValidation, "among the known (cross-validation)")
      PredictorCommand.show(others, "on the rest of the table")
    }
  }

  /// A table of mean agreements: over all and within the best quarter, with pretraining and
  /// without.
  static func show(_ checks: [PredictorCheck], _ title: String) {
    func row(_ name: String, _ agreements: [PredictorCheck.Agreement]) -> [String] {
      let columns: [(PredictorCheck.Agreement) -> Double] = [
        \.kendall, \.spearman, \.bestKendall, \.bestSpearman, \.mistake,
      ]
      return [name] + columns.map { MeanSpread(agreements.map($0)).text }
    }
    let rows = [
      [title, "tau", "rho", "tau of best quarter", "rho of best quarter", "mistake"],
      row("pretrained on costs", checks.map(\.pretrained)),
      row("from scratch", checks.map(\.scratch)),
    ]
    Output().text("\n" + TextTable.aligned(rows, left: [0]))
  }
}
