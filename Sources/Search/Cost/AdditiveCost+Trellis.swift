extension AdditiveCost {
  /// The networks as ways through a graph with one state: no layer's price depends on another's
  /// choice.
  var trellis: CostTrellis {
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

  /// See `CostTrellis.mostProbable`.
  package func mostProbable(
    _ logProbabilities: [[Double]],
    within: ClosedRange<Double>
  ) -> Architecture? { trellis.mostProbable(logProbabilities, within: within) }

  /// See `CostTrellis.samples`.
  package func samples(
    _ count: Int,
    of probabilities: [[Double]]?,
    within: ClosedRange<Double>,
    seed: UInt64,
    stream: UInt64,
    except seen: Set<Architecture>
  ) -> [Architecture] {
    trellis.samples(
      count,
      of: probabilities
        ?? layers.map { [Double](repeating: 1 / Double($0.count), count: $0.count) },
      within: within,
      seed: seed,
      stream: stream,
      except: seen
    )
  }
}
