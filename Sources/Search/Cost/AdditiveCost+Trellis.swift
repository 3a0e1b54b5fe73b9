extension AdditiveCost {
  /// The networks as ways through a graph with one state: no layer's price depends on another's
  /// choice.
  package var trellis: CostTrellis {
    CostTrellis(
      fixed: fixed,
      steps: layers.enumerated().map { choice, prices in
        prices.enumerated().map { option, price in
          CostTrellis.Edge(
            from: 0,
            to: 0,
            cost: price,
            options: [.init(choice: choice, option: option)],
            free: []
          )
        }
      },
      choices: layers.count
    )
  }

  /// Candidates of each layer.
  package var optionCounts: [Int] { layers.map(\.count) }
}
