import Runs
import Tensor

/// Searches by a predictor on a table: what a joint search does, with look-ups for trainings.
extension TableSearch {
  /// Points that are looked up before anything is predicted, and with each fit (ours).
  private static let firstRound = 24
  private static let round = 12
  /// Words in the names of columns that are costs of a network alone, which need no measurement.
  private static let countedCosts = ["madds", "macs", "flops", "params"]

  /// Rows of the table as the joint search sees them: what is counted on a network is a cost that
  /// the predictor is pretrained on.
  ///
  /// Errors: `.data` for a cell of a cost that is no number.
  package func problem(rows: [Int]) throws -> JointProblem {
    var names = self.table.costNames.filter { name in
      Self.countedCosts.contains { name.lowercased().contains($0) }
    }
    if let limit, !names.contains(limit.name) { names.append(limit.name) }
    let table = table
    let columns = try names.map { try table.costs($0).values }
    return JointProblem(
      axes: table.sizes.indices.map {
        JointProblem.Axis(count: table.sizes[$0], isRecipe: table.recipe.contains($0))
      },
      metrics: names,
      constraints: limit.map { limit in
        [JointProblem.Constraint(metric: names.firstIndex(of: limit.name) ?? 0, most: limit.most)]
      } ?? [],
      costs: { point in
        columns.map { column in table.row(of: point).map { column[$0] } ?? .infinity }
      },
      points: rows.map { table.architectures[$0] }
    )
  }

  /// Rows in the order that they are looked up: spread over the table, then the best predicted in
  /// rounds.
  func predicted(_ algorithm: Algorithm, seed: UInt64) throws -> [Int] {
    let problem = try problem(rows: try open(algorithm, seed: seed))
    let search = try JointSearch(problem, predictor: settings.predictor, seed: seed)
    var history: [JointSearch.Evaluated] = []
    while history.count < settings.evaluations {
      let left = settings.evaluations - history.count
      let picks = try search.candidates(
        min(left, history.isEmpty ? Self.firstRound : Self.round),
        round: history.isEmpty ? 0 : 1,
        history: history
      )
      let values = picks.compactMap { pick in
        table.row(of: pick.point).map {
          JointSearch.Evaluated(point: pick.point, value: table.accuracies[$0])
        }
      }
      guard !values.isEmpty else { break }
      history += values
    }
    return history.compactMap { table.row(of: $0.point) }
  }

  /// Rows that an algorithm chooses from: all, or those of one recipe or of one architecture, which
  /// the seed names.
  private func open(_ algorithm: Algorithm, seed: UInt64) throws -> [Int] {
    guard algorithm != .joint else { return Array(table.architectures.indices) }
    guard !table.recipe.isEmpty else {
      throw UserError(
        .usage,
        "--algorithm \(algorithm.rawValue)",
        "the table has no recipes",
        remedy: "say which digits are the recipe's, as in --recipe-digits 3-7, or use joint"
      )
    }
    var random = Philox(seed: seed, purpose: .sampling, step: 5)
    let model = table.architectures[feasible[random.below(feasible.count)]]
    let fixed = table.sizes.indices.filter {
      table.recipe.contains($0) == (algorithm == .architecture)
    }
    return table.architectures.indices.filter { row in
      fixed.allSatisfy { table.architectures[row].options[$0] == model.options[$0] }
    }
  }
}

extension TableSearch {
  /// What an answer's best misses after some of its look-ups.
  package func regret(_ answer: Answer, after budget: Int) -> Double {
    table.accuracies[best] - (answer.values.prefix(budget).max() ?? -.infinity)
  }

  /// How predictors that are fitted to random rows agree with the other rows.
  ///
  /// - Parameters:
  ///   - labels: how many rows, for each check; those that leave at least as many others are taken.
  ///   - predictor: settings.
  ///   - most: others that are compared, at random.
  ///   - seed: of rows and predictors.
  /// - Returns: a check for each number of labels.
  /// - Throws: as `problem`.
  package func checks(
    _ labels: [Int],
    predictor: JointConfiguration.Predictor,
    most: Int,
    seed: UInt64
  ) throws -> [PredictorCheck] {
    let predictors = try PredictorCheck.Predictors(
      try problem(rows: Array(table.architectures.indices)),
      settings: predictor,
      seed: seed
    )
    let order = rows(seed: seed)
    return try labels.filter { 2 * $0 <= order.count }.map { count in
      try predictors.check(
        Array(order.prefix(count)),
        on: Array(order.dropFirst(count).prefix(most))
      )
    }
  }

  /// All rows within the limit, in an order that the seed names.
  package func rows(seed: UInt64) -> [JointSearch.Evaluated] {
    var random = Philox(seed: seed, purpose: .sampling, step: 6)
    return random.permutation(feasible.count).map { place in
      let row = feasible[Int(place)]
      return JointSearch.Evaluated(
        point: table.architectures[row],
        value: table.accuracies[row]
      )
    }
  }
}
