import Runs
import Testing

/// The one language in which runs are picked out of many.
@Suite struct RunFilterTests {
  private static func run(
    _ name: String,
    _ kind: RunKind,
    _ state: RunOverview.State,
    _ values: [(String, String)] = []
  ) -> RunOverview {
    var run = RunOverview(path: "runs/" + name, state: state)
    run.kind = kind
    run.preset = "digits"
    run.data = "digits"
    run.values = values.map { .init(key: $0.0, text: $0.1) }
    return run
  }

  private static let runs = [
    run("digits-1", .search, .running, [("seed", "1"), ("search.epochs", "30")]),
    run("digits-10", .search, .finished, [("seed", "10"), ("search.epochs", "90")]),
    run("luck", .random, .finished, [("seed", "1"), ("search.epochs", "30")]),
    run("Alone (again)", .training, .gone, [("seed", "2"), ("recipe.epochs", "30")]),
  ]

  private func names(_ text: String) throws -> [String] {
    try RunFilter(text)(Self.runs).map(\.name)
  }

  @Test(arguments: [
    ("luck", ["luck"]),
    ("LUCK", ["luck"]),
    ("name:digits", ["digits-1", "digits-10"]),
    ("state:finished", ["digits-10", "luck"]),
    ("kind:search state:finished", ["digits-10"]),
    ("kind:search AND state:finished", ["digits-10"]),
    ("kind:random OR state:running", ["digits-1", "luck"]),
    ("NOT kind:search", ["luck", "Alone (again)"]),
    ("NOT NOT kind:random", ["luck"]),
    // AND binds before OR, and NOT before AND.
    ("kind:random OR kind:search state:running", ["digits-1", "luck"]),
    ("(kind:random OR kind:search) NOT state:running", ["digits-10", "luck"]),
    ("NOT (kind:search OR kind:random)", ["Alone (again)"]),
    ("/^digits-\\d$/", ["digits-1"]),
    ("name:/^DIG.*0$/", ["digits-10"]),
    ("path:/runs\\/l/", ["luck"]),
    // A setting is whole: 1 is not 10.
    ("seed:1", ["digits-1", "luck"]),
    ("epochs:30", ["digits-1", "luck", "Alone (again)"]),
    ("search.epochs:30", ["digits-1", "luck"]),
    ("name:\"(again)\"", ["Alone (again)"]),
    ("\"Alone (\"", ["Alone (again)"]),
    ("nothing-like-it", []),
  ])
  func `an expression picks`(text: String, expected: [String]) throws {
    #expect(try names(text) == expected, "\(text)")
  }

  @Test(arguments: [
    ("", "an empty filter"),
    ("  ", "an empty filter"),
    ("AND", "missing before AND"),
    ("luck AND", "missing at the end"),
    ("luck OR OR luck", "missing before OR"),
    ("NOT", "missing at the end"),
    ("(luck", "( that is not closed"),
    ("luck)", ") that nothing opens"),
    ("()", "missing before )"),
    ("/ab", "/ that is not closed"),
    ("/(/", "no regular expression"),
    ("\"ab", "\" that is not closed"),
    ("colour:red", "'colour'"),
    (":red", "empty key"),
    ("state:", "no value after state:"),
    ("state: running", "no value after state:"),
    ("state:runing", "no state runing"),
    ("kind:train", "no kind train"),
    (String(repeating: "(", count: 100_000) + "luck", "100 deep"),
    (String(repeating: "NOT ", count: 100_000) + "luck", "100 deep"),
  ])
  func `a mistake is told in one line`(text: String, words: String) throws {
    let error = try #require(try userError { _ = try RunFilter(text) })
    #expect(error.code == .usage)
    #expect(error.description.contains(words), "\(error)")
    #expect(error.description.hasPrefix("--filter") && !error.remedy.isEmpty)
    #expect(!error.description.contains("\n"))
  }
}
