import Networks
import Runs

/// Networks whose cells are timed: which cells a latency table takes, in which networks they are
/// timed, and what networks cost by them.
package protocol TimedSpace: Sendable {
  /// The choices in the order of an architecture's indices.
  var choices: [Choice] { get }
  /// An architecture as a network of its own.
  func network(of architecture: Architecture, name: String) -> NetworkDescription
  /// The blocks of an architecture between the first one and the last, but identities.
  func timedBlocks(of architecture: Architecture) -> [BlockDescription]
  /// The distinct cells of the blocks but identities, each under its candidate's name.
  var latencyCells: [BlockDescription] { get }
  /// The first and the last blocks of all networks: `stem` and `rest` are their cells' names.
  var latencyEnds: [(candidate: String, block: BlockDescription)] { get }
  /// Networks that hold every cell, in the order in which they are timed; one is left out whose
  /// cells have all been timed in more networks than its round says.
  var latencyPlan: [(round: Int, architecture: Architecture)] { get }
  /// What a network costs by a table, in milliseconds; `place` is what errors name.
  ///
  /// Errors: `.data` naming what is missing, or what the space does not have.
  func milliseconds(
    by table: LatencyTable,
    place: String
  ) throws -> @Sendable (Architecture) -> Double
  /// The table as rows and columns, with its diagnostics.
  ///
  /// Errors: as `milliseconds`.
  func latencyGrid(_ table: LatencyTable, place: String) throws -> LatencyGrid
}

/// A space of a supernet whose networks a latency table can price.
package protocol LatencySpace: SearchSpace, TimedSpace {
  /// The blocks that a table may have cells for, by their names: all candidates.
  var latencyCandidates: [BlockDescription] { get }
  /// What networks cost by a table, in milliseconds; `place` is what errors name.
  ///
  /// Errors: `.data` naming what is missing, or what the space does not have.
  func latencyCost(_ table: LatencyTable, place: String) throws -> any LatencyCost
}

extension LatencySpace {
  /// The cells themselves.
  package var latencyCandidates: [BlockDescription] { latencyCells }

  /// Those of the searched parts.
  package func timedBlocks(of architecture: Architecture) -> [BlockDescription] {
    parts(of: architecture).map(\.block).filter { !$0.isIdentity }
  }

  /// That of `latencyCost`.
  package func milliseconds(
    by table: LatencyTable,
    place: String
  ) throws -> @Sendable (Architecture) -> Double {
    let cost = try latencyCost(table, place: place)
    return { cost.cost($0) }
  }
}

extension LatencyTable {
  /// The cells of a space and their times; the table has all of them and no others.
  ///
  /// Errors: `.data` naming the cells that are missing, or the first one that the space does not
  /// have; `what` is what the space has many of.
  func matched(
    to space: any TimedSpace,
    of what: String,
    place: String
  ) throws -> [(block: BlockDescription, milliseconds: Double)] {
    var times: [Key: Double] = [:]
    for entry in entries { times[entry.key] = entry.milliseconds }
    let cells: [(key: Key, name: String, block: BlockDescription)] =
      space.latencyEnds.map { (.end($0, $1.latencyCell), $0, $1) }
      + space.latencyCells.map { (.cell($0.latencyCell), $0.name, $0) }
    let missing = cells.filter { times[$0.key] == nil }
    if !missing.isEmpty {
      let names = missing.prefix(3).map { "\($0.name) at \(LatencyTable.shape(of: $0.block))" }
      let more = missing.count > names.count ? " and \(missing.count - names.count) more" : ""
      throw UserError(
        .data,
        place,
        "no cell for " + names.joined(separator: ", ") + more + " of this space's \(what)",
        remedy: "the table is of another search space or unfinished; measure one for this space"
      )
    }
    let known = Set(cells.map(\.key))
    if let strange = entries.first(where: { !known.contains($0.key) }) {
      throw UserError(
        .data,
        "\(place): \(strange.place)",
        "the space has no such cell (\(strange.block) at "
          + "\(LatencyTable.shape(strange.input, strange.output, strange.stride)))",
        remedy: "this table is of another search space; measure one for this space"
      )
    }
    return cells.map { ($0.block, times[$0.key] ?? 0) }
  }
}
