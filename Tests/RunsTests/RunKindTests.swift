import Runs
import Testing

@Suite struct RunKindTests {
  @Test func `a written configuration says its kind at the top`() throws {
    var config = try Configuration.preset("digits")
    #expect(config.yaml().hasPrefix("kind: search\n"))
    config.search.algorithm = .random
    #expect(config.yaml().hasPrefix("kind: random\n"))
    let training = TrainingConfiguration(
      network: "small",
      data: TrainingConfiguration.Images(source: "digits", resolution: 8)
    )
    #expect(training.yaml().hasPrefix("kind: training\n"))
  }

  @Test func `a run's settings know their kind again`() throws {
    var random = try Configuration.preset("digits")
    random.search.algorithm = .random
    let training = TrainingConfiguration(
      network: "small",
      data: TrainingConfiguration.Images(source: "digits", resolution: 8)
    )
    for (settings, kind) in [
      (.search(try Configuration.preset("digits")), .search), (.search(random), .random),
      (.training(training), .training),
    ] as [(RunSettings, RunKind)] {
      try inTemporaryFolder {
        let run = try RunFolder.create(at: $0 + "/run", settings: settings)
        #expect(try run.settings() == settings)
        #expect(try run.settings().kind == kind)
      }
    }
  }

  @Test(arguments: [
    ("kind: random", "is random, but these are the settings of a search by gradients"),
    (
      "kind: search\nsearch: {algorithm: random}",
      "is search, but these are the settings of a random search"
    ),
    ("kind: training\nrecipe: {}", "is training, but these are the settings of a search"),
    ("kind: joint", "joint"),
  ])
  func `a kind that the rest of a file belies is refused in a line`(
    text: String,
    problem: String
  ) throws {
    try inTemporaryFolder {
      let path = try write(text, to: $0)
      let error = try #require(try userError { _ = try Configuration.load(path: path) })
      #expect(error.code == .configuration)
      #expect(error.place == path + ": kind")
      #expect(error.problem.contains(problem), "\(error)")
    }
  }

  @Test func `a person's file need not say its kind`() throws {
    try inTemporaryFolder {
      let path = try write("search: {algorithm: random}", to: $0)
      #expect(try Configuration.load(path: path).search.algorithm == .random)
      let whole = try write("kind: random\nsearch: {algorithm: random}", to: $0)
      #expect(try Configuration.load(path: whole).search.algorithm == .random)
    }
  }

  @Test func `a run's own file has to say it`() throws {
    try inTemporaryFolder {
      let run = try RunFolder.create(at: $0 + "/run", config: try Configuration.preset("digits"))
      for text in ["preset: digits\n", "kind: other\n"] {
        _ = try write(text, to: run.path)
        let error = try #require(try userError { _ = try run.settings() })
        #expect(error.code == .configuration && error.place.hasSuffix("config.yaml: kind"))
        #expect(error.remedy.contains("training"))
      }
    }
  }

  @Test func `a kind is not set by hand`() throws {
    let error = try #require(
      try userError { _ = try Configuration.preset("digits", overrides: ["kind=random"]) }
    )
    #expect(error.code == .configuration && error.remedy.contains("search.algorithm"))
  }
}
