import Runs
import Testing

/// Settings of joint searches as files: what is read back, and what is refused in a line.
@Suite struct JointConfigurationTests {
  @Test(arguments: JointConfiguration.presetNames)
  func `a preset is read back from what it is written as`(name: String) throws {
    let settings = try JointConfiguration.preset(name)
    try settings.validate()
    #expect(settings.yaml().hasPrefix("kind: joint\n"))
    try inTemporaryFolder {
      let path = try write(settings.yaml(), to: $0)
      #expect(try JointConfiguration.load(path: path) == settings)
      #expect(try RunSettings.load(path: path) == .joint(settings))
      #expect(RunSettings.isJoint(path: path))
    }
    #expect(try RunSettings.preset(name) == .joint(settings))
  }

  @Test func `a file may leave keys out`() throws {
    try inTemporaryFolder {
      let path = try write(
        "preset: fbnet-v3-cifar\nrecipe: {epochs: 7}\nranges: {mixups: []}\n",
        to: $0
      )
      let settings = try JointConfiguration.load(path: path, overrides: ["search.rounds=3"])
      #expect(settings.recipe.epochs == 7 && settings.ranges.mixups.isEmpty)
      #expect(settings.search.rounds == 3 && settings.preset == "fbnet-v3-cifar")
      #expect(RunSettings.isJoint(path: path))
      let other = try write("preset: digits\n", to: $0, as: "other.yaml")
      #expect(!RunSettings.isJoint(path: other) && !RunSettings.isJoint(path: "/no/such/file"))
    }
  }

  @Test(arguments: [
    ("space: {stages: [{widths: [8, 4], first_expansions: [1]}]}", "widths[1]: 4 follows 8"),
    ("space: {stages: [{widths: [8]}]}", "space.stages[0].first_expansions: missing"),
    (
      "space: {stages: [{widths: [8], first_expansions: [1], kernels: [3, 4]}]}",
      "space.stages[0].kernels: 4 is no odd side"
    ),
    ("space: {resolutions: [6, 7]}", "space.resolutions: ends with 7"),
    ("space: {stem: {widths: []}}", "space.stem.widths: empty"),
    ("ranges: {learning_rates: [0.1, 0.01]}", "ranges.learning_rates[1]: 0.01 follows 0.1"),
    ("ranges: {optimisers: [adam]}", "ranges.optimisers[0]: adam is not allowed"),
    ("ranges: {dropouts: [0, 1]}", "ranges.dropouts[1]: 1 is not allowed"),
    ("ranges: {mixup: [0]}", "the nearest known key is ranges.mixups"),
    ("recipe: {shift: 6}", "recipe.shift: 6 can move an image of 6 away"),
    ("recipe: {stop_epoch: 3}", "recipe.stop_epoch: a joint search finds it"),
    ("search: {candidates: 1}", "search.candidates: 1 is not allowed"),
    ("search: {rank_correlation: 0}", "search.rank_correlation: 0 is not allowed"),
    (
      "search: {algorithm: recipe}\nranges: {optimisers: [], learning_rates: [], "
        + "weight_decays: [], mixups: [], dropouts: [], drop_paths: [], emas: []}",
      "search.algorithm: is recipe, but nothing of that is left to choose"
    ),
    ("budget: {watts: 3}", "budget.watts: unknown key"),
    ("budget: {latency: -3}", "budget.latency"),
    ("kind: training", "kind: is training"),
    ("theta: {beta1: 0.5}", "theta: unknown key"),
  ])
  func `what does not hold is refused in a line`(text: String, words: String) throws {
    try inTemporaryFolder {
      let path = try write(text + "\n", to: $0)
      let error = try #require(try userError { _ = try JointConfiguration.load(path: path) })
      #expect(error.code == .configuration)
      #expect(error.description.contains(words), "\(error)")
      #expect(!error.description.contains("\n"))
    }
  }

  @Test func `a training may stop before the end of its schedule`() throws {
    var recipe = Recipe()
    #expect(recipe.trainedEpochs == 30)
    recipe = try recipe.applying(["stop_epoch=4"])
    #expect(recipe.trainedEpochs == 4 && recipe.epochs == 30)
    let error = try #require(try userError { _ = try recipe.applying(["epochs=3"]) })
    #expect(error.description.contains("stop_epoch"))
  }
}
