/// The networks of a space as the ways through a graph, from left to right, whose edges carry
/// costs: what a network costs is the sum along its way.
///
/// Between two steps a way is in a state, which holds all that later costs depend on: nothing where
/// every choice has prices of its own, and the width so far where a layer costs the product of its
/// shapes. So the costs of discrete networks are exact sums, whatever formula they follow, and one
/// search of ways repairs and samples in both.
package struct CostTrellis {
  /// A step from one state to another: the options that some choices take, and what they cost
  /// together.
  struct Edge {
    /// State before.
    let from: Int
    /// State behind.
    let to: Int
    /// What it adds.
    let cost: Double
    /// The options that it stands for.
    let options: [Option]
    /// Choices that are made here but cost nothing, whatever they are.
    let free: [Int]

    /// A choice and the option that it takes.
    struct Option {
      let choice: Int
      let option: Int
    }
  }

  /// What all networks share.
  let fixed: Double
  /// The edges of each step.
  let steps: [[Edge]]
  /// States before each step and behind the last.
  let states: [Int]
  /// How many choices there are.
  let choices: Int

  /// Joins steps; a way starts in state 0.
  init(fixed: Double, steps: [[Edge]], choices: Int) {
    self.fixed = fixed
    self.steps = steps
    self.choices = choices
    states = [1] + steps.map { ($0.map(\.to).max() ?? 0) + 1 }
  }

  /// Costs that may still come.
  struct Bounds {
    var least = Double.infinity
    var most = -Double.infinity

    /// Takes in a way on.
    mutating func include(_ cost: Double, _ rest: Bounds) {
      least = min(least, cost + rest.least)
      most = max(most, cost + rest.most)
    }
  }

  /// What the steps from each one on cost at least and at most, [step][state], along edges of
  /// `allowed`.
  func bounds(_ allowed: [[Edge]]) -> [[Bounds]] {
    var bounds = [[Bounds](repeating: Bounds(least: 0, most: 0), count: states[steps.count])]
    for step in allowed.indices.reversed() {
      var before = [Bounds](repeating: Bounds(), count: states[step])
      let behind = bounds[bounds.count - 1]
      for edge in allowed[step] { before[edge.from].include(edge.cost, behind[edge.to]) }
      bounds.append(before)
    }
    return bounds.reversed()
  }

  /// What the cheapest and the most expensive network cost.
  var range: ClosedRange<Double> {
    let all = bounds(steps)[0][0]
    return fixed + all.least...fixed + all.most
  }
}
