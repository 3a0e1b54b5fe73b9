import Runs

/// What a joint search chooses from and must keep to: all that its algorithms know of it (spec
/// S40).
///
/// A *point* is an `Architecture` over all axes, those of the recipe among them. More is better.
package struct JointProblem: Sendable {
  /// One choice of the space.
  package struct Axis: Sendable, Equatable {
    /// Number of options.
    package var count: Int
    /// Whether the options are sizes of one thing, from small to large.
    package var isOrdered: Bool
    /// Whether it belongs to the recipe; costs depend on the others alone.
    package var isRecipe: Bool

    package init(count: Int, isOrdered: Bool = false, isRecipe: Bool = false) {
      self.count = count
      self.isOrdered = isOrdered
      self.isRecipe = isRecipe
    }
  }

  /// A limit in one metric.
  package struct Constraint: Sendable, Equatable {
    /// Index of the metric.
    package var metric: Int
    /// The most that a point may cost.
    package var most: Double

    package init(metric: Int, most: Double) {
      self.metric = metric
      self.most = most
    }
  }

  /// The choices.
  package var axes: [Axis]
  /// Names of the costs: `flops`, `params`.
  package var metrics: [String]
  /// What every point must keep, all at once.
  package var constraints: [Constraint]
  /// What a point costs, a number for each metric.
  package let costs: @Sendable (Architecture) -> [Double]
  /// The first of the points that stand for the same candidate: two that give the same are one.
  package let canonical: @Sendable (Architecture) -> Architecture
  /// All the points there are, the rows of a table; nil where every choice of options is one.
  package let points: [Architecture]?
  private let known: Set<Architecture>

  package init(
    axes: [Axis],
    metrics: [String],
    constraints: [Constraint] = [],
    costs: @escaping @Sendable (Architecture) -> [Double],
    canonical: @escaping @Sendable (Architecture) -> Architecture = { $0 },
    points: [Architecture]? = nil
  ) {
    self.axes = axes
    self.metrics = metrics
    self.constraints = constraints
    self.costs = costs
    self.canonical = canonical
    self.points = points
    known = Set(points ?? [])
  }

  /// Whether there is such a point.
  func contains(_ point: Architecture) -> Bool { points == nil || known.contains(point) }

  /// Whether costs keep all constraints; a cost that is exactly the limit does.
  package func isFeasible(costs: [Double]) -> Bool {
    constraints.allSatisfy { CostLimit.within($0.most).contains(costs[$0.metric]) }
  }

  /// Whether a point keeps all constraints.
  package func isFeasible(_ point: Architecture) -> Bool { isFeasible(costs: costs(point)) }
}
