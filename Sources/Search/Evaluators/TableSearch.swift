import Foundation
import Runs
import Tensor

/// A search on a table of results instead of training: the proving ground of the search code.
///
/// What counts as an evaluation is one network looked up in the table, the stand-in for training
/// it. A gradient search makes its steps on a mixture of all networks, as it does on a supernet;
/// they look up no single network and are reported apart. The networks that it derives are looked
/// up, and nothing of the table but their results decides among them.
package struct TableSearch: Sendable {
  /// How networks are chosen.
  package enum Algorithm: String, Sendable, CaseIterable {
    case dnas, random, evolution
    /// Architecture and recipe by the predictor.
    case joint
    /// The architecture by the predictor, with a recipe that the seed names.
    case architecture
    /// The recipe by the predictor, of an architecture that the seed names.
    case recipe

    /// Whether it picks by a predictor.
    package var predicts: Bool { self == .joint || self == .architecture || self == .recipe }
  }

  /// What a search may spend, and how cost enters its loss.
  package struct Settings: Sendable {
    /// How networks are chosen.
    package var algorithm = Algorithm.dnas
    /// The most networks looked up.
    package var evaluations = 96
    /// Epochs of dnas; the temperature ends where FBNet's 90 epochs end, however many there are.
    package var epochs = 90
    /// Steps on θ in an epoch.
    package var steps = 20
    /// Samples of a step, whose mixtures are evaluated together.
    package var samples = 8
    /// Form of the loss (spec S8).
    package var form = Configuration.LossSettings.Form.limit
    /// Whether the weight of the cost is learned where there is a limit.
    package var multiplier = Configuration.LossSettings.Multiplier.learned
    /// Weight of the cost; the first one where it is learned.
    package var alpha = 1.0
    /// Exponent of the cost, for the forms that have one.
    package var beta = 0.6
    /// The predictor of the algorithms that have one.
    package var predictor = JointConfiguration.Predictor()

    /// The defaults.
    package init() {}

    /// Those of searches that look up single networks, and need no whole table.
    package static var sampling: Settings {
      var settings = Settings()
      settings.algorithm = .random
      return settings
    }
  }

  /// What one search found.
  package struct Answer: Sendable {
    /// The network.
    package let architecture: Architecture
    /// In the table's unit.
    package let accuracy: Double
    /// In the metric's unit; nil without a metric.
    package let cost: Double?
    /// The best accuracy within the limit less this one.
    package let regret: Double
    /// Networks looked up.
    package var evaluations: Int { values.count }
    /// What they reached, in the order of the look-ups.
    package let values: [Double]
    /// Steps on the mixture.
    package let steps: Int
    /// Whether the cost, as the table has it, keeps the limit.
    package let withinLimit: Bool
  }

  /// The results.
  package let table: ResultTable
  /// The most that an answer may cost.
  package let limit: CostLimit?
  /// Rows within the limit.
  package let feasible: [Int]
  /// The best row within the limit.
  package let best: Int
  /// The metric's column.
  package let costs: ResultTable.Costs?
  let settings: Settings
  /// For dnas.
  private let gradient: (costModel: any CostModel, loss: CostLoss, mixture: TableLoss)?

  /// Prepares searches on `table`; `metric` names the column of the loss where there is no limit.
  ///
  /// `costModel` prices the networks as that column does; nil fits one to it.
  ///
  /// Errors: `UserError` for a limit below the cheapest network (the range is shown), a column that
  /// is missing or, for dnas, not one that `ResultTable.costModel` fits, a loss that needs a metric
  /// or a limit that is not there, and for dnas a table with gaps.
  package init(
    _ table: ResultTable,
    limit: CostLimit?,
    metric: String? = nil,
    costModel: (any CostModel)? = nil,
    settings: Settings
  ) throws {
    self.table = table
    self.limit = limit
    self.settings = settings
    costs = try (limit?.name ?? metric).map(table.costs)
    let within = CostLimit.within(limit?.most)
    feasible = table.architectures.indices.filter { [costs] row in
      within.contains(costs?.values[row] ?? 0)
    }
    guard let best = feasible.max(by: { table.accuracies[$0] < table.accuracies[$1] }) else {
      throw UserError(
        .usage,
        "--limit \(limit?.text ?? "")",
        "no network is so cheap",
        remedy:
          "the table's lie between \(costs?.values.min() ?? 0) and \(costs?.values.max() ?? 0)"
      )
    }
    self.best = best
    guard settings.algorithm == .dnas else {
      gradient = nil
      return
    }
    guard !table.hasLosses else {
      throw UserError(
        .usage,
        "--algorithm dnas",
        "the table has losses, and a mixture of networks is known for accuracies alone",
        remedy: "use --algorithm joint, random or evolution"
      )
    }
    try table.checkComplete()
    let form = settings.form
    // Without a limit and without another form, accuracy alone counts.
    let isFree = form == .limit && limit == nil
    if !isFree, costs == nil || form.needsBudget && limit == nil {
      throw UserError(
        .usage,
        "--loss \(form.rawValue)",
        "needs a cost \(form.needsBudget ? "to stay within" : "to weigh")",
        remedy: form.needsBudget ? "give a --limit" : "give a --limit or a --metric"
      )
    }
    let prices: any CostModel =
      try costModel ?? costs.map(table.costModel)
      ?? AdditiveCost(layers: table.sizes.map { [Double](repeating: 0, count: $0) }, fixed: 0)
    var loss = try Configuration.preset("digits").loss
    loss.form = form
    loss.multiplier = isFree ? .fixed : settings.multiplier
    loss.alpha = isFree ? 0 : settings.alpha
    loss.beta = settings.beta
    if form == .limit { loss.band = 0 }
    gradient = (
      prices,
      try CostLoss(
        loss,
        metric: .flops,
        budget: limit?.most ?? .greatestFiniteMagnitude,
        cheapest: prices.range.lowerBound
      ),
      TableLoss(table)
    )
  }

  /// One search; the same seed gives the same answer.
  ///
  /// - Parameters:
  ///   - seed: of all random numbers.
  ///   - algorithm: another one than the settings', to compare with; dnas only where the settings
  ///     say so.
  /// - Returns: the best network looked up.
  /// - Throws: nothing that `init` did not.
  package func run(seed: UInt64, algorithm: Algorithm? = nil) throws -> Answer {
    switch algorithm ?? settings.algorithm {
    case .dnas: try dnas(seed)
    case .random: sampled(RandomSampler(allowed: allowed, seed: seed))
    case .evolution:
      sampled(Evolution(optionCounts: table.sizes, allowed: allowed, seed: seed))
    case .joint, .architecture, .recipe:
      answer(try predicted(algorithm ?? settings.algorithm, seed: seed), steps: 0)
    }
  }

  /// The networks within the limit.
  private var allowed: [Architecture] { feasible.map { table.architectures[$0] } }

  /// Looks up what `sampler` asks for, until it has no more or the evaluations are spent.
  private func sampled(_ sampler: any Sampler) -> Answer {
    var sampler = sampler
    var rows: [Int] = []
    while rows.count < settings.evaluations, let architecture = sampler.ask(),
      let row = table.row(of: architecture)
    {
      rows.append(row)
      sampler.tell(architecture, value: table.accuracies[row])
    }
    return answer(rows, steps: 0)
  }

  private func answer(_ rows: [Int], steps: Int) -> Answer {
    let found = rows.max { table.accuracies[$0] < table.accuracies[$1] } ?? best
    let cost = costs?.values[found]
    return Answer(
      architecture: table.architectures[found],
      accuracy: table.accuracies[found],
      cost: cost,
      regret: table.accuracies[best] - table.accuracies[found],
      values: rows.map { table.accuracies[$0] },
      steps: steps,
      withinLimit: CostLimit.within(limit?.most).contains(cost ?? 0)
    )
  }

  /// θ trained on mixtures, then networks derived from it (spec S5–S11).
  private func dnas(_ seed: UInt64) throws -> Answer {
    guard let gradient else { preconditionFailure("TableSearch: dnas without its prices") }
    // The temperature of FBNet's 90 epochs, stretched or squeezed to as many as there are.
    let configuration = try Configuration.preset(
      "cifar",
      overrides: ["search.epochs=\(max(1, settings.epochs))"]
    )
    let theta = ArchitectureParameters(
      optionCounts: table.sizes,
      costModel: gradient.costModel,
      loss: gradient.loss,
      settings: configuration.theta,
      hard: false,
      seed: seed
    )
    let engine = Engine(instructionSet: .baseline, threads: 1)
    engine.isRecording = true
    let steps = settings.epochs * settings.steps
    let rate = configuration.theta.learningRate.value(steps: steps)
    for step in 0..<steps {
      _ = theta.step(
        step,
        temperature: configuration.temperature.value(
          epoch: step / settings.steps,
          of: settings.epochs
        ),
        samples: settings.samples,
        learningRate: rate,
        on: engine
      ) { gradient.mixture.crossEntropy($0, on: engine) }
    }
    return answer(derived(theta, seed), steps: steps)
  }

  /// Rows looked up: the most probable network within the limit and some sampled within it, then
  /// neighbours of the best of them until none is better or the evaluations are spent (spec S11).
  private func derived(_ theta: ArchitectureParameters, _ seed: UInt64) -> [Int] {
    // The costs of the table decide, whatever the last digit of a sum of prices.
    let within = CostLimit.within(limit?.most)
    func row(_ network: Architecture) -> Int? {
      table.row(of: network).flatMap { within.contains(costs?.values[$0] ?? 0) ? $0 : nil }
    }
    let count = max(1, settings.evaluations / Self.sampledPart)
    let probable = theta.mostProbable(within: within).map { [$0] } ?? []
    let sampled = theta.samples(count - 1, seed: seed, within: within, except: Set(probable))
    var rows = (probable + sampled).compactMap(row).prefix(settings.evaluations).map { $0 }
    let refinement = Refinement(
      costModel: theta.costModel,
      within: within,
      probabilities: theta.probabilities
    )
    refinement.run(
      from: rows.map { (table.architectures[$0], table.accuracies[$0]) },
      trials: settings.evaluations - rows.count
    ) { network in
      guard let row = row(network) else { return nil }
      rows.append(row)
      return table.accuracies[row]
    }
    return rows
  }

  /// One in so many evaluations goes to networks sampled from θ, the rest to neighbours.
  private static let sampledPart = 4
}
