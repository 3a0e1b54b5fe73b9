import Foundation
import Runs
import Testing

/// Recipes and the settings of a training as files and overrides (spec S41).
@Suite struct RecipeTests {
  @Test func `a file gives a recipe back exactly, and may leave keys out`() throws {
    var recipe = Recipe()
    recipe.optimiser = .rmsprop
    recipe.learningRate = 1.0 / 3
    recipe.schedule = .step
    recipe.ema = 0.9999
    recipe.flip = true
    try inTemporaryFolder {
      let back = try Recipe.load(path: try write(recipe.yaml(), to: $0))
      #expect(back == recipe)
      var mixed = Recipe()
      mixed.mixup = 0.2
      let partial = try Recipe.load(path: try write("mixup: 0.2\n", to: $0))
      #expect(partial == mixed)
      let empty = try Recipe.load(path: try write("# nothing\n", to: $0))
      #expect(empty == Recipe())
    }
  }

  static let overrides: [(String, any WritableKeyPath<Recipe, Double> & Sendable)] = [
    ("learning_rate", \.learningRate), ("momentum", \.momentum), ("rms_alpha", \.rmsAlpha),
    ("rms_epsilon", \.rmsEpsilon), ("step_epochs", \.stepEpochs), ("decay_factor", \.decayFactor),
    ("warmup_epochs", \.warmupEpochs), ("weight_decay", \.weightDecay),
    ("label_smoothing", \.labelSmoothing), ("mixup", \.mixup), ("dropout", \.dropout),
    ("drop_path", \.dropPath), ("ema", \.ema),
  ]

  @Test func `every key is set by its name and nothing else changes`() throws {
    for (name, path) in Self.overrides {
      var expected = Recipe()
      expected[keyPath: path] = 0.375
      #expect(try Recipe().applying(["\(name)=0.375"]) == expected, "\(name)")
    }
    let words = try Recipe().applying([
      "optimiser=rmsprop", "schedule=exponential", "epochs=7", "batch=5", "shift=2", "flip=true",
      "recalibration_images=9", "first_values=group-fan-out",
    ])
    #expect(words.optimiser == .rmsprop && words.schedule == .exponential && words.flip)
    #expect(words.epochs == 7 && words.batch == 5 && words.firstValues == .groupFanOut)
    #expect(words.shift == 2 && words.recalibrationImages == 9)
  }

  static let faults: [(yaml: String, words: [String])] = [
    ("mixpu: 0.2\n", [": mixpu: unknown key", "nearest known key is mixup"]),
    ("weights_decay: 0.2\n", ["nearest known key is weight_decay"]),
    ("optimiser: adam\n", ["optimiser: adam", "sgd or rmsprop"]),
    ("first_values: kaiming\n", ["first_values: kaiming", "group-fan-out or layer-fan-out"]),
    ("schedule: linear\n", ["schedule: linear", "cosine, step, exponential or constant"]),
    ("learning_rate: 0\n", ["learning_rate: 0", "above 0"]),
    ("momentum: 1\n", ["momentum: 1"]), ("ema: 1\n", ["ema: 1"]),
    ("dropout: 1\n", ["dropout: 1"]), ("drop_path: -0.1\n", ["drop_path: -0.1"]),
    ("mixup: -1\n", ["mixup: -1"]), ("decay_factor: 1.5\n", ["decay_factor: 1.5", "up to 1"]),
    ("epochs: 0\n", ["epochs: 0"]), ("batch: many\n", ["batch: many"]),
    ("epochs: 2\nwarmup_epochs: 3\n", ["warmup_epochs: 3", "at or below epochs"]),
    ("flip: perhaps\n", ["flip: perhaps", "true or false"]),
  ]

  @Test(arguments: faults.indices)
  func `a fault in a recipe is reported in one line`(index: Int) throws {
    let (yaml, words) = Self.faults[index]
    try inTemporaryFolder {
      let path = try write(yaml, to: $0, as: "recipe.yaml")
      let error = try #require(try userError { _ = try Recipe.load(path: path) }, "\(yaml)")
      #expect(error.code == .configuration)
      #expect(error.description.hasPrefix(path + ": "), "\(error)")
      for word in words { #expect(error.description.contains(word), "\(error)") }
    }
  }

  @Test func `every recipe key is explained`() {
    let keys = Recipe().yaml().split(separator: "\n").map { String($0.prefix { $0 != ":" }) }
    #expect(keys.count == 23)
    let explained = Recipe.explain().split(separator: "\n").map { $0.drop { $0 == " " } }
    for key in keys { #expect(explained.contains { $0.hasPrefix(key + " ") }, "\(key)") }
  }

  @Test func `the settings of a training are set by path or by a unique ending`() throws {
    var settings = training()
    try settings.apply([
      "recipe.mixup=0.5", "ema=0.9", "seed=4", "data.resolution=16", "threads=2", "shift=3",
    ])
    #expect(settings.recipe.mixup == 0.5 && settings.recipe.ema == 0.9)
    #expect(settings.seed == 4 && settings.data.resolution == 16 && settings.threads == 2)
    #expect(settings.dataSettings.shift == 3)
    for (text, word) in [
      ("mixpu=1", "recipe.mixup"), ("shift=16", "recipe.shift"), ("network=a", "NETWORK"),
      ("warmup_epochs=31", "recipe.warmup_epochs"),
    ] {
      var copy = settings
      let error = try #require(try userError { try copy.apply([text]) }, "\(text)")
      #expect(error.code == .configuration && error.description.contains(word), "\(error)")
    }
  }

  @Test func `a run says whether it searches or trains`() throws {
    try inTemporaryFolder { folder in
      let settings = RunSettings.training(training())
      let start = Checkpoint(tensors: [.init(name: "a", shape: [2], values: [1, 2])])
      let run = try RunFolder.createNext(
        settings: settings,
        network: Data("{}".utf8),
        start: start,
        under: folder
      )
      #expect(run.name == "my_net-1")
      let again = try RunFolder.open(path: run.path)
      #expect(try again.settings() == settings)
      #expect(try again.network() == Data("{}".utf8))
      #expect(try again.start()?.tensors == start.tensors)
      #expect(try userError { _ = try again.configuration() }?.code == .data)

      let preset = try Configuration.preset("digits")
      let search = try RunFolder.create(at: folder + "/search", config: preset)
      #expect(try search.settings() == .search(preset))
      #expect(try search.start() == nil)
      #expect(try userError { _ = try search.network() }?.code == .noInput)
    }
  }

  @Test func `the share of five most probable classes is kept`() throws {
    try inTemporaryFolder {
      let run = try RunFolder.create(at: $0 + "/run", settings: .training(training()))
      let store = try run.store()
      var record = epoch(0, step: 10)
      record.topFive = 0.75
      try store.record(epoch: record)
      try store.record(epoch: epoch(1, step: 20))
      #expect(try run.reader().epochs() == [record, epoch(1, step: 20)])
    }
  }

  private func training() -> TrainingConfiguration {
    TrainingConfiguration(
      network: "my_net",
      data: TrainingConfiguration.Images(source: "digits", resolution: 8)
    )
  }
}
