import Foundation
import GRDB

extension RunStore {
  /// Takes over what another run had recorded by the end of `step` steps: its choices, steps, θ,
  /// epochs, requests, log and fingerprint; of requests at `step` itself those up to `lastRequest`.
  func adopt(from path: String, step: Int, lastRequest: Int64) throws {
    try telling(place) {
      try database.writeWithoutTransaction { database in
        try database.execute(sql: "ATTACH DATABASE ? AS parent", arguments: [path])
        defer { try? database.execute(sql: "DETACH DATABASE parent") }
        func parentColumns(_ table: String) throws -> Set<String> {
          Set(
            try Row.fetchAll(database, sql: "PRAGMA parent.table_info(\(table))")
              .compactMap { $0["name"] }
          )
        }
        let hasSteps = try parentColumns("log").contains("step")
        try database.inTransaction {
          for (table, condition) in [
            ("choices", ""), ("choice_prices", ""), ("data", ""), ("steps", "WHERE step < :step"),
            ("thetas", "WHERE step < :step"), ("epochs", "WHERE step <= :step"),
            (
              "interventions",
              """
              WHERE state IN ('done', 'refused')
                AND (step < :step OR step = :step AND id <= :last AND :last >= 0)
              """
            ),
            ("log", "WHERE step <= :step"),
          ] where table != "log" || hasSteps {
            // A parent of an earlier program may lack some.
            let known = try parentColumns(table)
            let columns = try database.columns(in: table).map(\.name)
              .filter(known.contains).joined(separator: ", ")
            let all: [String: any DatabaseValueConvertible] = ["step": step, "last": lastRequest]
            try database.execute(
              sql: "INSERT INTO \(table) (\(columns)) SELECT \(columns) FROM parent.\(table) "
                + condition,
              arguments: StatementArguments(all.filter { condition.contains(":" + $0.key) })
            )
          }
          return .commit
        }
      }
    }
  }
}
