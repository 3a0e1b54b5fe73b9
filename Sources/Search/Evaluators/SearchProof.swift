import Networks
import Runs
import Tensor

/// A search held against a table of its space: networks of the table with the search's weights,
/// and the networks that the search would choose.
///
/// Not Sendable: its `Deriver` is used on one thread.
package final class SearchProof {
  /// A network that a rule chooses.
  package struct Chosen: Sendable, Equatable {
    /// How.
    package var rule: Rule
    /// The network.
    package var architecture: Architecture
    /// In the metric of the tenths; nil where the table has the metric and lacks the network.
    package var cost: Double?
    /// With the weights of the search, a share of the images.
    package var inherited: Double
    /// What training comes to; nil where the table lacks it.
    package var truth: Double?
    /// Evaluations with shared weights that the rule makes, from 0.
    package var evaluations: Int
  }

  /// Ways to choose a network of a search that is trained.
  package enum Rule: String, Sendable {
    /// The most probable network within the budget.
    case probability
    /// The candidates whose removal costs the supernet most (Wang et al., ICLR 2021).
    case perturbation
    /// As `derive` does: the most probable network, samples of θ, and neighbours of the best.
    case refinement
    /// The evaluated network of the table with the best accuracy.
    case inherited
  }

  /// The table.
  package let table: ResultTable
  /// What the tenths go by: the name of a column, or the metric of the search.
  package let metric: String
  /// Rows of different networks, in the order of the table; of chains that compute the same, as
  /// identities commute, the first.
  package let different: [Int]
  /// The row of the best network within the budget of the search.
  package let best: Int
  /// Of the different rows, those to evaluate.
  package let sample: [Int]
  private let deriver: Deriver
  private let costs: [Double]
  private let isTableMetric: Bool
  private let tenths: [Int: Int]

  /// Finds out what there is to evaluate.
  ///
  /// - Parameters:
  ///   - deriver: the search.
  ///   - table: of its space.
  ///   - metric: the column of costs; nil for the search's own metric, as the space counts it.
  ///   - networks: how many to evaluate, evenly over the tenths by cost; nil for all.
  ///   - seed: names those that are taken.
  /// - Throws: `.data` for networks that are none of the space's, a column that is not there, and
  ///   where no network of the table keeps the budget.
  package init(
    _ deriver: Deriver,
    _ table: ResultTable,
    metric: String?,
    networks: Int?,
    seed: UInt64
  ) throws {
    self.deriver = deriver
    self.table = table
    self.metric = metric ?? deriver.budget.metric.rawValue
    try SearchProof.check(table, sizes: deriver.space.optionCounts)
    isTableMetric = metric != nil
    costs = try metric.map { try table.costs($0).values } ?? table.architectures.map(deriver.cost)
    var seen: Set<[BlockDescription]> = []
    let space = deriver.space
    different = table.architectures.indices.filter { row in
      seen.insert(space.network(of: table.architectures[row], name: "").computed).inserted
    }
    let tenths = InheritedRanking.tenths(of: different.map { [costs] in costs[$0] })
    self.tenths = Dictionary(uniqueKeysWithValues: zip(different, tenths))
    sample = SearchProof.sample(different, tenths, networks, seed: seed)
    let feasible = different.filter { deriver.keepsBudget(table.architectures[$0]) }
    guard let best = feasible.max(by: { table.accuracies[$0] < table.accuracies[$1] }) else {
      throw UserError(
        .data,
        table.path,
        "no network keeps the budget of the search",
        remedy: "give a table with networks of \(deriver.budget.limit ?? 0) or less"
      )
    }
    self.best = best
  }

  /// Refuses networks that are none of a space with so many candidates in each layer.
  static func check(_ table: ResultTable, sizes: [Int]) throws {
    func refuse(_ problem: String) -> UserError {
      UserError(
        .data,
        table.path,
        problem,
        remedy: "give the table of the search's space, digits in the order of space.candidates"
      )
    }
    guard table.sizes.count == sizes.count else {
      throw refuse(
        "its networks have \(Format.counted(table.sizes.count, "layer")), the search has "
          + "\(sizes.count)"
      )
    }
    for (layer, (found, most)) in zip(table.sizes, sizes).enumerated() where found > most {
      throw refuse(
        "has candidate \(found - 1) in layer \(layer + 1), where the search has "
          + "\(Format.counted(most, "candidate")), from 0"
      )
    }
  }

  /// `count` of the rows, as many of each tenth as of the others while these have some left; nil
  /// for all.
  static func sample(_ rows: [Int], _ tenths: [Int], _ count: Int?, seed: UInt64) -> [Int] {
    guard let count, count < rows.count else { return rows }
    let shuffled = (0..<InheritedRanking.tenths).map { tenth in
      let members = zip(rows, tenths).filter { $1 == tenth }.map(\.0)
      var random = Philox(seed: seed, purpose: .sampling, step: UInt64(tenth), index: 3)
      return random.permutation(members.count).map { members[Int($0)] }
    }
    // In rounds: one of each tenth, then another one of each.
    let rounds = (0..<(shuffled.map(\.count).max() ?? 0)).flatMap { round in
      shuffled.filter { round < $0.count }.map { $0[round] }
    }
    return rounds.prefix(count).sorted()
  }

  /// What the network of a row costs, in the metric of the tenths.
  package func cost(ofRow row: Int) -> Double { costs[row] }

  /// Whether the search has a θ that says something, and with it a choice by probability.
  package var hasProbabilities: Bool { !deriver.isRandom }

  /// Evaluates the sample with the weights of the search.
  ///
  /// - Parameter stops: receives how many are done and the share of the present one; true from it
  ///   ends the evaluation.
  /// - Returns: nil if `stops` ended it.
  /// - Throws: what `stops` throws.
  package func ranking(stops: (Int, Double) throws -> Bool) throws -> InheritedRanking? {
    var networks: [InheritedRanking.Network] = []
    for (index, row) in sample.enumerated() {
      var record = deriver.record(of: table.architectures[row])
      guard try deriver.evaluate(&record, stops: { try stops(index, $0) }) else { return nil }
      networks.append(
        InheritedRanking.Network(
          architecture: table.architectures[row],
          cost: costs[row],
          tenth: tenths[row] ?? 0,
          truth: table.accuracies[row],
          accuracy: record.accuracy ?? 0,
          crossEntropy: record.crossEntropy ?? 0
        )
      )
    }
    return InheritedRanking(networks)
  }

  /// The networks that the rules choose, all within the budget of the search.
  ///
  /// - Parameters:
  ///   - ranking: the evaluated networks of the table.
  ///   - samples: networks sampled from softmax(θ), to be refined.
  ///   - trials: neighbours evaluated at most; with 0 nothing is refined.
  ///   - seed: of the samples.
  ///   - stops: receives a line about what is done and the share of it.
  /// - Returns: nil if `stops` ended it.
  /// - Throws: what `stops` throws.
  package func chosen(
    _ ranking: InheritedRanking,
    samples: Int,
    trials: Int,
    seed: UInt64,
    stops: (String, Double) throws -> Bool
  ) throws -> [Chosen]? {
    var chosen: [Chosen] = []
    var records = deriver.networks(samples: samples, seed: seed)
    // Without a refinement none but the most probable one, and of a random search none.
    if trials == 0 { records = Array(records.prefix(hasProbabilities ? 1 : 0)) }
    let count = Double(records.count)
    for index in records.indices {
      let done = try deriver.evaluate(&records[index]) {
        let share = (Double(index) + $0) / count
        return try stops("evaluating the probable networks", share)
      }
      guard done else { return nil }
    }
    if hasProbabilities {
      chosen.append(choice(.probability, records[0], evaluations: 0))
      let selected = try deriver.selectedByPerturbation {
        try stops("masking one candidate at a time", $0)
      }
      guard let selected else { return nil }
      var record = deriver.record(of: selected.network)
      let done = try deriver.evaluate(&record) {
        try stops("evaluating the network selected by perturbation", $0)
      }
      guard done else { return nil }
      chosen.append(choice(.perturbation, record, evaluations: selected.evaluations))
    }
    if trials > 0 {
      let refined = try deriver.refined(records, trials: trials) {
        try stops("evaluating neighbours", (Double($0) + $1) / Double(trials))
      }
      guard let refined else { return nil }
      if let best = (records + refined.networks).min(by: { $0.isMorePromising(than: $1) }) {
        chosen.append(
          choice(.refinement, best, evaluations: records.count + refined.evaluations)
        )
      }
    }
    let within = ranking.ranked(.accuracy).filter { deriver.keepsBudget($0.architecture) }
    if let first = within.first {
      chosen.append(
        Chosen(
          rule: .inherited,
          architecture: first.architecture,
          cost: first.cost,
          inherited: first.accuracy,
          truth: first.truth,
          evaluations: within.count
        )
      )
    }
    return chosen
  }

  /// The best accuracy of the table within the budget less `truth`.
  package func regret(_ truth: Double) -> Double { table.accuracies[best] - truth }

  /// The regret, on average, of random search with the same weights: of `evaluations` networks
  /// drawn at random from the evaluated ones within the budget, the one with the best accuracy;
  /// nil where none keeps the budget.
  package func randomRegret(_ ranking: InheritedRanking, evaluations: Int) -> Double? {
    ranking.randomSearch(of: evaluations) { deriver.keepsBudget($0.architecture) }.map(regret)
  }

  private func choice(_ rule: Rule, _ record: DerivedRecord, evaluations: Int) -> Chosen {
    let architecture = Architecture(record.architecture)
    let row = table.row(of: architecture)
    return Chosen(
      rule: rule,
      architecture: architecture,
      cost: row.map { costs[$0] } ?? (isTableMetric ? nil : deriver.cost(architecture)),
      inherited: record.accuracy ?? 0,
      truth: row.map { table.accuracies[$0] },
      evaluations: evaluations
    )
  }
}

extension NetworkDescription {
  /// The blocks that compute something, without their names: equal for networks that compute the
  /// same, whichever of their layers are identities.
  var computed: [BlockDescription] {
    blocks.compactMap { block in
      if block.kind == .skip, block.keepsShape { return nil }
      var block = block
      block.name = ""
      return block
    }
  }
}
