import Networks
import Runs
import Tensor

extension LayerwiseSpace: LatencySpace {
  /// Networks of the plan that each cell is timed in.
  private static let rounds = 2

  /// The stem and the 1×1 convolution behind the last searched layer, which every network has.
  package var fixedBlocks: (stem: BlockDescription, head: BlockDescription) {
    let blocks = network(of: Architecture(layers.map { _ in 0 }), name: "").blocks
    return (blocks[0], blocks[blocks.count - 1])
  }

  /// One stem and one head.
  package var latencyEnds: [(candidate: String, block: BlockDescription)] {
    [("stem", fixedBlocks.stem), ("rest", fixedBlocks.head)]
  }

  /// The identities too.
  package var latencyCandidates: [BlockDescription] { Array(layers.joined()) }

  /// In the order of the layers.
  package var latencyCells: [BlockDescription] {
    var seen: Set<LatencyTable.Cell> = []
    return layers.joined().filter { !$0.isIdentity && seen.insert($0.latencyCell).inserted }
  }

  /// Architectures that hold every candidate of every layer once a round, with other neighbours in
  /// each round.
  package var latencyPlan: [(round: Int, architecture: Architecture)] {
    let most = layers.map(\.count).max() ?? 0
    return (0..<Self.rounds).flatMap { round in
      let orders = layers.indices.map { layer in
        var random = Philox(
          seed: 1,
          purpose: .sampling,
          step: UInt64(round),
          index: UInt32(layer)
        )
        return random.permutation(layers[layer].count)
      }
      return (0..<most).map { row in (round, Architecture(orders.map { Int($0[row % $0.count]) })) }
    }
  }

  /// See `LatencyTable.prices`.
  package func latencyCost(_ table: LatencyTable, place: String) throws -> any LatencyCost {
    try table.prices(for: self, place: place)
  }

  /// A row for each layer.
  package func latencyGrid(_ table: LatencyTable, place: String) throws -> LatencyGrid {
    try LatencyGrid(table, for: self, place: place)
  }
}
