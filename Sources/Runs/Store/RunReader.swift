import Foundation
import GRDB

/// What a run has recorded, for those who watch it: live or finished (spec S80, S86).
///
/// Every call is a short transaction of its own. A resumed run takes back steps that its checkpoint
/// had not seen: when `session()` changes, what was read before is to be read again.
package final class RunReader: Sendable {
  private let database: DatabaseQueue
  private let place: String

  /// Opens the store at `path` for reading; `.noInput`, or `.data` for another format or damage.
  package convenience init(path: String) throws {
    guard pathExists(path) else {
      throw UserError(.noInput, path, "no such file", remedy: "name a folder in runs/")
    }
    func open(_ name: String) throws -> DatabaseQueue {
      let queue = try DatabaseQueue(path: name, configuration: Schema.configuration(readonly: true))
      try queue.read { try Schema.check($0, place: path) }
      return queue
    }
    let queue = try telling(path) {
      do {
        return try open(path)
      } catch let error as DatabaseError where error.resultCode == .SQLITE_CANTOPEN {
        // A WAL store needs files beside it, which a read-only folder does not take. Without a log
        // nobody writes, and SQLite may assume that the file stays as it is.
        guard !pathExists(path + "-wal") else { throw error }
        return try open(Path.address(path) + "?immutable=1")
      }
    }
    self.init(database: queue, place: path)
  }

  init(database: DatabaseQueue, place: String) {
    self.database = database
    self.place = place
  }

  /// Number of trainers that have worked on the run; each may have taken back steps.
  package func session() throws -> Int {
    try first("SELECT count(*) FROM sessions") { try $0.value(0) } ?? 0
  }

  /// Seconds since 1970 at which the first trainer began; nil before.
  package func begun() throws -> Double? {
    try first("SELECT started_at FROM sessions ORDER BY id LIMIT 1") { try $0.value(0) }
  }

  /// Starts of trainers, oldest first.
  package func sessions() throws -> [SessionRecord] {
    try all("SELECT id, started_at, step, process FROM sessions ORDER BY id") {
      SessionRecord(
        id: try $0.value(0),
        startedAt: try $0.number(1),
        step: try $0.value(2),
        process: try $0.value(3)
      )
    }
  }

  /// What the trainer is doing; nil before it has said so.
  package func status() throws -> RunStatus? {
    try first("SELECT json FROM status") { try $0.json(0) }
  }

  /// The choices of the search; empty before the network is built.
  package func choices() throws -> [Choice] {
    let columns = "identity, name, detail, kind, group_name, options"
    return try all("SELECT \(columns) FROM choices ORDER BY id") {
      Choice(
        id: try $0.value(0),
        name: try $0.value(1),
        detail: try $0.value(2),
        kind: try $0.word(3),
        group: try $0.value(4),
        options: try $0.json(5)
      )
    }
  }

  /// What the options cost, of those choices whose options have prices of their own.
  package func prices() throws -> [ChoicePrices] {
    try all("SELECT choice, flops, params, latency FROM choice_prices ORDER BY rowid") {
      ChoicePrices(
        choice: try $0.value(0),
        flops: try $0.json(1),
        params: try $0.json(2),
        latency: try $0.isNull(3) ? nil : $0.json(3)
      )
    }
  }

  /// Steps after `step` (-1 for all), oldest first, at most `limit`.
  package func steps(after step: Int = -1, limit: Int = .max) throws -> [StepRecord] {
    try steps("WHERE step > ? ORDER BY step LIMIT ?", [step, limit])
  }

  private func steps(_ condition: String, _ arguments: StatementArguments) throws -> [StepRecord] {
    try all(
      """
      SELECT step, epoch, phase, loss, cross_entropy, accuracy, cost, temperature, learning_rate,
        seconds, images, multiplier FROM steps \(condition)
      """,
      arguments
    ) {
      StepRecord(
        step: try $0.value(0),
        epoch: try $0.value(1),
        phase: try $0.word(2),
        loss: try $0.number(3),
        crossEntropy: try $0.number(4),
        accuracy: try $0.number(5),
        cost: try $0.number(6),
        temperature: try $0.number(7),
        learningRate: try $0.number(8),
        seconds: try $0.number(9),
        images: try $0.value(10),
        multiplier: try $0.value(11)
      )
    }
  }

  /// The last step of each phase that has any.
  package func lastSteps() throws -> [StepRecord] {
    try Phase.allCases.flatMap {
      try steps("WHERE phase = ? ORDER BY step DESC LIMIT 1", [$0.rawValue])
    }
  }

  /// Architecture parameters recorded after step `step` (-1 for all), oldest first.
  package func thetas(after step: Int = -1, limit: Int = .max) throws -> [ThetaRecord] {
    try thetas("WHERE step > ? ORDER BY step LIMIT ?", [step, limit])
  }

  /// What was known when `step` steps had been done: the last of them, and θ after it.
  package func moment(step: Int) throws -> RunMoment {
    RunMoment(
      step: step,
      lastStep: try steps("WHERE step < ? ORDER BY step DESC LIMIT 1", [step]).first,
      theta: try thetas("WHERE step < ? ORDER BY step DESC LIMIT 1", [step]).first
    )
  }

  private func thetas(
    _ condition: String,
    _ arguments: StatementArguments
  ) throws -> [ThetaRecord] {
    // The same for all steps of a search.
    var (text, counts) = ("", [Int]())
    return try all(
      """
      SELECT step, epoch, counts, logits, accuracy_pull, cost_pull, multiplier,
        expected_cost FROM thetas \(condition)
      """,
      arguments
    ) { fields in
      let stored: String = try fields.value(2)
      if stored != text {
        (text, counts) = (stored, stored.split(separator: " ").compactMap { Int($0) })
      }
      func rows(_ index: Int) throws -> [[Float]] {
        guard let rows = ragged(try fields.value(index), counts: counts) else {
          throw damaged(place, "architecture parameters of a wrong length")
        }
        return rows
      }
      return ThetaRecord(
        step: try fields.value(0),
        epoch: try fields.number(1),
        logits: try rows(3),
        accuracyPull: try rows(4),
        costPull: try rows(5),
        multiplier: try fields.value(6),
        expectedCost: try fields.value(7)
      )
    }
  }

  /// Epochs after `epoch` (-1 for all), oldest first.
  package func epochs(after epoch: Int = -1) throws -> [EpochRecord] {
    let ranking = try has("ranking", of: "epochs") ? "ranking" : "NULL"
    return try all(
      """
      SELECT epoch, step, train_loss, train_accuracy, validation_loss, validation_accuracy,
        argmax_accuracy, expected_cost, argmax_flops, argmax_params, temperature, seconds, top_five,
        argmax_latency, settled, mean_entropy_bits, \(ranking)
      FROM epochs WHERE epoch > ? ORDER BY epoch
      """,
      [epoch]
    ) {
      EpochRecord(
        epoch: try $0.value(0),
        step: try $0.value(1),
        trainLoss: try $0.number(2),
        trainAccuracy: try $0.number(3),
        validationLoss: try $0.number(4),
        validationAccuracy: try $0.number(5),
        argmaxAccuracy: try $0.number(6),
        expectedCost: try $0.number(7),
        argmaxFlops: try $0.number(8),
        argmaxParams: try $0.number(9),
        temperature: try $0.number(10),
        seconds: try $0.number(11),
        topFive: try $0.value(12),
        argmaxLatency: try $0.value(13),
        settled: try $0.value(14),
        meanEntropyBits: try $0.value(15),
        ranking: $0.isNull(16) ? nil : try $0.json(16)
      )
    }
  }

  /// The newest `limit` interventions after `id`, oldest first; their states change later.
  package func interventions(after id: Int64 = 0, limit: Int = .max) throws -> [Intervention] {
    try interventions(
      """
      SELECT * FROM (SELECT * FROM interventions WHERE id > ? ORDER BY id DESC LIMIT ?)
      ORDER BY id
      """,
      [id, limit]
    )
  }

  private func has(_ column: String, of table: String) throws -> Bool {
    try telling(place) { try database.read { try Schema.has(column, of: table, $0) } }
  }

  /// The newest `limit` lines of the log after `id`, oldest first.
  package func log(after id: Int64 = 0, limit: Int = .max) throws -> [LogRecord] {
    let hasSteps = try has("step", of: "log")
    return try all(
      """
      SELECT id, time, level, text, \(hasSteps ? "step" : "NULL") FROM
        (SELECT * FROM log WHERE id > ? ORDER BY id DESC LIMIT ?) ORDER BY id
      """,
      [id, limit]
    ) {
      LogRecord(
        id: try $0.value(0),
        time: try $0.number(1),
        level: try $0.word(2),
        text: try $0.value(3),
        step: $0.isNull(4) ? nil : try $0.value(4)
      )
    }
  }

  /// Networks derived from the search, by name.
  package func derived() throws -> [DerivedRecord] {
    try all("SELECT json FROM derived ORDER BY name", []) { try $0.json(0) }
  }

  /// Candidates of a joint search from a number on, in the order in which they were picked.
  package func trials(from number: Int = 1) throws -> [TrialRecord] {
    try all("SELECT json FROM trials WHERE id >= ? ORDER BY id", [number]) { try $0.json(0) }
  }

  /// How far a joint search has come; nil before its first round.
  package func jointProgress() throws -> JointProgress? {
    try first("SELECT json FROM joint") { try $0.json(0) }
  }

  /// The fingerprint of the data that the run trains on; nil before it was loaded for the first
  /// time.
  package func data() throws -> DataFingerprint? {
    try first("SELECT json FROM data") { try $0.json(0) }
  }

  /// What the run came to, as the JSON that the trainer stored; nil before its end.
  package func result() throws -> String? {
    try first("SELECT json FROM result") { try $0.value(0) }
  }

  /// Records a command for the trainer, over a connection of its own (spec S82).
  ///
  /// Waits up to five seconds for a writer; `.busy`, `.cannotCreate` or `.io` when it cannot be
  /// kept.
  @discardableResult
  package func request(_ action: Intervention.Action) throws -> Intervention {
    let text = try StoredJSON.text(action)
    let now = Date().timeIntervalSince1970
    return try telling(place) {
      let queue = try DatabaseQueue(
        path: place,
        configuration: Schema.configuration(readonly: false)
      )
      return try queue.write { database in
        try database.execute(
          sql: """
            INSERT INTO interventions (action, state, requested_at, note)
            VALUES (?, 'requested', ?, '')
            """,
          arguments: [text, now]
        )
        return Intervention(
          id: database.lastInsertedRowID,
          action: action,
          state: .requested,
          step: nil,
          requestedAt: now,
          note: ""
        )
      }
    }
  }

  /// Interventions of a query that gives all columns in the table's order.
  func interventions(_ sql: String, _ arguments: StatementArguments) throws -> [Intervention] {
    try all(sql, arguments) {
      Intervention(
        id: try $0.value(0),
        action: try $0.json(1),
        state: try $0.word(2),
        step: try $0.value(3),
        requestedAt: try $0.number(4),
        note: try $0.value(5)
      )
    }
  }

  private func all<T>(
    _ sql: String,
    _ arguments: StatementArguments = [],
    _ make: (Fields) throws -> T
  ) throws -> [T] {
    try telling(place) {
      try database.read { try Fields.all($0, sql, arguments, place: place, make) }
    }
  }

  private func first<T>(_ sql: String, _ make: (Fields) throws -> T) throws -> T? {
    try all(sql, [], make).first
  }
}

/// Rows of different lengths in one blob of little-endian Float32; nil when the lengths do not fit.
private func ragged(_ data: Data, counts: [Int]) -> [[Float]]? {
  var total = 0
  for count in counts {
    let (sum, overflow) = total.addingReportingOverflow(count)
    guard count >= 0, !overflow else { return nil }
    total = sum
  }
  guard data.count % 4 == 0, data.count / 4 == total else { return nil }
  return data.withUnsafeBytes { bytes in
    var start = 0
    return counts.map { count in
      defer { start += 4 * count }
      return [Float](unsafeUninitializedCapacity: count) { row, initialized in
        UnsafeMutableRawBufferPointer(row).copyMemory(
          from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + 4 * count])
        )
        initialized = count
      }
    }
  }
}
