import Foundation
import Tensor

@testable import Search

/// A made-up space of architectures and recipes: what is worth and what costs are known.
struct JointFixture {
  let axes: [JointProblem.Axis]
  private let weight: Double
  private let worth: [[Double]]
  private let prices: [[Double]]
  private let sizes: [[Double]]

  /// Choices with so many options; those of architectures are sizes, the first of recipes is not.
  ///
  /// `weight` is that of the logarithm of the cost in a point's value.
  init(architecture: [Int], recipe: [Int], weight: Double = 3, seed: UInt64 = 1) {
    self.weight = weight
    axes =
      architecture.map { .init(count: $0, isOrdered: true) }
      + recipe.enumerated().map {
        .init(count: $0.element, isOrdered: $0.offset > 0, isRecipe: true)
      }
    var random = Philox(seed: seed, purpose: .test)
    worth = axes.map { axis in (0..<axis.count).map { _ in Double(random.normal()) } }
    prices = axes.map { axis in
      let step = axis.isRecipe ? 0 : 1 + 4 * Double(random.uniform())
      return (0..<axis.count).map { step * Double($0 + 1) }
    }
    // Against the prices: what computes less is larger.
    sizes = axes.map { axis in
      let step = axis.isRecipe ? 0 : 1 + 4 * Double(random.uniform())
      return (0..<axis.count).map { step * Double(axis.count - $0) }
    }
  }

  /// 33 choices of architectures with 10¹⁷ in all, and seven of recipes.
  static let large = JointFixture(
    architecture: (0..<33).map { [2, 3, 5, 4][$0 % 4] },
    recipe: [2, 6, 6, 5, 6, 6, 2]
  )

  /// Architecture and recipe add up, logarithms of costs count as well.
  func value(_ point: Architecture) -> Double {
    zip(worth, point.options).reduce(weight * log(flops(point))) { $0 + $1.0[$1.1] }
  }

  func flops(_ point: Architecture) -> Double {
    zip(prices, point.options).reduce(10) { $0 + $1.0[$1.1] }
  }

  func params(_ point: Architecture) -> Double {
    zip(sizes, point.options).reduce(10) { $0 + $1.0[$1.1] }
  }

  /// Costs from the cheapest to the dearest.
  var flopsRange: ClosedRange<Double> {
    flops(Architecture(axes.map { _ in 0 }))...flops(Architecture(axes.map { $0.count - 1 }))
  }

  var paramsRange: ClosedRange<Double> {
    params(Architecture(axes.map { $0.count - 1 }))...params(Architecture(axes.map { _ in 0 }))
  }

  /// The problem with limits; `folds` makes the last two options of the first axis one candidate.
  func problem(
    flops: Double? = nil,
    params: Double? = nil,
    folds: Bool = false
  ) -> JointProblem {
    let last = axes[0].count - 1
    return JointProblem(
      axes: axes,
      metrics: ["flops", "params"],
      constraints: [(0, flops), (1, params)].compactMap { metric, most in
        most.map { JointProblem.Constraint(metric: metric, most: $0) }
      },
      costs: { [self.flops($0), self.params($0)] },
      canonical: { point in
        guard folds, point[0] == last else { return point }
        var first = point
        first[0] = last - 1
        return first
      }
    )
  }

  /// Points at random with their values.
  func history(_ count: Int, seed: UInt64 = 3) -> [JointSearch.Evaluated] {
    var random = Philox(seed: seed, purpose: .test)
    return (0..<count).map { _ in
      let point = Architecture(axes.map { random.below($0.count) })
      return JointSearch.Evaluated(point: point, value: value(point))
    }
  }
}
