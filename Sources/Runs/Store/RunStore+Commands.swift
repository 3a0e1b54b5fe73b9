import Foundation
import GRDB

/// What people ask of the trainer, and what became of it.
extension RunStore {
  /// Records commands that wait each for the step that it names, in the order of `requests`, with
  /// their notes.
  package func schedule(_ requests: [Intervention]) throws {
    let rows = try requests.map { (try StoredJSON.text($0.action), $0.step, $0.note) }
    try write { database in
      for (action, step, note) in rows {
        try database.execute(
          sql: """
            INSERT INTO interventions (action, state, step, requested_at, note)
            VALUES (?, 'requested', ?, ?, ?)
            """,
          arguments: [action, step, Date().timeIntervalSince1970, note]
        )
      }
    }
  }

  /// Commands that wait for the next step, or for the step that they name, oldest first.
  package func pendingInterventions() throws -> [Intervention] {
    try reader.interventions(
      "SELECT * FROM interventions WHERE state = 'requested' ORDER BY id",
      []
    )
  }

  /// Commands as bytes, for the stores of other processes.
  package static func encoded(_ commands: [Intervention]) throws -> Data {
    try JSONEncoder().encode(
      commands.map {
        PassedCommand(
          id: $0.id,
          action: try StoredJSON.text($0.action),
          step: $0.step,
          time: $0.requestedAt
        )
      }
    )
  }

  /// Records commands of another process's store, which wait there.
  package func adopt(_ commands: Data) throws {
    guard !commands.isEmpty else { return }
    let commands = try JSONDecoder().decode([PassedCommand].self, from: commands)
    try write { database in
      for command in commands {
        try database.execute(
          sql: """
            INSERT OR REPLACE INTO interventions (id, action, state, step, requested_at, note)
            VALUES (?, ?, 'requested', ?, ?, '')
            """,
          arguments: [command.id, command.action, command.step, command.time]
        )
      }
    }
  }

  private struct PassedCommand: Codable {
    var id: Int64
    var action: String
    var step: Int?
    var time: Double
  }

  /// Notes that a command acts before global step `step`; to be called before it does.
  package func accept(_ id: Int64, step: Int) throws {
    try write { database in
      try database.execute(
        sql: "UPDATE interventions SET state = 'accepted', step = ? WHERE id = ?",
        arguments: [step, id]
      )
    }
  }

  /// Notes that a command is carried out.
  package func finish(_ id: Int64, note: String = "") throws {
    try write { try Self.settle($0, id, .done, note: note) }
  }

  /// Notes that a command is turned down, why, and before which global step, where that is known.
  package func refuse(_ id: Int64, note: String, step: Int? = nil) throws {
    try write { database in
      if let step {
        try database.execute(
          sql: "UPDATE interventions SET step = ? WHERE id = ?",
          arguments: [step, id]
        )
      }
      try Self.settle(database, id, .refused, note: note)
    }
  }

  /// Notes that a command that acted after the step at which the run continues will not act again.
  package func overtake(_ id: Int64) throws {
    try write { database in
      try database.execute(
        sql: "UPDATE interventions SET step = NULL WHERE id = ?",
        arguments: [id]
      )
      try Self.settle(database, id, .refused, note: "overtaken by a new request")
    }
  }

  /// Commands that changed the training from global step `step` on, in the order in which they
  /// acted: what a run resumed after `step` steps has to repeat, each before its `step` (spec S82).
  ///
  /// `id` is the last one that the checkpoint has in it already.
  package func acceptedInterventions(from step: Int, after id: Int64 = 0) throws -> [Intervention] {
    try reader.interventions(
      """
      SELECT * FROM interventions WHERE state IN ('accepted', 'done') AND step >= ? AND id > ?
      ORDER BY step, id
      """,
      [step, id]
    ).filter(\.action.changesTraining)
  }
}
