import Runs
import Tensor

/// Genetic search for the points with the best predictions (spec S45).
///
/// Adaptive (ours: the paper does not say how): while a generation improves the best, the next has
/// a child more for each parent, up to twice as many as at first, and a mutation changes one
/// choice. After a generation without a gain there is one less, down to half, and a mutation may
/// change one choice more, up to a quarter of them: it looks nearby where that helps, else further
/// away.
struct GeneticSearch {
  /// A point with what is predicted for it.
  struct Scored {
    var point: Architecture
    var costs: [Double]
    var prediction: Predictor.Prediction
  }

  private let problem: JointProblem
  private let settings: JointConfiguration.Fine
  private let score: ([Architecture], [[Double]]) -> [Predictor.Prediction]
  private var random: Philox
  private let axes: [Int]
  /// The best that were scored, in order; canonical twins once.
  private(set) var scored: [Scored] = []
  private var seen: Set<Architecture>

  /// Draws for a child that keeps the constraints and is new.
  private static let attempts = 50

  /// A search that never gives a point of `known`, or a canonical twin.
  init(
    _ problem: JointProblem,
    settings: JointConfiguration.Fine,
    known: Set<Architecture>,
    seed: UInt64,
    score: @escaping ([Architecture], [[Double]]) -> [Predictor.Prediction]
  ) {
    self.problem = problem
    self.settings = settings
    self.score = score
    seen = known
    axes = problem.openAxes
    random = Philox(seed: seed, purpose: .genetics, step: 1)
  }

  /// Goes on from `first` (and from `ancestors`, which were trained: they have children but are no
  /// answers) until `patience` generations in a row had no gain.
  mutating func run(
    from first: [Scored],
    ancestors: [Scored],
    progress: (JointSearch.Generation) throws -> Void
  ) rethrows {
    for scored in first { seen.insert(problem.canonical(scored.point)) }
    scored = first
    rank()
    var best = scored.first?.prediction.value ?? -.infinity
    var children = settings.children
    var changes = 1
    var idle = 0
    for number in 1...settings.generations where idle < settings.patience {
      let parents = Array(
        (scored.prefix(settings.parents) + ancestors)
          .sorted { $0.prediction.value > $1.prediction.value }
          .prefix(settings.parents)
      )
      let born = self.children(of: parents, each: children, changes: changes)
      guard !born.isEmpty else { return }
      scored += born
      rank()
      let top = scored.first?.prediction.value ?? best
      let gains = top - best > settings.gain
      best = max(best, top)
      idle = gains ? 0 : idle + 1
      children =
        gains
        ? min(children + 1, 2 * settings.children)
        : max(children - 1, (settings.children + 1) / 2)
      changes = gains ? 1 : min(changes + 1, max(1, axes.count / 4))
      try progress(
        JointSearch.Generation(
          number: number,
          best: best,
          mean: scored.prefix(settings.parents).reduce(0) { $0 + $1.prediction.value }
            / Double(min(settings.parents, scored.count)),
          children: born.count
        )
      )
    }
  }

  /// Those kept, so that ranking a generation costs no more than the one before.
  private static let most = 512

  private mutating func rank() {
    scored.sort { $0.prediction.value > $1.prediction.value }
    scored.removeLast(max(0, scored.count - Self.most))
  }

  private mutating func children(of parents: [Scored], each: Int, changes: Int) -> [Scored] {
    var points: [Architecture] = []
    var costs: [[Double]] = []
    for parent in parents {
      for _ in 0..<each {
        for _ in 0..<Self.attempts {
          let child = child(of: parent.point, among: parents, changes: changes)
          guard problem.contains(child), !seen.contains(problem.canonical(child)) else { continue }
          let cost = problem.costs(child)
          guard problem.isFeasible(costs: cost) else { continue }
          seen.insert(problem.canonical(child))
          points.append(child)
          costs.append(cost)
          break
        }
      }
    }
    return zip(zip(points, costs), score(points, costs)).map {
      Scored(point: $0.0, costs: $0.1, prediction: $1)
    }
  }

  /// Each choice from one of two parents, or the parent with up to `changes` choices changed.
  private mutating func child(
    of parent: Architecture,
    among parents: [Scored],
    changes: Int
  ) -> Architecture {
    guard !axes.isEmpty else { return parent }
    var child = parent
    if parents.count > 1, Double(random.uniform()) < settings.crossover {
      let other = parents[random.below(parents.count)].point
      for axis in axes where random.below(2) == 0 { child.options[axis] = other.options[axis] }
      // Parents that are alike have no child of their own.
      if child != parent { return child }
    }
    for _ in 0...random.below(changes) {
      child = problem.changed(child, axis: axes[random.below(axes.count)], random: &random)
    }
    return child
  }
}
