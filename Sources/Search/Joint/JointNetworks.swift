import Networks
import Runs
import Tensor

/// The architectures of a joint search as networks whose cells are timed, whatever the search
/// itself varies.
///
/// Widths, depths, kernels and expansions make thousands of different blocks, too many to time each
/// of them. So networks spread evenly over the space are timed, and a `BlockLatencyFit` gives the
/// blocks that they do not hold.
package struct JointNetworks: TimedSpace {
  /// Networks that are timed.
  private static let timed = 96

  /// Recipes are no part of a network.
  package var choices: [Choice] { Array(space.choices.prefix(count)) }
  /// The blocks that the timed networks hold, but the first and the last.
  package let latencyCells: [BlockDescription]
  /// Their first and last blocks.
  package let latencyEnds: [(candidate: String, block: BlockDescription)]
  /// Networks that hold every option of every choice equally often, in one round.
  package let latencyPlan: [(round: Int, architecture: Architecture)]
  private let space: JointSpace
  /// Choices of the architecture.
  private let count: Int

  /// Those of `settings` for images of `channels` and `classes`.
  ///
  /// Errors: those of `JointSpace.laidOut`.
  package init(_ settings: JointConfiguration, channels: Int, classes: Int) throws {
    var settings = settings
    settings.search.algorithm = .joint
    space = try JointSpace.laidOut(settings, channels: channels, classes: classes)
    let counts = space.choices.filter { $0.kind != .recipe }.map(\.options.count)
    count = counts.count
    // Every option of a choice equally often, each time with others of the other choices.
    let orders = counts.enumerated().map { choice, options in
      (0..<(Self.timed + options - 1) / options).flatMap { turn in
        var random = Philox(
          seed: 1,
          purpose: .sampling,
          step: UInt64(turn),
          index: UInt32(choice)
        )
        return random.permutation(options).map(Int.init)
      }
    }
    latencyPlan = (0..<Self.timed).map { row in (0, Architecture(orders.map { $0[row] })) }
    var seen: Set<LatencyTable.Key> = []
    var cells: [BlockDescription] = []
    var ends: [(candidate: String, block: BlockDescription)] = []
    for (_, architecture) in latencyPlan {
      let blocks = space.network(of: space.whole(architecture), name: "").blocks
      for (name, end) in [("stem", blocks[0]), ("rest", blocks[blocks.count - 1])]
      where seen.insert(.end(name, end.latencyCell)).inserted {
        ends.append((name, end))
      }
      cells += blocks.dropFirst().dropLast().filter {
        seen.insert(.cell($0.latencyCell)).inserted
      }
    }
    latencyCells = cells
    latencyEnds = ends
  }

  /// The network of an architecture; the recipe's choices have no part in it.
  package func network(of architecture: Architecture, name: String) -> NetworkDescription {
    space.network(of: space.whole(architecture), name: name)
  }

  /// All but the first and the last.
  package func timedBlocks(of architecture: Architecture) -> [BlockDescription] {
    Array(network(of: architecture, name: "").blocks.dropFirst().dropLast())
  }

  /// By a table that holds the cells above; see `JointLatency`.
  package func milliseconds(
    by table: LatencyTable,
    place: String
  ) throws -> @Sendable (Architecture) -> Double {
    let latency = try JointLatency(table, of: self, place: place)
    return { latency.milliseconds(of: network(of: $0, name: "")) }
  }

  /// A row for each stage at each end of the range of sizes.
  package func latencyGrid(_ table: LatencyTable, place: String) throws -> LatencyGrid {
    let latency = try JointLatency(table, of: self, place: place)
    let shares = [0, 25, 50, 75, 100]
    let networks = shares.map { share in
      network(
        of: Architecture(
          choices.map {
            Int((Double(share) / 100 * Double($0.options.count - 1)).rounded())
          }
        ),
        name: ""
      )
    }
    // Networks have different depths: a row is what a stage takes, all its blocks together.
    let times = networks.map { latency.stages(of: $0) }
    let rows = times.map(\.count).max() ?? 0
    let plan = latencyPlan.map { network(of: $0.architecture, name: "") }
    let all = (plan + networks).map(latency.milliseconds)
    return LatencyGrid(
      candidates: shares.map { "w \($0) %" },
      rows: (0..<rows).map { row in
        LatencyGrid.Row(
          name: "stage \(row + 1)",
          detail: "",
          milliseconds: times.map { $0.indices.contains(row) ? $0[row] : nil },
          spread: times.map { _ in nil }
        )
      },
      fixed: networks.last.map(latency.ends) ?? 0,
      range: (all.min() ?? 0)...(all.max() ?? 0),
      findings: []
    )
  }
}

/// What networks of a joint search cost by a latency table of `JointNetworks`: a timed cell its
/// time, any other block what the fit says.
package struct JointLatency: Sendable {
  private let times: [BlockLatencyFit.Cell: Double]
  private let fit: BlockLatencyFit

  /// Of a table that holds the cells of `networks`, and no others.
  ///
  /// Errors: `.data` naming what is missing, or what the space does not have.
  package init(_ table: LatencyTable, of networks: JointNetworks, place: String) throws {
    let cells = try table.matched(to: networks, of: "networks", place: place)
    fit = BlockLatencyFit(cells)
    times = Dictionary(
      cells.map { (BlockLatencyFit.Cell($0.block), $0.milliseconds) },
      uniquingKeysWith: { first, _ in first }
    )
  }

  /// Milliseconds of a network.
  package func milliseconds(of network: NetworkDescription) -> Double {
    network.blocks.reduce(0) { $0 + milliseconds(of: $1) }
  }

  /// Milliseconds of the blocks between two changes of the map's size, one after the other.
  func stages(of network: NetworkDescription) -> [Double] {
    var stages: [Double] = []
    for block in network.blocks.dropFirst().dropLast() {
      if stages.isEmpty || block.stride > 1 { stages.append(0) }
      stages[stages.count - 1] += milliseconds(of: block)
    }
    return stages
  }

  /// Milliseconds of the first and the last block.
  func ends(of network: NetworkDescription) -> Double {
    milliseconds(of: network.blocks[0])
      + milliseconds(of: network.blocks[network.blocks.count - 1])
  }

  private func milliseconds(of block: BlockDescription) -> Double {
    times[BlockLatencyFit.Cell(block)] ?? fit.milliseconds(of: block)
  }
}

extension RunLatency {
  /// What networks of a joint search cost by the run's table; nil where it has none and needs none.
  ///
  /// Errors: as `table`.
  func joint(
    _ settings: JointConfiguration,
    channels: Int,
    classes: Int,
    isNeeded: Bool,
    keeps: Bool,
    progress: (LatencyProgress) throws -> Void
  ) throws -> (latency: JointLatency, warning: String?)? {
    guard isNeeded || pathExists(folder.latencyPath) else { return nil }
    let networks = try JointNetworks(settings, channels: channels, classes: classes)
    let found = try table(for: networks, keeps: keeps, progress: progress)
    return (try JointLatency(found.table, of: networks, place: found.place), found.warning)
  }
}
