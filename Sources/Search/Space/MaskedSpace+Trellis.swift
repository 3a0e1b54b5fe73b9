import Networks
import Runs
import Tensor

extension MaskedSpace {
  /// What the parts of a network cost.
  struct PartPrices {
    /// The stem at a resolution, with a width.
    var stem: (_ size: Int, _ width: Int) -> Double
    /// A block.
    var block: (Place) -> Double
    /// What follows the blocks, at a resolution, with options of the last block's width and of
    /// those behind it.
    var rest: (_ size: Int, _ options: [Int]) -> Double
    /// Whether the activation counts.
    var countsActivation: Bool
  }

  /// Exact counts in `metric`, which is no latency.
  private func counts(_ metric: CostMetric) -> PartPrices {
    func counted(_ cost: Cost<Int>) -> Double {
      Double(metric == .flops ? cost.flops(.madds) : cost.params(.madds))
    }
    return PartPrices(
      stem: { counted(stem(size: $0, width: $1).cost) },
      block: { counted(description($0).cost) },
      rest: { size, options in
        let map = maps[size][blocks.count]
        let channels = zip(widths[lastWidth...], options).map { $0.channels[$1] }
        return counted(tail(channels, pixels: map.height * map.width))
      },
      countsActivation: false
    )
  }

  /// The networks as ways through a graph, by their exact counts in `metric`, which is no latency.
  func trellis(_ metric: CostMetric) -> CostTrellis { trellis(counts(metric)) }

  /// The networks as ways through a graph, by what their parts cost.
  ///
  /// A state is a resolution and the width so far. The first step chooses the resolution, the
  /// second the stem's width; then each block is a step, which chooses its output's width where
  /// that is a new one, and what is inside the block. The last step chooses the widths behind the
  /// blocks where they are choices. What costs nothing stays free: the activation where it does not
  /// count, and what is inside a block that is left out.
  func trellis(_ prices: PartPrices) -> CostTrellis {
    let stem = widths[0]
    let first: [[CostTrellis.Edge]] = [
      sizes.indices.map {
        .init(from: 0, to: $0, cost: 0, options: resolution.picks($0), free: [])
      },
      sizes.indices.flatMap { size in
        stem.channels.indices.map { width in
          .init(
            from: size,
            to: size * stem.channels.count + width,
            cost: prices.stem(size, width),
            options: stem.axis.picks(width),
            free: []
          )
        }
      },
    ]
    var steps = first + blocks.indices.map { edges(of: $0, prices) }
    // The rest depends on the last width and map.
    let count = widths[lastWidth].channels.count
    if widths[(lastWidth + 1)...].allSatisfy({ $0.axis.choice == nil }) {
      // Nothing is chosen there: it belongs to the last step.
      let rests = sizes.indices.map { size in endOptions.map { prices.rest(size, $0) } }
      let last = steps.count - 1
      steps[last] = steps[last].map { edge in
        CostTrellis.Edge(
          from: edge.from,
          to: edge.to,
          cost: edge.cost + rests[edge.to / count][edge.to % count],
          options: edge.options,
          free: edge.free
        )
      }
    } else {
      steps.append(
        sizes.indices.flatMap { size in
          endOptions.map { options in
            CostTrellis.Edge(
              from: size * count + options[0],
              to: size * count + options[0],
              cost: prices.rest(size, options),
              options: zip(widths[lastWidth...], options).dropFirst()
                .flatMap { $0.axis.picks($1) },
              free: []
            )
          }
        }
      )
    }
    return CostTrellis(fixed: 0, steps: steps, choices: choices.count)
  }

  /// The ways through a block.
  private func edges(of index: Int, _ prices: PartPrices) -> [CostTrellis.Edge] {
    let block = blocks[index]
    let (inputs, outputs) = (widths[block.input], widths[block.output])
    let places = places(of: index, countingActivation: prices.countsActivation)
    return places.flatMap { place -> [CostTrellis.Edge] in
      func edge(_ cost: Double, _ options: [CostTrellis.Edge.Option], free: [Axis])
        -> CostTrellis.Edge
      {
        CostTrellis.Edge(
          from: place.size * inputs.channels.count + place.input,
          to: place.size * outputs.channels.count + place.output,
          cost: cost,
          options: (block.isNew ? outputs.axis.picks(place.output) : []) + options,
          free: free.compactMap(\.choice)
        )
      }
      var edges = [
        edge(
          prices.block(place),
          block.expansion.picks(place.expansion) + block.kernel.picks(place.kernel)
            + block.squeeze.picks(place.squeeze) + block.skip.picks(0)
            + (prices.countsActivation ? block.activation.picks(place.activation) : []),
          free: prices.countsActivation ? [] : [block.activation]
        )
      ]
      // Once for a pair of widths.
      if block.skip.choice != nil, block.isLast(place, prices.countsActivation) {
        edges.append(
          edge(
            0,
            block.skip.picks(1),
            free: [block.expansion, block.kernel, block.squeeze, block.activation]
          )
        )
      }
      return edges
    }
  }
}

extension MaskedSpace.Block {
  /// Whether all that counts inside takes its last option.
  fileprivate func isLast(_ place: MaskedSpace.Place, _ countsActivation: Bool) -> Bool {
    place.expansion == expansions.count - 1 && place.kernel == kernels.count - 1
      && place.squeeze == squeezes.count - 1
      && (!countsActivation || place.activation == activations.count - 1)
  }
}

extension MaskedSpace.Axis {
  /// The option as a part of an edge; none for a setting that is no choice.
  fileprivate func picks(_ option: Int) -> [CostTrellis.Edge.Option] {
    choice.map { [.init(choice: $0, option: option)] } ?? []
  }
}
