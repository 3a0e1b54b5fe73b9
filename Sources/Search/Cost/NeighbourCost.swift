import Runs

/// The cost of a network as the sum of what each layer costs together with the one before it, as a
/// convolution costs the product of the widths on its two sides.
struct NeighbourCost: JointCostModel {
  /// What each layer costs with the one before.
  let parts: [JointPrices]
  /// What all networks cost.
  let fixed: Double
  /// What the prices count.
  let metric: Configuration.SearchSettings.Cost = .flops
  /// What the cheapest and the most expensive network cost.
  let range: ClosedRange<Double>
  /// The networks by their exact costs.
  let trellis: CostTrellis
  /// Options of each layer.
  let optionCounts: [Int]

  /// Takes prices [layer][option of the layer before][option]; the first layer has one row.
  ///
  /// The least of each layer moves to the fixed part, so that none is below 0.
  init(layers: [[[Double]]], fixed: Double) {
    let least = layers.map { $0.joined().min() ?? 0 }
    let layers = zip(layers, least).map { layer, least in layer.map { $0.map { $0 - least } } }
    self.fixed = fixed + least.reduce(0, +)
    optionCounts = layers.map { $0[0].count }
    parts = layers.enumerated().map { choice, rows in
      JointPrices(
        [(choice > 0 ? choice - 1 : nil, rows.count), (choice, rows[0].count)],
        prices: Array(rows.joined())
      )
    }
    trellis = CostTrellis(
      fixed: self.fixed,
      steps: layers.enumerated().map { choice, rows in
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
}
