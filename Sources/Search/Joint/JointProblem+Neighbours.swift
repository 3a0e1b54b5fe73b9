import Tensor

/// Points next to others, and those nearest to the constraints.
extension JointProblem {
  /// The axes that there is a choice on.
  var openAxes: [Int] { axes.indices.filter { axes[$0].count > 1 } }

  /// By how much costs exceed the constraints, as shares of these; 0 for those that keep all.
  func excess(_ costs: [Double]) -> Double {
    constraints.reduce(0) { sum, constraint in
      let cost = costs[constraint.metric]
      guard !CostLimit.within(constraint.most).contains(cost) else { return sum }
      return sum + (cost - constraint.most) / max(abs(constraint.most), .leastNormalMagnitude)
    }
  }

  /// `point` with another option on `axis`: of sizes in half of the cases the next one, else any.
  func changed(_ point: Architecture, axis: Int, random: inout Philox) -> Architecture {
    let count = axes[axis].count
    let option = point.options[axis]
    var changed = point
    if axes[axis].isOrdered, random.below(2) == 0 {
      let isDown = option == count - 1 || option > 0 && random.below(2) == 0
      changed.options[axis] = isDown ? option - 1 : option + 1
    } else {
      let other = random.below(count - 1)
      changed.options[axis] = other < option ? other : other + 1
    }
    return changed
  }

  /// A point led towards the constraints by up to `changes` random changes, each kept where it
  /// takes no further from them.
  func led(
    _ point: Architecture,
    _ costs: [Double],
    changes: Int,
    random: inout Philox
  ) -> (point: Architecture, costs: [Double]) {
    let open = openAxes.filter { !axes[$0].isRecipe }
    var led = (point: point, costs: costs)
    var excess = excess(costs)
    guard !open.isEmpty else { return led }
    for _ in 0..<changes where excess > 0 {
      let next = changed(led.point, axis: open[random.below(open.count)], random: &random)
      guard contains(next) else { continue }
      let costs = self.costs(next)
      let nextExcess = self.excess(costs)
      guard nextExcess <= excess else { continue }
      led = (next, costs)
      excess = nextExcess
    }
    return led
  }

  /// The least cost in a metric that descending from the known points finds.
  func cheapest(_ metric: Int, from known: [(Architecture, [Double])]) -> Double {
    descended(from: known) { $0[metric] }[metric]
  }

  /// The costs nearest to all constraints that descending from the known points finds.
  func nearest(from known: [(Architecture, [Double])]) -> [Double] {
    descended(from: known, excess)
  }

  /// Points that a descent starts from.
  private static let starts = 4

  /// The costs with the least `measure`: from the best known points, one choice after the other
  /// takes its best option, until none is better.
  private func descended(
    from known: [(Architecture, [Double])],
    _ measure: ([Double]) -> Double
  ) -> [Double] {
    var starts = Array(
      known.sorted { measure($0.1) < measure($1.1) }.prefix(JointProblem.starts)
    )
    if points == nil {
      let first = Architecture(axes.map { _ in 0 })
      starts.append((first, costs(first)))
      let open = openAxes.filter { !axes[$0].isRecipe }
      for index in starts.indices {
        var improves = true
        while improves {
          improves = false
          for axis in open {
            for option in 0..<axes[axis].count where option != starts[index].0.options[axis] {
              var next = starts[index].0
              next.options[axis] = option
              let costs = costs(next)
              guard measure(costs) < measure(starts[index].1) else { continue }
              starts[index] = (next, costs)
              improves = true
            }
          }
        }
      }
    }
    return starts.min { measure($0.1) < measure($1.1) }?.1 ?? []
  }
}
