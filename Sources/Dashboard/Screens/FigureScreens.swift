import Runs

/// A curve of a panel: its newest value, its range, and so many points as give its shape.
struct CurveScreen: Encodable, Sendable {
  let name: String
  let last: Double?
  let low: Double?
  let high: Double?
  /// Values that are no number.
  let lost: Int
  /// x of the points.
  let epochs: [Double]
  let values: [Double]

  /// Points of a curve at most.
  private static let points = 32

  init(_ name: String, _ series: Series) {
    self.name = name
    last = series.last.flatMap { $0.isFinite ? $0 : nil }
    low = series.range?.lowerBound
    high = series.range?.upperBound
    lost = series.lost
    let buckets = thinned(series.buckets, to: Self.points)
    epochs = buckets.map(\.end)
    values = buckets.map(\.mean)
  }

  /// The curves of the panels of loss and accuracy, and of the learning rate.
  static func learning(_ model: Model) -> [CurveScreen] {
    let curves = model.curves
    let named: [(String, Series)] = [
      ("train loss", curves.trainLoss), ("validation loss", curves.validationLoss),
      ("train accuracy", curves.trainAccuracy),
      ("validation accuracy", curves.validationAccuracy),
      model.kind.hasChoices
        ? ("argmax accuracy", curves.argmaxAccuracy) : ("top-5 accuracy", curves.topFive),
      ("learning rate", curves.learningRate),
    ]
    return named.map { CurveScreen($0, $1) }
  }
}

/// Cost, budget and temperature.
struct CostScreen: Encodable, Sendable {
  let metric: CostMetric
  /// What the probabilities expect.
  let expected: Double?
  let budget: Double?
  /// Expected cost over the budget.
  let shareOfBudget: Double?
  /// The learned weight of the cost.
  let multiplier: Double?
  let temperature: Double?
  let temperatureHeld: Bool
  let curves: [CurveScreen]

  init(_ model: Model) {
    metric = model.costMetric
    expected = model.cost
    let limit = model.summary?.budget ?? 0
    budget = limit > 0 ? limit : nil
    shareOfBudget = limit > 0 ? model.cost.map { $0 / limit } : nil
    multiplier = model.lastStep?.multiplier
    let now = model.status?.temperature ?? 0
    temperature = now > 0 ? now : nil
    temperatureHeld = model.status?.temperatureHeld ?? false
    curves = [
      CurveScreen("cost of steps", model.curves.cost),
      CurveScreen("expected cost", model.curves.expectedCost),
      CurveScreen("temperature", model.curves.temperature),
    ]
  }
}

/// The leading network, the chosen one and those that were derived.
struct NetworksScreen: Encodable, Sendable {
  /// The most probable option of each choice.
  let leading: [String]
  /// How decided the choices are, in words; nil in a random search.
  let verdict: String?
  /// The blocks of the network that a finished search chose.
  let chosen: [String]?
  let derived: [DerivedRecord]
  /// How far each ranking of the fixed networks agrees with the one before.
  let rankAgreement: [RankAgreement]

  /// Kendall's tau of a ranking and the one before.
  struct RankAgreement: Encodable, Sendable {
    /// Epochs done.
    let epoch: Double
    /// Over all pairs.
    let overall: Double
    /// Over pairs of about equal cost.
    let withinBands: Double
  }

  init(_ model: Model) {
    leading = model.leadingOptions
    verdict = model.found?.verdict ?? model.verdict?.text
    chosen = model.chosenOptions
    derived = model.derived
    rankAgreement = model.agreements.map {
      RankAgreement(
        epoch: $0.epoch,
        overall: $0.agreement.overall,
        withinBands: $0.agreement.withinBands
      )
    }
  }
}

/// Candidates of a joint search.
struct CandidatesScreen: Encodable, Sendable {
  /// Number of the best.
  let best: Int?
  /// Best accuracy after each training.
  let bestSoFar: [Double]
  /// Mean accuracy of the first round, which is sampled without regard to any result.
  let blindAccuracy: Double?
  let choices: [Choice]
  /// In the order of the list; of one that was chosen, it alone.
  let candidates: [TrialRecord]
  let progress: JointProgress?

  init(_ model: Model) {
    best = model.bestCandidate?.number
    bestSoFar = model.bestSoFar
    blindAccuracy = model.blindAccuracy
    choices = model.choices
    candidates =
      model.hasChosen
      ? model.candidate.map { [$0] } ?? [] : model.candidates.map { model.trials[$0] }
    progress = model.joint
  }
}
