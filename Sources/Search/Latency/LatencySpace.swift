import Networks
import Runs
import Tensor

/// The latencies of a space's networks, block by block.
package protocol LatencyCost: CostModel {
  /// Milliseconds of the searched blocks, in the order of `SearchSpace.parts`.
  func blocks(_ architecture: Architecture) -> [Double]
}

extension AdditiveCost: LatencyCost {
  /// The price of the option that each layer takes.
  package func blocks(_ architecture: Architecture) -> [Double] {
    zip(layers, architecture).map { $0[$1] }
  }
}

/// A space whose networks a latency table can price: which cells it takes, in which networks they
/// are timed, and what networks cost by them.
package protocol LatencySpace: SearchSpace {
  /// The distinct cells of the blocks but identities, each under its candidate's name.
  var latencyCells: [BlockDescription] { get }
  /// The blocks that a table may have cells for, by their names: all candidates.
  var latencyCandidates: [BlockDescription] { get }
  /// The first and the last blocks of all networks: `stem` and `rest` are their cells' names.
  var latencyEnds: [(candidate: String, block: BlockDescription)] { get }
  /// Networks that hold every cell, in the order in which they are timed; one is left out whose
  /// cells have all been timed in more networks than its round says.
  var latencyPlan: [(round: Int, architecture: Architecture)] { get }
  /// What networks cost by a table, in milliseconds; `place` is what errors name.
  ///
  /// Errors: `.data` naming what is missing, or what the space does not have.
  func latencyCost(_ table: LatencyTable, place: String) throws -> any LatencyCost
  /// The table as rows and columns, with its diagnostics.
  ///
  /// Errors: as `latencyCost`.
  func latencyGrid(_ table: LatencyTable, place: String) throws -> LatencyGrid
}

extension LatencySpace {
  /// The cells themselves.
  package var latencyCandidates: [BlockDescription] { latencyCells }
}

extension Configuration.Space {
  /// The networks to choose from, for images of `channels` × `height` × `width`.
  package func laidOut(classes: Int, channels: Int, height: Int, width: Int) -> any LatencySpace {
    if let masked {
      MaskedSpace(
        self,
        masked,
        classes: classes,
        channels: channels,
        height: height,
        width: width
      )
    } else {
      LayerwiseSpace(self, classes: classes, channels: channels, height: height, width: width)
    }
  }
}

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
