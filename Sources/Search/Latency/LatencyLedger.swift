import Networks

/// The cells of a measurement and what has been timed of them.
struct LatencyLedger {
  /// Places in a table: the ends first, then the blocks in the order of the space.
  private let ranks: [LatencyTable.Key: Int]
  /// What has been timed.
  private var booked: [LatencyTable.Key: LatencyTable.Entry] = [:]

  /// An empty one for the cells of `space`.
  init(_ space: any TimedSpace) {
    let keys =
      space.latencyEnds.map { LatencyTable.Key.end($0.candidate, $0.block.latencyCell) }
      + space.latencyCells.map { .cell($0.latencyCell) }
    ranks = Dictionary(
      zip(keys, keys.indices).map { ($0, $1) },
      uniquingKeysWith: { first, _ in first }
    )
  }

  /// Cells that there are.
  var cellCount: Int { ranks.count }
  /// Cells that have a time.
  var count: Int { booked.count }
  /// The cells that have a time, in order.
  var entries: [LatencyTable.Entry] {
    booked.sorted { ranks[$0.key, default: 0] < ranks[$1.key, default: 0] }.map(\.value)
  }

  /// Takes over what has been timed before.
  mutating func take(_ entries: [LatencyTable.Entry]) {
    for entry in entries { booked[entry.key] = entry }
  }

  /// Whether a cell of `network`, whose searched blocks are `blocks`, has been timed in no more
  /// than `round` networks.
  func needs(_ blocks: [BlockDescription], in network: NetworkDescription, round: Int) -> Bool {
    let keys =
      ends(of: network).map { LatencyTable.Key.end($0, $1.latencyCell) }
      + blocks.map { .cell($0.latencyCell) }
    return keys.contains { (booked[$0]?.networks ?? 0) <= round }
  }

  /// Books the timings of one network: of its stem, of `blocks`, and of what follows them; a cell
  /// that it holds several times counts once.
  mutating func book(
    _ blocks: [BlockDescription],
    in network: NetworkDescription,
    _ parts: [MedianInterval],
    _ repeats: Int
  ) {
    precondition(parts.count == blocks.count + 2, "latency: \(parts.count) parts timed")
    let ends = ends(of: network)
    for ((name, block), part) in zip(ends, [parts[0], parts[parts.count - 1]]) {
      book(name, block, [part], repeats)
    }
    let places = Dictionary(grouping: blocks.indices) { blocks[$0].latencyCell }
    for places in places.values {
      let block = blocks[places[0]]
      book(block.name, block, places.map { parts[$0 + 1] }, repeats)
    }
  }

  /// The stem and the head.
  private func ends(of network: NetworkDescription) -> [(String, BlockDescription)] {
    [("stem", network.blocks[0]), ("rest", network.blocks[network.blocks.count - 1])]
  }

  /// Joins the timings of a cell in one more network to what is there.
  private mutating func book(
    _ candidate: String,
    _ block: BlockDescription,
    _ times: [MedianInterval],
    _ repeats: Int
  ) {
    let entry = LatencyTable.Entry(
      block,
      candidate: candidate,
      milliseconds: 1e3 * times.reduce(0) { $0 + $1.median } / Double(times.count),
      // The largest, nil where it is not known.
      spread: times.map(\.spread).max().flatMap { $0.isFinite ? $0 : nil },
      repeats: repeats * times.count,
      networks: 1
    )
    guard var sum = booked[entry.key] else {
      booked[entry.key] = entry
      return
    }
    let networks = Double(sum.networks ?? 0)
    sum.milliseconds = (sum.milliseconds * networks + entry.milliseconds) / (networks + 1)
    sum.spread = max(sum.spread ?? 0, entry.spread ?? 0)
    sum.repeats = (sum.repeats ?? 0) + (entry.repeats ?? 0)
    sum.networks = Int(networks) + 1
    booked[entry.key] = sum
  }
}
