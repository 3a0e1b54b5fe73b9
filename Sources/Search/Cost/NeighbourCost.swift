import Runs

/// The cost of a network as the sum of what each layer costs together with the one before it, as a
/// convolution costs the product of the widths on its two sides.
struct NeighbourCost: TrellisCostModel {
  /// Prices [layer][option of the layer before][option], none below 0; the first layer has one row.
  let layers: [[[Double]]]
  /// What all networks cost.
  let fixed: Double
  /// What the prices count.
  let metric: Configuration.SearchSettings.Cost = .flops
  /// What the cheapest and the most expensive network cost.
  let range: ClosedRange<Double>
  /// The networks by their exact costs.
  let trellis: CostTrellis
  /// Options of each layer.
  var optionCounts: [Int] { layers.map { $0[0].count } }

  /// Takes prices; the least of each layer moves to the fixed part.
  init(layers: [[[Double]]], fixed: Double) {
    let least = layers.map { $0.joined().min() ?? 0 }
    self.layers = zip(layers, least).map { layer, least in layer.map { $0.map { $0 - least } } }
    self.fixed = fixed + least.reduce(0, +)
    trellis = CostTrellis(
      fixed: self.fixed,
      steps: self.layers.enumerated().map { choice, rows in
        rows.enumerated().flatMap { before, prices in
          prices.enumerated().map { option, price in
            CostTrellis.Edge(
              from: before,
              to: option,
              cost: price,
              options: [.init(choice: choice, option: option)],
              free: []
            )
          }
        }
      },
      choices: layers.count
    )
    range = trellis.range
  }

  func cost(_ architecture: Architecture) -> Double {
    zip(layers, zip([0] + architecture, architecture)).reduce(fixed) { $0 + $1.0[$1.1.0][$1.1.1] }
  }

  /// Exact: the choices are independent.
  func expected(_ probabilities: [[Double]]) -> Double {
    zip(layers, zip([[1]] + probabilities, probabilities)).reduce(fixed) { total, layer in
      let (prices, (before, now)) = layer
      return zip(prices, before).reduce(total) { $0 + $1.1 * Self.sum($1.0, now) }
    }
  }

  /// What an option costs with the layer before and with the one behind.
  func gradient(_ probabilities: [[Double]]) -> [[Double]] {
    layers.indices.map { layer in
      let before = layer == 0 ? [1] : probabilities[layer - 1]
      return probabilities[layer].indices.map { option in
        let first = zip(layers[layer], before).reduce(0) { $0 + $1.0[option] * $1.1 }
        guard layer + 1 < layers.count else { return first }
        return first + Self.sum(layers[layer + 1][option], probabilities[layer + 1])
      }
    }
  }

  private static func sum(_ prices: [Double], _ weights: [Double]) -> Double {
    zip(prices, weights).reduce(0) { $0 + $1.0 * $1.1 }
  }
}
