import Foundation
import GRDB
import Runs
import Testing

/// The store as other programs open it: tables, columns, types, and what marks the file.
struct StoreContractTests {
  @Test func `the store has the tables and columns that the page lists`() throws {
    let folder = try Program.Folder()
    let ending = try Program.run(
      ["search", "--run", "run", "--headless", "--set", "budget.flops=30000"]
        + Program.tiny(epochs: 2),
      in: folder
    )
    #expect(ending.code == 0, "\(ending.errors)")
    var settings = GRDB.Configuration()
    settings.readonly = true
    let store = try DatabaseQueue(path: folder.path + "/run/run.sqlite", configuration: settings)
    try store.read { database in
      #expect(try Int.fetchOne(database, sql: "PRAGMA user_version") == 5)
      #expect(try Int.fetchOne(database, sql: "PRAGMA application_id") == 0x5354_4F50)
      let names = try String.fetchAll(
        database,
        sql: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
      )
      #expect(Set(names.map { "table " + $0 }) == Set(Contract.store.map(\.name)))
      for name in names {
        let columns = try Row.fetchAll(
          database,
          sql: "SELECT name, type, \"notnull\" OR pk AS always FROM pragma_table_info(?)",
          arguments: [name]
        )
        let found = Contract.Shape(
          "table " + name,
          kinds: Dictionary(uniqueKeysWithValues: columns.map { ($0["name"], $0["type"]) }),
          sometimes: Set(columns.filter { !($0["always"] as Bool) }.map { $0["name"] })
        )
        #expect(Contract.store.contains(found), "\(found)")
      }
      // The result is the object that the program prints.
      let result = try String.fetchOne(database, sql: "SELECT json FROM result")
      #expect(
        Contract.faults(try result.map { try JSONValue($0) }, as: "`done` of a search") == []
      )
      let counts = try String.fetchOne(database, sql: "SELECT counts FROM thetas")
      let bytes = try Int.fetchOne(database, sql: "SELECT length(logits) FROM thetas")
      #expect(counts == "3 3" && bytes == 4 * 6)
      let options = try #require(try String.fetchOne(database, sql: "SELECT options FROM choices"))
      #expect(try JSONValue(options).list.first?["name"] == .text("k3_e1"))
    }
  }

  @Test func `an older store lacks what came later, and a trainer adds the columns`() throws {
    let folder = try Program.Folder()
    let ending = try Program.run(
      ["search", "--run", "run", "--headless"] + Program.tiny(epochs: 2),
      in: folder
    )
    #expect(ending.code == 0, "\(ending.errors)")
    let run = try RunFolder.open(path: folder.path + "/run")
    try run.store().log(.notice, "before")
    let done = try #require(try run.reader().status()?.step)
    #expect(try run.reader().log().last?.step == done)
    let older = try DatabaseQueue(path: run.storePath)
    try older.write {
      try $0.execute(sql: "ALTER TABLE log DROP COLUMN step")
      try $0.execute(sql: "ALTER TABLE epochs DROP COLUMN ranking")
    }
    try older.close()
    #expect(try run.reader().log().allSatisfy { $0.step == nil })
    #expect(try run.makeBranch().reader().log().map(\.text).last?.hasPrefix("branched") == true)
    #expect(try run.reader().epochs().count == 2)
    try run.store().log(.info, "again")
    #expect(try run.reader().epochs().count == 2)
    #expect(try run.reader().log().last?.step == done)
  }
}
