import Runs

/// How points are given to the predictor: numbers for the architecture, and numbers for the recipe.
struct PointEncoding: Sendable {
  private enum Column {
    /// A 1 in the place of the option, among `count` places.
    case oneHot(axis: Int, count: Int)
    /// The option's place from 0 to 1.
    case scaled(axis: Int, count: Int)
  }

  private let architecture: [Column]
  private let recipe: [Column]
  /// Numbers of an architecture; one that is always 0 where nothing of it is searched.
  let architectureWidth: Int
  /// Numbers of a recipe; may be none.
  let recipeWidth: Int

  /// Axes with one option say nothing and are left out.
  init(_ axes: [JointProblem.Axis], _ encoding: JointConfiguration.Predictor.Encoding) {
    func columns(_ ofRecipe: Bool) -> [Column] {
      axes.enumerated().filter { $0.element.isRecipe == ofRecipe && $0.element.count > 1 }
        .map { index, axis in
          encoding == .integer && axis.isOrdered
            ? .scaled(axis: index, count: axis.count) : .oneHot(axis: index, count: axis.count)
        }
    }
    architecture = columns(false)
    recipe = columns(true)
    architectureWidth = max(1, PointEncoding.width(architecture))
    recipeWidth = PointEncoding.width(recipe)
  }

  private static func width(_ columns: [Column]) -> Int {
    columns.reduce(0) { width, column in
      if case .oneHot(_, let count) = column { width + count } else { width + 1 }
    }
  }

  /// The architectures of `points` [points, `architectureWidth`].
  func architectures(_ points: [Architecture]) -> [Float] {
    encoded(points, architecture, width: architectureWidth)
  }

  /// The recipes of `points` [points, `recipeWidth`].
  func recipes(_ points: [Architecture]) -> [Float] {
    encoded(points, recipe, width: recipeWidth)
  }

  private func encoded(_ points: [Architecture], _ columns: [Column], width: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: points.count * width) { values, filled in
      values.initialize(repeating: 0)
      for (row, point) in points.enumerated() {
        var place = row * width
        for column in columns {
          switch column {
          case .oneHot(let axis, let count):
            values[place + point.options[axis]] = 1
            place += count
          case .scaled(let axis, let count):
            values[place] = Float(point.options[axis]) / Float(count - 1)
            place += 1
          }
        }
      }
      filled = values.count
    }
  }
}
