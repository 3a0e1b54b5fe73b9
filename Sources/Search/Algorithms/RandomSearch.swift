import Runs

/// Random search (spec S12): θ is frozen, and networks that were sampled before the training
/// are evaluated with the supernet's weights at its end.
struct RandomSearch: SupernetAlgorithm {
  /// Different networks, at least one.
  private let networks: [Architecture]

  /// Samples networks within the budget if there is one; the same for a seed.
  ///
  /// Those that make use of the budget, and where there are none, any within it.
  ///
  /// None takes an option that is `barred`, [choice][option]; empty for none.
  init(
    _ configuration: Configuration,
    costModel: any CostModel,
    optionCounts: [Int],
    barred: [[Bool]]
  ) {
    let even = evenScores(optionCounts, barred: barred)
    let within = costModel.useful(configuration.limit, even: even)
    let sampled = costModel.samples(
      configuration.search.randomNetworks,
      of: barred.isEmpty
        ? nil
        : barred.map { row in
          let share = 1 / Double(row.count { !$0 })
          return row.map { $0 ? 0 : share }
        },
      within: within,
      seed: configuration.seed,
      stream: 0,
      except: []
    )
    let any = costModel.mostProbable(even, within: within)
    networks = sampled.isEmpty ? [any ?? Architecture(optionCounts.map { _ in 0 })] : sampled
  }

  /// The first that was sampled.
  var leader: Architecture { networks[0] }
  var leaderName: String { "a network sampled at random" }
  var forecast: ThetaForecast? { nil }
  var verdict: Verdict? { nil }

  func candidates() -> [Candidate] {
    networks.map { Candidate(source: "random", architecture: $0) }
  }

  func ranked(_ evaluated: [EvaluatedNetwork]) -> [EvaluatedNetwork] {
    var ranked = evaluated.sorted(by: EvaluatedNetwork.isBetter)
    ranked[0].source = "best"
    return ranked
  }

  func unbounded(chosen: Architecture) -> Architecture { chosen }
  func reason(for chosen: Architecture) -> String? { nil }

  /// What random sampling comes to.
  func complete(_ result: inout SearchResult, _ evaluated: [EvaluatedNetwork]) {
    result.take(sampled: evaluated.map(\.accuracy))
  }

  var exportsThetaAccuracy: Bool { true }
}
