import Foundation
import GRDB

/// The writing side of a run's store; the trainer alone has one, under the run's lock.
///
/// Each call is one transaction: a killed trainer leaves whole records (spec S120).
package final class RunStore: Sendable {
  let database: DatabaseQueue
  let place: String
  /// Reads over the same connection.
  package let reader: RunReader
  private let lock: TrainerLock?

  /// Opens an existing store; `.data` for another format or damage.
  ///
  /// Writing throws `.busy` once `lock` is lost to another machine.
  package init(path: String, lock: TrainerLock? = nil) throws {
    self.lock = lock
    // Reading first: a store of another format is refused before anything touches it.
    _ = try RunReader(path: path)
    database = try telling(path) {
      let queue = try DatabaseQueue(
        path: path,
        configuration: Schema.configuration(readonly: false)
      )
      let finding = try queue.read { try String.fetchOne($0, sql: "PRAGMA quick_check(1)") }
      guard finding == "ok" else {
        throw damaged(
          path,
          (finding ?? "").replacingOccurrences(of: "*** in database main ***", with: "")
        )
      }
      try queue.write(Schema.complete)
      return queue
    }
    place = path
    reader = RunReader(database: database, place: path)
  }

  /// Makes the file and its tables, in one transaction.
  static func create(at path: String) throws {
    try telling(path) {
      let queue = try DatabaseQueue(
        path: path,
        configuration: Schema.configuration(readonly: false)
      )
      try queue.write { database in
        try database.execute(sql: Schema.tables)
        try database.execute(sql: "PRAGMA application_id = \(Schema.applicationIdentifier)")
        try database.execute(sql: "PRAGMA user_version = \(Schema.version)")
      }
      try queue.close()
    }
  }

  /// Starts a trainer's work after `step` steps: takes back later records and settles old commands.
  ///
  /// Commands about the temperature that wait stay; pauses, stops and the like are refused.
  /// Returns the session's number, from 1.
  @discardableResult
  package func beginSession(step: Int) throws -> Int {
    try write { database in
      try Self.rewind(database, to: step)
      for intervention in try Self.open(database) where !intervention.action.changesTraining {
        try Self.settle(
          database,
          intervention.id,
          .refused,
          note: "the trainer ended before it acted"
        )
      }
      try database.execute(
        sql: "INSERT INTO sessions (started_at, step, process) VALUES (?, ?, ?)",
        arguments: [Date().timeIntervalSince1970, step, Int(getpid())]
      )
      return Int(database.lastInsertedRowID)
    }
  }

  /// Takes back everything after `step` steps.
  ///
  /// That is steps and thetas from that number on, epochs that ended later, and the result.
  /// Interventions and the log stay: they are replayed and read.
  package func rewind(toStep step: Int) throws {
    try write { try Self.rewind($0, to: step) }
  }

  /// Replaces the choices of the search and the prices of their options.
  package func setChoices(_ choices: [Choice], prices: [ChoicePrices] = []) throws {
    let rows = try choices.map { ($0, try StoredJSON.text($0.options)) }
    try write { database in
      try database.execute(sql: "DELETE FROM choices")
      for (index, (choice, options)) in rows.enumerated() {
        try database.execute(
          sql: """
            INSERT INTO choices (id, identity, name, detail, kind, group_name, options)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
          arguments: [
            index, choice.id, choice.name, choice.detail, choice.kind.rawValue, choice.group,
            options,
          ]
        )
      }
      try Self.replace(database, prices)
    }
  }

  /// Replaces the prices of the options.
  package func setPrices(_ prices: [ChoicePrices]) throws {
    try write { try Self.replace($0, prices) }
  }

  private static func replace(_ database: Database, _ prices: [ChoicePrices]) throws {
    try database.execute(sql: "DELETE FROM choice_prices")
    for price in prices {
      try database.execute(
        sql: "INSERT INTO choice_prices (choice, flops, params, latency) VALUES (?, ?, ?, ?)",
        arguments: [
          price.choice, try StoredJSON.text(price.flops), try StoredJSON.text(price.params),
          try price.latency.map { try StoredJSON.text($0) },
        ]
      )
    }
  }

  /// Keeps a step, the parameters after it if they moved, and the status, in one transaction.
  package func record(step: StepRecord, theta: ThetaRecord? = nil, status: RunStatus) throws {
    let json = try StoredJSON.text(status)
    try write { database in
      let insert = try database.cachedStatement(
        sql: """
          INSERT OR REPLACE INTO steps (step, epoch, phase, loss, cross_entropy, accuracy, cost,
            temperature, learning_rate, seconds, images, multiplier)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
          """
      )
      try insert.execute(arguments: [
        step.step, step.epoch, step.phase.rawValue, step.loss, step.crossEntropy, step.accuracy,
        step.cost, step.temperature, step.learningRate, step.seconds, step.images,
        step.multiplier,
      ])
      if let theta { try Self.insert(database, theta) }
      try Self.replace(database, "status", json)
    }
  }

  /// Keeps architecture parameters alone, such as those before the first step.
  package func record(theta: ThetaRecord) throws {
    try write { try Self.insert($0, theta) }
  }

  /// Keeps what an epoch came to.
  package func record(epoch: EpochRecord) throws {
    let ranking = try epoch.ranking.map { try StoredJSON.text($0) }
    try write { database in
      try database.execute(
        sql: """
          INSERT OR REPLACE INTO epochs (epoch, step, train_loss, train_accuracy, validation_loss,
            validation_accuracy, argmax_accuracy, expected_cost, argmax_flops, argmax_params,
            temperature, seconds, top_five, argmax_latency, settled, mean_entropy_bits,
            ranking)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          epoch.epoch, epoch.step, epoch.trainLoss, epoch.trainAccuracy, epoch.validationLoss,
          epoch.validationAccuracy, epoch.argmaxAccuracy, epoch.expectedCost, epoch.argmaxFlops,
          epoch.argmaxParams, epoch.temperature, epoch.seconds, epoch.topFive,
          epoch.argmaxLatency, epoch.settled, epoch.meanEntropyBits, ranking,
        ]
      )
    }
  }

  /// Replaces the status.
  package func setStatus(_ status: RunStatus) throws {
    let json = try StoredJSON.text(status)
    try write { try Self.replace($0, "status", json) }
  }

  /// Keeps the fingerprint of the data that the run trains on, in place of the last.
  package func record(data: DataFingerprint) throws {
    let json = try StoredJSON.text(data)
    try write { try Self.replace($0, "data", json) }
  }

  /// Keeps what is known of a derived network, in place of what was.
  package func record(derived: DerivedRecord) throws {
    let json = try StoredJSON.text(derived)
    try write { database in
      try database.execute(
        sql: "INSERT OR REPLACE INTO derived (name, json) VALUES (?, ?)",
        arguments: [derived.name, json]
      )
    }
  }

  /// Keeps what is known of candidates, in place of what was; all of them or none.
  package func record(trials: [TrialRecord]) throws {
    let rows = try trials.map { ($0.number, try StoredJSON.text($0)) }
    try write { database in
      for (number, json) in rows {
        try database.execute(
          sql: "INSERT OR REPLACE INTO trials (id, json) VALUES (?, ?)",
          arguments: [number, json]
        )
      }
    }
  }

  /// Keeps how far a joint search has come, in place of what was.
  package func record(progress: JointProgress) throws {
    let json = try StoredJSON.text(progress)
    try write { try Self.replace($0, "joint", json) }
  }

  /// Keeps what the run came to, as JSON.
  package func setResult(_ json: String) throws {
    try write { try Self.replace($0, "result", json) }
  }

  /// Adds a line to the log, after as many steps as the status says.
  package func log(_ level: LogRecord.Level, _ text: String) throws {
    try write { database in
      try database.execute(
        sql: """
          INSERT INTO log (time, level, text, step)
          VALUES (?, ?, ?, (SELECT json_extract(json, '$.step') FROM status))
          """,
        arguments: [Date().timeIntervalSince1970, level.rawValue, text]
      )
    }
  }

  /// Everything on record, as the bytes of a store.
  package func copy() throws -> Data {
    let path = NSTemporaryDirectory() + "supertop-\(UUID().uuidString).sqlite"
    defer { removeAll(path) }
    return try telling(place) {
      try database.vacuum(into: path)
      return try Data(contentsOf: URL(fileURLWithPath: path))
    }
  }

  /// Throws `.busy` once the run is another machine's.
  package func confirm() throws {
    guard lock?.isLost ?? false else { return }
    throw UserError(
      .busy,
      Path.folder(place),
      "another machine has taken the run over, which heard nothing of this one",
      remedy: "leave it to that one, or see supertop farm status"
    )
  }

  func write<T>(_ body: (Database) throws -> T) throws -> T {
    try confirm()
    return try telling(place) { try database.write(body) }
  }

  private static func rewind(_ database: Database, to step: Int) throws {
    try database.execute(sql: "DELETE FROM steps WHERE step >= ?", arguments: [step])
    try database.execute(sql: "DELETE FROM thetas WHERE step >= ?", arguments: [step])
    try database.execute(sql: "DELETE FROM epochs WHERE step > ?", arguments: [step])
    try database.execute(sql: "DELETE FROM result")
  }

  private static func open(_ database: Database) throws -> [(
    id: Int64, action: Intervention.Action
  )] {
    // A request that names its step is a replay's, and still to come.
    let sql = """
      SELECT id, action FROM interventions
      WHERE state = 'accepted' OR state = 'requested' AND step IS NULL
      """
    return try Fields.all(database, sql, place: "run.sqlite") { fields in
      (try fields.value(0), try fields.json(1))
    }
  }

  static func settle(
    _ database: Database,
    _ id: Int64,
    _ state: Intervention.State,
    note: String
  ) throws {
    try database.execute(
      sql: "UPDATE interventions SET state = ?, note = ? WHERE id = ?",
      arguments: [state.rawValue, note, id]
    )
  }

  /// Replaces the only row of the table `data`, `status` or `result`.
  private static func replace(_ database: Database, _ table: String, _ json: String) throws {
    try database.cachedStatement(sql: "INSERT OR REPLACE INTO \(table) (id, json) VALUES (0, ?)")
      .execute(arguments: [json])
  }

  private static func insert(_ database: Database, _ theta: ThetaRecord) throws {
    let counts = theta.logits.map(\.count)
    precondition(
      theta.accuracyPull.map(\.count) == counts && theta.costPull.map(\.count) == counts,
      "the pulls have another shape than the logits \(counts)"
    )
    let insert = try database.cachedStatement(
      sql: """
        INSERT OR REPLACE INTO thetas (step, epoch, counts, logits, accuracy_pull, cost_pull,
          multiplier, expected_cost) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """
    )
    try insert.execute(arguments: [
      theta.step, theta.epoch, counts.map(String.init).joined(separator: " "),
      bytes(theta.logits), bytes(theta.accuracyPull), bytes(theta.costPull),
      theta.multiplier, theta.expectedCost,
    ])
  }

  private static func bytes(_ rows: [[Float]]) -> Data {
    rows.flatMap(\.self).withUnsafeBytes { Data($0) }
  }
}
