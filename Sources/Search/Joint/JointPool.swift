import Foundation
import Runs
import Tensor

/// The points that a joint search picks from: Sobol's, those that keep every constraint (spec S43).
///
/// Points of a table are all of them. Where few points of the sequence keep the constraints, others
/// are led there: one choice after the other is changed where that takes them nearer.
struct JointPool: Sendable {
  /// Points that keep all constraints, none twice, in the order of the sequence.
  let points: [Architecture]
  /// What they cost, a number for each metric.
  let costs: [[Double]]
  /// Points that break a constraint; the predictor is pretrained on them too.
  let outside: [Architecture]
  /// What those cost.
  let outsideCosts: [[Double]]

  /// Points that are drawn for one that is wanted.
  private static let draws = 4
  /// Feasible points below which others are led to the constraints.
  private static let fewest = 512
  /// Changes that are tried to lead a point there.
  private static let changes = 400

  /// Draws up to `count` points.
  ///
  /// Errors: `.configuration` naming the constraint that nothing keeps, and the nearest value that
  /// something does.
  init(_ problem: JointProblem, count: Int, seed: UInt64) throws {
    let sequence = SobolSequence(dimensions: problem.axes.count, seed: seed)
    var draw = Draw(problem, random: Philox(seed: seed, purpose: .genetics), sequence: sequence)
    if let rows = problem.points {
      // The order of the sequence where the table has its points, then the others at random.
      draw.sobol(min(rows.count, count))
      let order = draw.random.permutation(rows.count)
      for index in order { draw.take(rows[Int(index)]) }
    } else {
      var left = Self.draws * count
      while left > 0, draw.points.count < count {
        draw.sobol(min(left, count))
        left -= min(left, count)
      }
      if draw.points.count < min(count, Self.fewest), !draw.outside.isEmpty {
        draw.lead(min(count, Self.fewest), changes: Self.changes)
      }
    }
    guard !draw.points.isEmpty else { throw draw.refusal() }
    points = draw.points
    costs = draw.costs
    outside = draw.outside
    outsideCosts = draw.outsideCosts
  }

  /// What predictors start from: an encoder that knows the costs of the pool's points and, up to
  /// the size that it was to have, of others.
  func start(
    _ problem: JointProblem,
    _ predictor: JointConfiguration.Predictor,
    _ settings: JointConfiguration.Search,
    _ seed: UInt64
  ) -> PredictorStart {
    PredictorStart(
      problem,
      settings: predictor,
      points: Array((points + outside).prefix(settings.pool)),
      costs: Array((costs + outsideCosts).prefix(settings.pool)),
      seed: seed
    )
  }
}

/// Points as they are drawn.
private struct Draw {
  let problem: JointProblem
  var random: Philox
  var sequence: SobolSequence
  var points: [Architecture] = []
  var costs: [[Double]] = []
  var outside: [Architecture] = []
  var outsideCosts: [[Double]] = []
  private var seen: Set<Architecture> = []

  init(_ problem: JointProblem, random: Philox, sequence: SobolSequence) {
    self.problem = problem
    self.random = random
    self.sequence = sequence
  }

  /// Takes the next `count` points of the sequence.
  mutating func sobol(_ count: Int) {
    let counts = problem.axes.map(\.count)
    for _ in 0..<count { take(sequence.next(counts: counts)) }
  }

  /// Keeps a point that is new, with those that keep the constraints or with the others.
  mutating func take(_ point: Architecture) {
    guard problem.contains(point), seen.insert(problem.canonical(point)).inserted else { return }
    let cost = problem.costs(point)
    if problem.isFeasible(costs: cost) {
      points.append(point)
      costs.append(cost)
    } else {
      outside.append(point)
      outsideCosts.append(cost)
    }
  }

  /// Leads those nearest to the constraints there, until there are `count` points.
  mutating func lead(_ count: Int, changes: Int) {
    let order = outside.indices.sorted {
      problem.excess(outsideCosts[$0]) < problem.excess(outsideCosts[$1])
    }
    // The outside grows by what fails; those places are not in `order`.
    for index in order.prefix(2 * count) where points.count < count {
      let (point, cost) = (outside[index], outsideCosts[index])
      let led = problem.led(point, cost, changes: changes, random: &random)
      if problem.isFeasible(costs: led.costs) { take(led.point) }
      // Nothing came near in the first ones: so nothing will.
      if points.isEmpty, index == order.prefix(32).last { return }
    }
  }

  /// Why there is no point: a constraint that nothing keeps, or several that nothing keeps at once.
  func refusal() -> UserError {
    // To the last digit, so that the figure can be given as the limit.
    func text(_ metric: Int, _ value: Double) -> String {
      let isWhole = value == value.rounded() && abs(value) < 1e15
      return "\(problem.metrics[metric]) " + (isWhole ? String(Int(value)) : String(value))
    }
    let known = Array(zip(outside, outsideCosts))
    for constraint in problem.constraints {
      let cheapest = problem.cheapest(constraint.metric, from: known)
      guard !CostLimit.within(constraint.most).contains(cheapest) else { continue }
      return UserError(
        .configuration,
        "the limit of \(text(constraint.metric, constraint.most))",
        "no candidate is so cheap",
        remedy: "the cheapest has \(text(constraint.metric, cheapest)): allow that or more"
      )
    }
    let nearest = problem.nearest(from: known)
    let limits = problem.constraints.map { text($0.metric, $0.most) }
    let costs = problem.constraints.map { text($0.metric, nearest[$0.metric]) }
    return UserError(
      .configuration,
      "the limits of \(limits.joined(separator: " and "))",
      "no candidate keeps them all at once",
      remedy: "the nearest has \(costs.joined(separator: " and ")): allow that or more"
    )
  }
}
