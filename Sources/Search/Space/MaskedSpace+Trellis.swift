import Networks
import Runs
import Tensor

extension MaskedSpace {
  /// The networks as ways through a graph, by their exact costs in `metric`.
  ///
  /// A state is a resolution and the width so far. The first step chooses the resolution, the
  /// second the stem's width; then each block is a step, which chooses its output's width where
  /// that is a new one, and what is inside the block. The activation costs nothing, nor does what
  /// is inside a block that is left out.
  func trellis(_ metric: CostMetric) -> CostTrellis {
    func counted(_ cost: Cost<Int>) -> Double {
      Double(metric == .flops ? cost.flops(.madds) : cost.params(.madds))
    }
    // Maps behind the stem and each block, [resolution][step].
    let maps = sizes.map { size in
      blocks.reduce(into: [size, size.behind(stemStride)]) { maps, block in
        maps.append(maps[maps.count - 1].behind(block.stride))
      }
    }
    var steps: [[CostTrellis.Edge]] = [
      sizes.indices.map { .init(from: 0, to: $0, cost: 0, options: resolution.picks($0), free: []) }
    ]
    let stem = widths[0]
    steps.append(
      sizes.indices.flatMap { size in
        stem.channels.indices.map { width in
          let shape = BlockDescription(
            name: "stem",
            kind: Self.stemKind,
            input: channels,
            output: stem.channels[width],
            stride: stemStride,
            height: maps[size][0].height,
            width: maps[size][0].width
          )
          return .init(
            from: size,
            to: size * stem.channels.count + width,
            cost: counted(shape.cost),
            options: stem.axis.picks(width),
            free: []
          )
        }
      }
    )
    for (index, block) in blocks.enumerated() {
      steps.append(
        sizes.indices.flatMap { size in
          edges(block, size: size, map: maps[size][index + 1], counted)
        }
      )
    }
    // The rest depends on the last width and map: it belongs to the last step.
    let last = steps.count - 1
    let ends = widths[widths.count - 1].channels
    steps[last] = steps[last].map { edge in
      let map = maps[edge.to / ends.count][blocks.count + 1]
      let rest = counted(tail(ends[edge.to % ends.count], pixels: map.height * map.width))
      return CostTrellis.Edge(
        from: edge.from,
        to: edge.to,
        cost: edge.cost + rest,
        options: edge.options,
        free: edge.free
      )
    }
    return CostTrellis(fixed: 0, steps: steps, choices: choices.count)
  }

  /// The ways through a block on a map of one resolution.
  private func edges(
    _ block: Block,
    size: Int,
    map: MapSize,
    _ counted: (Cost<Int>) -> Double
  ) -> [CostTrellis.Edge] {
    let (inputs, outputs) = (widths[block.input], widths[block.output])
    let isNew = block.input != block.output
    var edges: [CostTrellis.Edge] = []
    for (input, channels) in inputs.channels.enumerated() {
      for (output, outputChannels) in outputs.channels.enumerated() where isNew || output == input {
        func edge(_ cost: Double, _ options: [CostTrellis.Edge.Option], free: [Axis]) {
          edges.append(
            .init(
              from: size * inputs.channels.count + input,
              to: size * outputs.channels.count + output,
              cost: cost,
              options: (isNew ? outputs.axis.picks(output) : []) + options,
              free: free.compactMap(\.choice)
            )
          )
        }
        for expansion in block.expansions.indices {
          for (kernel, side) in block.kernels.enumerated() {
            for (squeeze, hasSqueeze) in block.squeezes.enumerated() {
              let description = BlockDescription(
                name: block.name,
                kind: kind(
                  of: block,
                  kernel: side,
                  middle: middle(of: block, expansion, input: channels),
                  squeeze: hasSqueeze,
                  activation: .relu
                ),
                input: channels,
                output: outputChannels,
                stride: block.stride,
                height: map.height,
                width: map.width
              )
              edge(
                counted(description.cost),
                block.expansion.picks(expansion) + block.kernel.picks(kernel)
                  + block.squeeze.picks(squeeze) + block.skip.picks(0),
                free: [block.activation]
              )
            }
          }
        }
        if block.skip.choice != nil {
          edge(
            0,
            block.skip.picks(1),
            free: [block.expansion, block.kernel, block.squeeze, block.activation]
          )
        }
      }
    }
    return edges
  }
}

extension MaskedSpace.Axis {
  /// The option as a part of an edge; none for a setting that is no choice.
  fileprivate func picks(_ option: Int) -> [CostTrellis.Edge.Option] {
    choice.map { [.init(choice: $0, option: option)] } ?? []
  }
}
