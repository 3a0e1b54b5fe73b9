import Runs

/// How points are given to the predictor: numbers for the architecture, and numbers for the recipe.
struct PointEncoding: Sendable {
  private enum Column {
    /// A 1 in the place of the option, among `count` places.
    case oneHot(axis: Int, count: Int)
    /// The option's place from 0 to 1.
    case scaled(axis: Int, count: Int)
    /// The place from −1 to 1, or its square, of a size where another axis takes one of its
    /// options; anywhere where there is no other axis.
    case curve(axis: Int, count: Int, squared: Bool, other: Int?, option: Int)
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
    recipe = columns(true) + PointEncoding.curves(axes)
    architectureWidth = max(1, PointEncoding.width(architecture))
    recipeWidth = PointEncoding.width(recipe)
  }

  /// The sizes of a recipe and their squares under each option of its other axes.
  ///
  /// What is best of a learning rate lies in the middle and depends on the optimiser: from a few
  /// dozen trainings a network learns that only where it is given the products.
  private static func curves(_ axes: [JointProblem.Axis]) -> [Column] {
    let recipe = axes.indices.filter { axes[$0].isRecipe && axes[$0].count > 1 }
    let others = recipe.filter { !axes[$0].isOrdered }
    return recipe.filter { axes[$0].isOrdered }.flatMap { size in
      [false, true].filter { !$0 || axes[size].count > 2 }.flatMap { squared -> [Column] in
        func column(_ other: Int?, _ option: Int) -> Column {
          .curve(
            axis: size,
            count: axes[size].count,
            squared: squared,
            other: other,
            option: option
          )
        }
        guard !others.isEmpty else { return [column(nil, 0)] }
        return others.flatMap { other in (0..<axes[other].count).map { column(other, $0) } }
      }
    }
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
          case .curve(let axis, let count, let squared, let other, let option):
            let value = 2 * Float(point.options[axis]) / Float(count - 1) - 1
            let applies = other.map { point.options[$0] == option } ?? true
            values[place] = applies ? squared ? value * value : value : 0
            place += 1
          }
        }
      }
      filled = values.count
    }
  }
}
