import Foundation
import GRDB

/// The tables of `run.sqlite` and what marks the file as ours.
enum Schema {
  /// Raised with every change that an older or newer program could not read.
  static let version = 5
  /// `STOP`, in SQLite's field for the kind of file.
  static let applicationIdentifier = 0x5354_4F50

  /// Numbers that may be NaN have no NOT NULL: SQLite stores NaN as NULL.
  static let tables = """
    CREATE TABLE choices (
      id INTEGER PRIMARY KEY, identity TEXT NOT NULL, name TEXT NOT NULL, detail TEXT NOT NULL,
      kind TEXT NOT NULL, group_name TEXT NOT NULL, options TEXT NOT NULL
    ) STRICT;
    CREATE TABLE choice_prices (
      choice TEXT PRIMARY KEY, flops TEXT NOT NULL, params TEXT NOT NULL, latency TEXT
    ) STRICT;
    CREATE TABLE steps (
      step INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, phase TEXT NOT NULL, loss REAL,
      cross_entropy REAL, accuracy REAL, cost REAL, temperature REAL, learning_rate REAL,
      seconds REAL, images INTEGER NOT NULL, multiplier REAL
    ) STRICT;
    CREATE TABLE thetas (
      step INTEGER PRIMARY KEY, epoch REAL, counts TEXT NOT NULL, logits BLOB NOT NULL,
      accuracy_pull BLOB NOT NULL, cost_pull BLOB NOT NULL, multiplier REAL,
      expected_cost REAL
    ) STRICT;
    CREATE TABLE epochs (
      epoch INTEGER PRIMARY KEY, step INTEGER NOT NULL, train_loss REAL, train_accuracy REAL,
      validation_loss REAL, validation_accuracy REAL, argmax_accuracy REAL, expected_cost REAL,
      argmax_flops REAL, argmax_params REAL, temperature REAL, seconds REAL, top_five REAL,
      argmax_latency REAL, settled INTEGER, mean_entropy_bits REAL,
      ranking TEXT
    ) STRICT;
    CREATE TABLE derived (name TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT;
    CREATE TABLE trials (id INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT;
    CREATE TABLE joint (id INTEGER PRIMARY KEY CHECK (id = 0), json TEXT NOT NULL) STRICT;
    CREATE TABLE data (id INTEGER PRIMARY KEY CHECK (id = 0), json TEXT NOT NULL) STRICT;
    CREATE TABLE status (id INTEGER PRIMARY KEY CHECK (id = 0), json TEXT NOT NULL) STRICT;
    CREATE TABLE result (id INTEGER PRIMARY KEY CHECK (id = 0), json TEXT NOT NULL) STRICT;
    CREATE TABLE sessions (
      id INTEGER PRIMARY KEY, started_at REAL NOT NULL, step INTEGER NOT NULL,
      process INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE interventions (
      id INTEGER PRIMARY KEY AUTOINCREMENT, action TEXT NOT NULL, state TEXT NOT NULL, step INTEGER,
      requested_at REAL NOT NULL, note TEXT NOT NULL
    ) STRICT;
    CREATE INDEX interventions_requested ON interventions (id) WHERE state = 'requested';
    CREATE TABLE log (
      id INTEGER PRIMARY KEY AUTOINCREMENT, time REAL NOT NULL, level TEXT NOT NULL,
      text TEXT NOT NULL, step INTEGER
    ) STRICT;
    """

  /// Adds the columns that a store of this version may lack, as it was made by an earlier program.
  static func complete(_ database: Database) throws {
    for (table, column, type) in later where try !has(column, of: table, database) {
      try database.execute(sql: "ALTER TABLE \(table) ADD COLUMN \(column) \(type)")
    }
  }

  /// Columns that came without a new version: who does not know them reads on without them.
  private static let later = [("log", "step", "INTEGER"), ("epochs", "ranking", "TEXT")]

  /// Whether a store has a column that those of earlier programs lack.
  static func has(_ column: String, of table: String, _ database: Database) throws -> Bool {
    try database.columns(in: table).contains { $0.name == column }
  }

  /// Settings of a connection; `readonly` ones never change a file.
  static func configuration(readonly: Bool) -> GRDB.Configuration {
    var settings = GRDB.Configuration()
    settings.readonly = readonly
    // Also sets synchronous = NORMAL: a killed process loses nothing, a power cut the last steps.
    settings.journalMode = .wal
    settings.busyMode = .timeout(5)
    return settings
  }

  /// Refuses a file that this program did not write, or wrote in another format.
  static func check(_ database: Database, place: String) throws {
    let folder = Path.folder(place)
    let identifier = try Int.fetchOne(database, sql: "PRAGMA application_id") ?? 0
    let found = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
    guard identifier == applicationIdentifier else {
      throw UserError(
        .data,
        folder,
        "its run.sqlite is not the store of a run",
        remedy: "name another folder in runs/"
      )
    }
    guard found == version else {
      throw UserError(
        .data,
        folder,
        "a run of format \(found), this program reads format \(version)",
        remedy: "use the supertop that wrote it, or start a new run"
      )
    }
  }
}

/// Runs `body` and rewords SQLite's errors about the file at `place`.
func telling<T>(_ place: String, _ body: () throws -> T) throws -> T {
  do {
    return try body()
  } catch let error as DatabaseError {
    let message = error.message ?? "\(error.resultCode)"
    switch error.resultCode {
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      throw UserError(.busy, place, "held by another process", remedy: "try again")
    case .SQLITE_FULL, .SQLITE_IOERR:
      throw UserError(.io, place, message, remedy: "check the disk and its free space")
    case .SQLITE_CANTOPEN:
      throw UserError(.noInput, place, message, remedy: "check the folder and its permissions")
    case .SQLITE_READONLY:
      throw UserError(
        .cannotCreate,
        place,
        message,
        remedy: "check the permissions or copy the run elsewhere"
      )
    default: throw damaged(place, message)
    }
  }
}

/// The error for a store whose content makes no sense.
func damaged(_ place: String, _ problem: String) -> UserError {
  UserError(
    .data,
    place,
    "damaged, \(problem)",
    remedy: "restore it from a copy, or start a new run"
  )
}

/// Reads columns without trusting them: the subscripts of GRDB's rows trap on a wrong type, and
/// take several times as long to give the plain value.
struct Fields {
  private let statement: SQLiteStatement
  private let place: String

  /// What `make` makes of every row of a query's answer, which comes from `place`.
  static func all<T>(
    _ database: Database,
    _ sql: String,
    _ arguments: StatementArguments = [],
    place: String,
    _ make: (Fields) throws -> T
  ) throws -> [T] {
    let statement = try database.cachedStatement(sql: sql)
    let fields = Fields(statement: statement.sqliteStatement, place: place)
    let rows = try Row.fetchCursor(statement, arguments: arguments)
    var result: [T] = []
    while try rows.next() != nil { result.append(try make(fields)) }
    return result
  }

  private func stored(_ index: Int) -> DatabaseValue {
    DatabaseValue(sqliteStatement: statement, index: CInt(index))
  }

  func value<T: DatabaseValueConvertible>(_ index: Int) throws -> T {
    let stored = stored(index)
    guard let value = T.fromDatabaseValue(stored) else {
      throw damaged(place, "\(T.self) expected, \(stored) found")
    }
    return value
  }

  /// A number; NaN where SQLite kept NULL for it.
  func number(_ index: Int) throws -> Double {
    stored(index).isNull ? .nan : try value(index)
  }

  func isNull(_ index: Int) -> Bool { stored(index).isNull }

  /// A case of an enumeration, by its name.
  func word<T: RawRepresentable>(_ index: Int) throws -> T where T.RawValue == String {
    let text: String = try value(index)
    guard let word = T(rawValue: text) else { throw damaged(place, "unknown word \(text)") }
    return word
  }

  /// A value stored as JSON.
  func json<T: Decodable>(_ index: Int) throws -> T {
    let text: String = try value(index)
    do {
      return try StoredJSON.decoder().decode(T.self, from: Data(text.utf8))
    } catch {
      throw damaged(place, "\(T.self) expected, \(text.prefix(40)) found")
    }
  }
}

/// JSON in text columns; infinities and NaN survive.
enum StoredJSON {
  static func decoder() -> JSONDecoder {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf",
      negativeInfinity: "-inf",
      nan: "nan"
    )
    return decoder
  }

  static func text(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf",
      negativeInfinity: "-inf",
      nan: "nan"
    )
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
