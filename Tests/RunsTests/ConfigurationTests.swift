import Foundation
import Runs
import Testing

@Suite struct ConfigurationTests {
  @Test(arguments: Configuration.presetNames)
  func `a preset is valid and its file gives it back exactly`(name: String) throws {
    let config = try Configuration.preset(name)
    #expect(config.preset == name)
    try config.validate()
    let back = try inTemporaryFolder {
      try Configuration.load(path: try write(config.yaml(), to: $0))
    }
    #expect(back == config)
  }

  @Test func `the presets have the tables that speeds are compared on`() throws {
    func table(_ name: String) throws -> [[Int]] {
      let space = try Configuration.preset(name).space
      return [[space.stem.width, space.stem.stride, space.head]]
        + space.stages.map { [$0.width, $0.depth, $0.stride] }
    }
    #expect(
      try table("cifar-small") == [
        [16, 1, 256], [16, 1, 1], [24, 2, 2], [32, 2, 2], [64, 2, 2], [112, 1, 1],
      ]
    )
    #expect(
      try table("cifar") == [
        [16, 1, 1504], [16, 1, 1], [24, 4, 1], [32, 4, 2], [64, 4, 2], [112, 4, 1], [184, 4, 2],
        [352, 1, 1],
      ]
    )
    #expect(
      try table("imagenet") == [
        [16, 2, 1984], [16, 1, 1], [24, 4, 2], [32, 4, 2], [64, 4, 2], [112, 4, 1], [184, 4, 2],
        [352, 1, 1],
      ]
    )
    #expect(try Configuration.preset("imagenet").data.resolution == 224)
    #expect(try Configuration.preset("cifar").search.warmupEpochs == 10)
  }

  @Test func `the nine candidates are those of FBNetV1`() throws {
    let blocks = Configuration.candidates
    #expect(
      blocks.map(\.name).joined(separator: " ")
        == "k3_e1 k3_e1_g2 k3_e3 k3_e6 k5_e1 k5_e1_g2 k5_e3 k5_e6 skip"
    )
    #expect(blocks.map(\.kernel) == [3, 3, 3, 3, 5, 5, 5, 5, 0])
    #expect(blocks.map(\.expansion) == [1, 1, 3, 6, 1, 1, 3, 6, 0])
    #expect(blocks.map(\.groups) == [1, 2, 1, 1, 1, 2, 1, 1, 1])
    #expect(blocks.filter(\.isSkip).count == 1)
  }

  @Test func `an unknown preset is refused with the known ones`() throws {
    let error = try #require(try userError { _ = try Configuration.preset("cifra") })
    #expect(error.code == .configuration)
    #expect(error.description.contains("digits, cifar-small, cifar, imagenet"))
  }

  @Test func `awkward values survive a file`() throws {
    var config = try Configuration.preset("digits")
    config.seed = .max
    config.theta.weightDecay = 2e-5
    config.weights.learningRate = 1.0 / 3
    config.budget.flops = 1.234567890123e15
    config.temperature.start = .leastNonzeroMagnitude
    config.search.thetaShare = 1.0.nextDown
    config.search.validationShare = .leastNonzeroMagnitude
    config.data.cache = "~"
    config.data.source = "a \"quoted\" ünïcode: path # [with], 'all' \\ of it\tand a\nline"
    config.space.candidates = [
      .init(name: "true", kernel: 7, expansion: 0.75, groups: 2, activation: .hswish),
      .init(name: "12", kernel: 0, expansion: 0),
    ]
    let back = try inTemporaryFolder {
      try Configuration.load(path: try write(config.yaml(), to: $0))
    }
    #expect(back == config)
  }

  @Test func `a partial file keeps the rest of its preset`() throws {
    let config = try inTemporaryFolder {
      try Configuration.load(
        path: try write(
          """
          preset: cifar-small
          search:
            batch: 16   # halved twice
          temperature: {start: 4}
          weights:
          space:
            candidates: [k3_e1, skip, {name: wide, kernel: 7, expansion: 2.5}]
          """,
          to: $0
        )
      )
    }
    var expected = try Configuration.preset("cifar-small")
    expected.search.batch = 16
    expected.temperature.start = 4
    expected.space.candidates = [
      .init(name: "k3_e1", kernel: 3, expansion: 1), .init(name: "skip", kernel: 0, expansion: 0),
      .init(name: "wide", kernel: 7, expansion: 2.5),
    ]
    #expect(config == expected)
  }

  @Test func `an empty file is the digits preset`() throws {
    let config = try inTemporaryFolder {
      try Configuration.load(path: try write("# none\n", to: $0))
    }
    #expect(config == (try Configuration.preset("digits")))
  }

  @Test func `the warm-up follows the epochs unless it is named`() throws {
    #expect(try Configuration.preset("cifar", overrides: ["epochs=2"]).search.warmupEpochs == 0)
    #expect(try Configuration.preset("cifar", overrides: ["epochs=45"]).search.warmupEpochs == 5)
    let named = ["search.warmup_epochs=3", "search.epochs=20"]
    #expect(try Configuration.preset("cifar", overrides: named).search.warmupEpochs == 3)
    try inTemporaryFolder {
      let path = try write("preset: cifar\nsearch: {epochs: 18}\n", to: $0)
      #expect(try Configuration.load(path: path).search.warmupEpochs == 2)
      let shorter = try Configuration.load(path: path, overrides: ["search.epochs=9"])
      #expect(shorter.search.warmupEpochs == 1)
    }
  }

  @Test func `a recipe's warm-up keeps its share of epochs that are fewer`() throws {
    // 5 of 150 epochs.
    func warmup(_ overrides: [String]) throws -> Double {
      try JointConfiguration.preset("fbnet-v3", overrides: overrides).recipe.warmupEpochs
    }
    #expect(try warmup(["recipe.epochs=3"]) == 0.1)
    #expect(try warmup(["recipe.epochs=5"]) == 5)
    #expect(try warmup(["recipe.epochs=3", "recipe.warmup_epochs=2"]) == 2)
    #expect(throws: UserError.self) {
      try warmup(["recipe.epochs=3", "recipe.warmup_epochs=5"])
    }
    try inTemporaryFolder {
      let path = try write("preset: fbnet-v3\nrecipe: {epochs: 3}\n", to: $0)
      #expect(try JointConfiguration.load(path: path).recipe.warmupEpochs == 0.1)
      let other = try JointConfiguration.load(path: path, overrides: ["recipe.epochs=30"])
      #expect(other.recipe.warmupEpochs == 0.1)
      let said = try write("preset: fbnet-v3\nrecipe: {epochs: 3, warmup_epochs: 4}\n", to: $0)
      #expect(throws: UserError.self) { try JointConfiguration.load(path: said) }
    }
    var recipe = Recipe()
    (recipe.warmupEpochs, recipe.epochs) = (5, 20)
    #expect(try recipe.applying(["epochs=2"]).warmupEpochs == 0.5)
  }

  @Test func `the temperature ends where it did unless its rate is named`() throws {
    func last(_ config: Configuration) -> Double {
      config.temperature.value(epoch: config.search.epochs, of: config.search.epochs)
    }
    let whole = last(try Configuration.preset("cifar"))
    let short = try Configuration.preset("cifar", overrides: ["epochs=9"])
    #expect(abs(last(short) / whole - 1) < 1e-9)
    let named = ["epochs=9", "temperature.rate=0.045"]
    #expect(try Configuration.preset("cifar", overrides: named).temperature.rate == 0.045)
    try inTemporaryFolder {
      let path = try write("preset: cifar\nsearch: {epochs: 18}\n", to: $0)
      #expect(abs(last(try Configuration.load(path: path)) / whole - 1) < 1e-9)
    }
  }

  @Test func `overrides reach every kind of key`() throws {
    var config = try Configuration.preset("digits")
    for assignment in [
      "batch=4", "seed=18446744073709551615", "search.hard=true", "sampling=sample",
      "theta.learning_rate=1e-3", "data.source=cifar10:/some where/#1", "data.cache=",
      "space.stages=[{width: 8, depth: 2, stride: 2}]", "space.stem={width: 8}",
      "space.candidates=[k3_e1, skip]",
    ] {
      try config.set(assignment)
    }
    #expect(config.search.batch == 4)
    #expect(config.seed == .max)
    #expect(config.search.hard)
    #expect(config.search.sampling == .sample)
    #expect(config.theta.learningRate == .named(1e-3))
    #expect(config.data.source == "cifar10:/some where/#1")
    #expect(config.space.stages == [.init(width: 8, depth: 2, stride: 2)])
    #expect(config.space.stem == .init(width: 8, stride: 1))
    #expect(config.space.candidates.map(\.name) == ["k3_e1", "skip"])
  }

  @Test func `settings that only hold together may be overridden one by one`() throws {
    let config = try Configuration.preset(
      "digits",
      overrides: ["loss.form=target", "budget.flops=1e6"]
    )
    #expect(config.budget.flops == 1e6)
  }

  @Test func `a budget brings its metric and the target form unless they are said`() throws {
    let short = try Configuration.preset("digits", overrides: ["budget.latency=2.5"])
    #expect(short.search.cost == .latency && short.loss.form == .target)
    #expect(short.limit == 2.5 && short.loss.alpha == Configuration.firstMultiplier)
    let fixed = try Configuration.preset(
      "digits",
      overrides: ["budget.latency=2.5", "loss.multiplier=fixed"]
    )
    #expect(fixed.loss.form == .target && fixed.loss.alpha == Configuration.targetAlpha)
    let said = try Configuration.preset(
      "digits",
      overrides: ["loss={form: log, alpha: 0.3}", "params=2e4", "cost=params"]
    )
    #expect(said.loss.form == .log && said.loss.alpha == 0.3 && said.limit == 2e4)
    try inTemporaryFolder {
      let path = try write("budget: {latency: 2.5}\n", to: $0)
      #expect(try Configuration.load(path: path) == short)
      // A complete file says everything, so it comes back as it is.
      let whole = try write(said.yaml(), to: $0)
      #expect(try Configuration.load(path: whole) == said)
    }
    #expect(try Configuration.preset("digits", overrides: []).limit == nil)
  }

  @Test(arguments: [
    ("learning_rate=1", "weights.learning_rate or theta.learning_rate"),
    ("search.bacth=4", "search.batch"), ("bacth=4", "search.batch"),
    ("search.batch=-4", "--set search.batch: -4 is not allowed"),
    ("search.batch=four", "an integer"), ("preset=cifar", "--preset"), ("search=4", "search"),
    ("space.candidates=[", "not YAML"), ("space.stages[0].width=4", "unknown key"),
  ])
  func `a wrong override is refused`(assignment: String, words: String) throws {
    var config = try Configuration.preset("digits")
    let before = config
    let error = try #require(try userError { try config.set(assignment) })
    #expect(error.code == .configuration)
    #expect(error.description.contains(words), "\(error)")
    #expect(config == before)
  }

  @Test func `an override without a value is a matter of usage`() throws {
    var config = try Configuration.preset("digits")
    #expect(try userError { try config.set("batch") }?.code == .usage)
  }

  @Test func `every key is explained and every explained key exists`() throws {
    let encoded = try Set(
      ["digits", "fbnet-v2-digits"].map { try Configuration.preset($0) }.flatMap {
        paths(in: withOptionalKeys($0).yaml())
      }
    )
    let explained = Set(
      Configuration.explain().split(separator: "\n").dropFirst(2)
        .filter { !$0.hasPrefix("      ") }
        .compactMap { $0.trimmingCharacters(in: .whitespaces).split(separator: " ").first }
        .map { $0.hasSuffix(":") ? String($0.dropLast()) : String($0) }
    )
    #expect(encoded.symmetricDifference(explained) == [])
    #expect(encoded.contains("space.candidates[].kernel"))
    #expect(!Configuration.explain().split(separator: "\n").contains { $0.count > 100 })
  }

  /// The same with all keys that a stage may leave out.
  private func withOptionalKeys(_ configuration: Configuration) -> Configuration {
    var it = configuration
    it.space.masked?.stages[0].convolution = false
    it.space.masked?.stages[0].secondKernel = 3
    it.space.masked?.stages[0].padding = 1
    it.space.masked?.stages[0].squeezeWidth = 8
    it.space.masked?.stages[0].squeezeActivation = .relu
    it.space.masked?.stages[0].zeroGamma = true
    return it
  }

  /// Paths by indentation, read from the written file itself: independent of the table.
  private func paths(in yaml: String) -> Set<String> {
    var encoded = Set<String>()
    var section: [String] = []
    for line in yaml.split(separator: "\n") {
      let indent = line.prefix { $0 == " " }.count / 2
      var text = line.drop { $0 == " " }
      if text.hasPrefix("- {") {
        // Items of lists inside have no colon.
        for pair in text.dropFirst(3).dropLast().split(separator: ",") where pair.contains(":") {
          let name = pair.split(separator: ":")[0].trimmingCharacters(in: .whitespaces)
          encoded.insert(
            (section + ["[]." + name]).joined(separator: ".")
              .replacingOccurrences(of: ".[]", with: "[]")
          )
        }
        continue
      }
      text = text.prefix { $0 != ":" }
      section = section.prefix(indent) + [String(text)]
      encoded.insert(section.joined(separator: "."))
    }
    return encoded
  }
}
