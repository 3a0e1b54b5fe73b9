import Runs
import Tensor

/// Picks the candidates of a search of architecture and recipe (spec S40, S43, S45): a pool of
/// Sobol's points that keep the constraints, a predictor fitted to what was trained, and genetic
/// search by what it predicts.
///
/// Every answer is a pure function of settings, seed and arguments: a resumed run picks the same.
package struct JointSearch: Sendable {
  /// A point that was trained.
  package struct Evaluated: Sendable, Equatable {
    /// The candidate.
    package var point: Architecture
    /// What it reached; more is better.
    package var value: Double

    package init(point: Architecture, value: Double) {
      self.point = point
      self.value = value
    }
  }

  /// A point to train.
  package struct Pick: Sendable, Equatable {
    /// The candidate.
    package var point: Architecture
    /// What it is expected to reach; nil where nothing was known.
    package var predicted: Double?
    /// Standard deviation of the mistake of `predicted`.
    package var spread: Double?
  }

  /// A generation of the genetic search.
  package struct Generation: Sendable, Equatable {
    /// From 1.
    package var number: Int
    /// The best prediction so far.
    package var best: Double
    /// Mean prediction of the best that the next generation descends from.
    package var mean: Double
    /// Children that it had: new, and within all constraints.
    package var children: Int
  }

  let problem: JointProblem
  private let settings: JointConfiguration.Search
  private let predictorSettings: JointConfiguration.Predictor
  private let fineSettings: JointConfiguration.Fine
  let seed: UInt64
  private let pool: JointPool
  /// Nil for random search.
  private let start: PredictorStart?

  /// Generations of the genetic search that a round adds to its pool (ours).
  private static let roundGenerations = 12

  /// Draws the pool and pretrains the encoder: seconds, not repeated by the rounds.
  ///
  /// Errors: `.configuration` where no point keeps all constraints, naming the constraint and the
  /// nearest value that can be kept.
  package init(_ problem: JointProblem, settings: JointConfiguration, seed: UInt64) throws {
    try self.init(
      problem,
      settings.search,
      predictor: settings.predictor,
      fine: settings.fine,
      seed: seed
    )
  }

  /// The same from the settings that it needs; those of a table's search are the defaults.
  package init(
    _ problem: JointProblem,
    _ settings: JointConfiguration.Search = .init(),
    predictor: JointConfiguration.Predictor,
    fine: JointConfiguration.Fine = .init(),
    seed: UInt64
  ) throws {
    self.problem = problem
    self.settings = settings
    self.seed = seed
    predictorSettings = predictor
    fineSettings = fine
    pool = try JointPool(problem, count: settings.pool, seed: seed)
    start = settings.algorithm == .random ? nil : pool.start(problem, predictor, settings, seed)
  }

  /// The candidates of a round.
  ///
  /// - Parameters:
  ///   - count: how many; fewer where there are no more.
  ///   - round: 0 for the first, whose candidates are spread over the space.
  ///   - history: all that was trained; none of it is picked again, nor a canonical twin.
  /// - Returns: different candidates, the most promising first.
  /// - Throws: nothing yet.
  package func candidates(_ count: Int, round: Int, history: [Evaluated]) throws -> [Pick] {
    let known = Set(history.map { problem.canonical($0.point) })
    guard let start, round > 0, !history.isEmpty else {
      return spread(count, round: round, without: known)
    }
    var fine = fineSettings
    fine.generations = min(fine.generations, JointSearch.roundGenerations)
    let scored = try searched(start, history: history, known: known, fine) { _ in }
    // Some are spread over the space, so that the predictor knows the whole of it.
    let strangers = Int((settings.explore * Double(count)).rounded())
    let best = picked(count - strangers, of: scored)
    let taken = known.union(best.map { problem.canonical($0.point) })
    let predictions = Dictionary(scored.map { ($0.point, $0) }) { first, _ in first }
    let others = spread(strangers, round: round, without: taken)
    return best + others.map { other in predictions[other.point].map(pick) ?? other }
  }

  /// The fine stage (spec S45): the best candidates that a genetic search finds by what is
  /// predicted, starting from the best that were trained and the best of the pool.
  ///
  /// - Parameters:
  ///   - count: how many; fewer where there are no more.
  ///   - history: all that was trained.
  ///   - progress: takes each generation as it ends.
  /// - Returns: different candidates, none of the history, the best first; none of random search.
  /// - Throws: what `progress` does.
  package func fine(
    _ count: Int,
    history: [Evaluated],
    progress: (Generation) throws -> Void
  ) throws -> [Pick] {
    guard let start, !history.isEmpty else { return [] }
    let known = Set(history.map { problem.canonical($0.point) })
    let scored = try searched(
      start,
      history: history,
      known: known,
      fineSettings,
      progress: progress
    )
    return scored.prefix(count).map(pick)
  }

  /// The predictor, fitted to a history.
  package func predictor(history: [Evaluated]) throws -> Predictor {
    fitted(start ?? pool.start(problem, predictorSettings, settings, seed), history)
  }

  // MARK: Parts

  private func fitted(_ start: PredictorStart, _ history: [Evaluated]) -> Predictor {
    Predictor(start, history: history, costs: history.map { problem.costs($0.point) })
  }

  /// Points that nothing is known of: those of the sequence in order, or random ones.
  private func spread(
    _ count: Int,
    round: Int,
    without known: Set<Architecture>
  ) -> [Pick] {
    var order = Array(pool.points.indices)
    if settings.algorithm == .random {
      var random = Philox(seed: seed, purpose: .sampling, step: 4, index: UInt32(round))
      order = random.permutation(order.count).map(Int.init)
    }
    var picks: [Pick] = []
    for index in order where picks.count < count {
      guard !known.contains(problem.canonical(pool.points[index])) else { continue }
      picks.append(Pick(point: pool.points[index], predicted: nil, spread: nil))
    }
    return picks
  }

  /// All points that were scored, the best first: the pool's, and those of a genetic search that
  /// starts from them and from the history.
  private func searched(
    _ start: PredictorStart,
    history: [Evaluated],
    known: Set<Architecture>,
    _ fine: JointConfiguration.Fine,
    progress: (Generation) throws -> Void
  ) throws -> [GeneticSearch.Scored] {
    let predictor = fitted(start, history)
    func scored(_ points: [Architecture], _ costs: [[Double]]) -> [GeneticSearch.Scored] {
      zip(zip(points, costs), predictor.predict(points, costs: costs)).map {
        GeneticSearch.Scored(point: $0.0, costs: $0.1, prediction: $1)
      }
    }
    let new = pool.points.indices.filter { !known.contains(problem.canonical(pool.points[$0])) }
    let all = scored(new.map { pool.points[$0] }, new.map { pool.costs[$0] })
      .sorted { $0.prediction.value > $1.prediction.value }
    // The pool of a table is everything: there is nothing to breed.
    guard problem.points == nil else { return all }
    let trained = history.map(\.point).filter { problem.isFeasible(costs: problem.costs($0)) }
    var random = Philox(seed: seed, purpose: .genetics, step: 2, index: UInt32(history.count))
    let strangers = (0..<min(fine.strangers, all.count)).map { _ in random.below(all.count) }
    let chosen = Set(strangers).subtracting(0..<min(fine.parents, all.count)).sorted()
    var genetic = GeneticSearch(
      problem,
      settings: fine,
      known: known,
      seed: seed &+ UInt64(history.count)
    ) { predictor.predict($0, costs: $1) }
    try genetic.run(
      from: Array(all.prefix(fine.parents)) + chosen.map { all[$0] },
      ancestors: scored(trained, trained.map(problem.costs)),
      progress: progress
    )
    let found = Set(genetic.scored.map { problem.canonical($0.point) })
    return (genetic.scored + all.filter { !found.contains(problem.canonical($0.point)) })
      .sorted { $0.prediction.value > $1.prediction.value }
  }

  /// Candidates that a round picks from: the best so many.
  private static let shortlist = 2000
  /// Share of the choices in which a pick must differ from all others of its round to be as welcome
  /// as the first one.
  private static let apart = 0.5

  /// The best of `scored`, but not all next to one another: each is worth what is predicted, less
  /// the spread of that where it is the same as one that is picked already, and accordingly less
  /// of it the more choices differ.
  ///
  /// The candidates of a round are trained side by side, so none of them tells anything of another;
  /// alike they would all rest on the same mistake of the predictor.
  private func picked(_ count: Int, of scored: [GeneticSearch.Scored]) -> [Pick] {
    let list = Array(scored.prefix(max(count, JointSearch.shortlist)))
    let far = max(1, JointSearch.apart * Double(problem.axes.count { $0.count > 1 }))
    var distances = [Double](repeating: far, count: list.count)
    var isPicked = [Bool](repeating: false, count: list.count)
    var picks: [Pick] = []
    while picks.count < min(count, list.count) {
      var best: (place: Int, worth: Double)?
      // Neighbours that differ in one choice alone come last.
      let open = list.indices.filter { !isPicked[$0] }
      let apart = open.filter { distances[$0] >= 2 || picks.isEmpty }
      for place in apart.isEmpty ? open : apart {
        let prediction = list[place].prediction
        let worth = prediction.value - prediction.spread * (1 - distances[place] / far)
        if worth > best?.worth ?? -.infinity { best = (place, worth) }
      }
      guard let place = best?.place else { break }
      isPicked[place] = true
      picks.append(pick(list[place]))
      for other in list.indices where !isPicked[other] {
        let differences = zip(list[place].point.options, list[other].point.options)
          .count { $0 != $1 }
        distances[other] = min(distances[other], Double(differences))
      }
    }
    return picks
  }

  private func pick(_ scored: GeneticSearch.Scored) -> Pick {
    Pick(
      point: scored.point,
      predicted: scored.prediction.value,
      spread: scored.prediction.spread
    )
  }
}
