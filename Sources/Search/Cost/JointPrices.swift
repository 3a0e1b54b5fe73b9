import Runs

/// What one part of a network costs for every combination of the options of a few choices.
package struct JointPrices: Sendable {
  /// The choices that it depends on, none twice.
  let choices: [Int]
  /// Options of each of them.
  let counts: [Int]
  /// A price for each combination, the options of the last choice fastest.
  let prices: [Double]

  /// Takes prices of the options of `axes`; one that is no choice has one option.
  init(_ axes: [(choice: Int?, count: Int)], prices: [Double]) {
    let searched = axes.filter { $0.choice != nil }
    choices = searched.compactMap(\.choice)
    counts = searched.map(\.count)
    self.prices = prices
    precondition(prices.count == axes.reduce(1) { $0 * $1.count }, "a price a combination")
  }

  /// The price in a network.
  func price(_ architecture: Architecture) -> Double {
    prices[zip(choices, counts).reduce(0) { $0 * $1.1 + architecture[$1.0] }]
  }

  /// The mean price under independent choices; `probabilities` is [choice][option].
  func expected(_ probabilities: [[Double]]) -> Double { means(probabilities)[0][0] }

  /// Adds ∂ `expected` / ∂ `probabilities` to `gradient`, [choice][option].
  func addGradient(_ probabilities: [[Double]], to gradient: inout [[Double]]) {
    let means = means(probabilities)
    // The weight of each start of a combination: the product of its options' probabilities.
    var weights = [1.0]
    for (place, choice) in choices.enumerated() {
      let count = counts[place]
      let longer = means[place + 1]
      for (start, weight) in weights.enumerated() where weight != 0 {
        for option in 0..<count {
          gradient[choice][option] += weight * longer[start * count + option]
        }
      }
      weights = weights.flatMap { weight in probabilities[choice].map { weight * $0 } }
    }
  }

  /// The mean price of each start of a combination, [options of the start][start]: of the empty
  /// one first, of whole combinations last.
  private func means(_ probabilities: [[Double]]) -> [[Double]] {
    var means = [prices]
    for (choice, count) in zip(choices, counts).reversed() {
      let longer = means[means.count - 1]
      means.append(
        (0..<longer.count / count).map { start in
          (0..<count).reduce(0) { $0 + probabilities[choice][$1] * longer[start * count + $1] }
        }
      )
    }
    return means.reversed()
  }
}

/// The cost of a network as the sum of its parts, where the price of a part depends on several
/// choices together; so the expected cost of independent choices is the exact mean.
package protocol JointCostModel: TrellisCostModel {
  /// What all networks cost.
  var fixed: Double { get }
  /// The parts.
  var parts: [JointPrices] { get }
}

extension JointCostModel {
  /// The sum over the parts.
  package func cost(_ architecture: Architecture) -> Double {
    parts.reduce(fixed) { $0 + $1.price(architecture) }
  }

  /// Exact: the choices are independent.
  package func expected(_ probabilities: [[Double]]) -> Double {
    parts.reduce(fixed) { $0 + $1.expected(probabilities) }
  }

  /// Exact, part by part.
  package func gradient(_ probabilities: [[Double]]) -> [[Double]] {
    var gradient = probabilities.map { [Double](repeating: 0, count: $0.count) }
    for part in parts { part.addGradient(probabilities, to: &gradient) }
    return gradient
  }
}
