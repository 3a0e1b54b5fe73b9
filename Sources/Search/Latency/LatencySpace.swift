import Networks
import Runs

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
