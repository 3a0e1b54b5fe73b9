import Foundation
import Runs
import Testing

@Suite struct ConfigurationFaultTests {
  /// A file whose space of masked blocks has these keys.
  private static func masked(_ keys: String) -> String {
    "preset: fbnet-v2-digits\nspace: {masked: {\(keys)}}\n"
  }

  /// A file, what its error line must hold after the path, and the key or place named.
  static let faults: [(yaml: String, words: [String])] = [
    ("serach:\n  batch: 4\n", [": serach: unknown key", "search"]),
    (
      "search:\n  bacth: 4\n", [": search.bacth: unknown key", "nearest known key is search.batch"]
    ),
    ("batch: 4\n", [": batch: unknown key", "nearest known key is search.batch"]),
    (
      "space:\n  stages:\n  - {width: 8, depth: 1, strid: 1}\n",
      ["space.stages[0].strid", "nearest known key is space.stages[].stride"]
    ),
    ("space: {stages: [{width: 8, depth: 1}]}\n", ["space.stages[0].stride: missing"]),
    ("space: {stages: []}\n", ["space.stages: empty"]),
    ("space: {candidates: []}\n", ["space.candidates: empty"]),
    ("space: {candidates: {k3_e1: 1}}\n", ["space.candidates: not a list"]),
    ("space: {candidates: [k3e1]}\n", ["space.candidates[0]: k3e1 is not the name"]),
    ("space: {candidates: [k3_e1, k3_e1]}\n", ["space.candidates[1].name: k3_e1 is used twice"]),
    ("space: {candidates: [k4_e1]}\n", ["space.candidates[0].kernel: 4", "odd"]),
    ("space: {candidates: [k3_e1_g5]}\n", ["space.candidates[0].groups: 5 does not divide"]),
    (
      "space: {candidates: [{name: a, kernel: 3, expansion: 0}]}\n",
      ["space.candidates[0].expansion: 0"]
    ),
    ("space: {candidates: [{name: a, kernel: 3}]}\n", ["space.candidates[0].expansion: missing"]),
    (
      "space: {candidates: [{name: a, kernel: 0, expansion: 2}]}\n",
      ["space.candidates[0]: kernel 0 is a skip"]
    ),
    (
      masked("stages: [{widths: [16, 8], expansions: [1]}]"),
      ["space.masked.stages[0].widths[1]: 8 follows 16", "ascending"]
    ),
    (
      masked("stages: [{widths: [8, 8], expansions: [1]}]"),
      ["space.masked.stages[0].widths[1]: 8 follows 8"]
    ),
    (
      masked("stages: [{widths: [8, 16], expansions: []}]"),
      ["space.masked.stages[0].expansions: empty"]
    ),
    (masked("stages: [{widths: [8, 16]}]"), ["space.masked.stages[0].expansions: missing"]),
    (
      masked("stages: [{widths: [8, 16], expansions: [1], kernels: [3, 4]}]"),
      ["space.masked.stages[0].kernels", "4 is no odd side"]
    ),
    (
      masked("stages: [{widths: [8, 16], expansions: [1], squeeze: [no]}]"),
      ["space.masked.stages[0].squeeze[0]"]
    ),
    (
      masked("stages: [{widths: [8, 16], expansions: [1, 2], expand: false}]"),
      ["space.masked.stages[0].expansions", "nothing expands"]
    ),
    (
      masked("stages: [{widths: [8, 16], expansions: [1], skip: true}]"),
      ["space.masked.stages[0].skip", "cannot be left out"]
    ),
    (
      masked("resolutions: [7, 8], stages: [{widths: [8, 16], stride: 2, expansions: [1]}]"),
      ["space.masked.resolutions", "7 does not divide by 2"]
    ),
    (
      masked("resolutions: \(Array(4...40)), stages: [{widths: [8, 16], expansions: [1]}]"),
      ["space.masked.resolutions: 37 options", "give 36 at most"]
    ),
    (
      masked("resolutions: [4], stages: [{widths: [8, 16], expansions: [1]}]"),
      ["space.masked.resolutions", "ends with 4, but the images have 8"]
    ),
    (
      masked("stem_widths: [], resolutions: [], stages: [{widths: [8], expansions: [1]}]"),
      ["space.masked", "leaves nothing to choose"]
    ),
    (
      masked("stem_widths: [8, 12], stages: [{widths: [8], expansions: [1]}]"),
      ["space.masked.stem_widths", "ends with 12, but the stem has 16"]
    ),
    (
      masked("head_widths: [32, 50]"),
      ["space.masked.head_widths", "ends with 50, but the head has 128", "space.head"]
    ),
    (masked("pool_bias: true"), ["space.masked.pool_bias", "no 1x1 convolution behind the mean"]),
    (masked("stem_kernel: 0"), ["space.masked.stem_kernel", "0 is no kernel"]),
    (
      masked("stages: [{widths: [8, 16], expansions: [1], convolution: true}]"),
      ["space.masked.stages[0].convolution", "one kernel", "expand to false"]
    ),
    (
      masked("stages: [{widths: [8, 16], expansions: [1], kernels: [3, 5], padding: 1}]"),
      ["space.masked.stages[0].padding", "one border for several kernels"]
    ),
    (
      masked("stages: [{widths: [8, 16], expansions: [1], padding: 0}]"),
      ["space.masked.stages[0].padding", "moves the pixels", "one resolution"]
    ),
    (
      masked("resolutions: [8], stages: [{expansions: [1, 2], padding: 0}]"),
      ["space.masked.stages[0].padding", "no shortcut fits"]
    ),
    (
      masked(
        "resolutions: [8], stages: [{widths: [8], expansions: [1, 2], kernels: [9], padding: 0}]"
      ),
      ["space.masked.stages[0].padding", "9 does not fit on a map of 8x8"]
    ),
    ("search: {batch: -4}\n", ["search.batch: -4", "an integer, 1 or more"]),
    ("search: {batch: many}\n", ["search.batch: many", "integer"]),
    ("search: {batch: '4'}\n", ["search.batch: 4 is quoted, so it is text", "integer"]),
    ("weights: {learning_rate: \"0.05\"}\n", ["learning_rate: 0.05 is quoted", "a number above"]),
    ("data: {flip: 'true'}\n", ["data.flip: true is quoted", "true or false"]),
    ("seed: 010\n", ["seed: 010 has a leading zero", "octal, 8"]),
    ("seed: 08\n", ["seed: 08 has a leading zero", "octal;"]),
    ("seed: 0o10\n", ["seed: 0o10 is octal, 8"]),
    ("seed: 0x10\n", ["seed: 0x10 is hexadecimal, 16"]),
    ("seed: 0b11\n", ["seed: 0b11 is binary, 3"]),
    ("seed: 1:30\n", ["seed: 1:30 is a number to base 60, 90"]),
    ("seed: 1_000\n", ["seed: 1_000 has underscores"]),
    ("search: {batch: -010}\n", ["search.batch: -010 has a leading zero"]),
    ("weights: {learning_rate: 010}\n", ["learning_rate: 010 has a leading zero"]),
    ("weights: {learning_rate: 1:30.5}\n", ["learning_rate: 1:30.5 is a number to base 60"]),
    ("weights: {learning_rate: 0x1p-4}\n", ["learning_rate: 0x1p-4 is hexadecimal"]),
    ("space: {stages: [{width: 010, depth: 1, stride: 1}]}\n", ["stages[0].width: 010 has"]),
    (
      "space: {candidates: [{name: a, kernel: 03, expansion: 1}]}\n",
      ["candidates[0].kernel: 03 has a leading zero"]
    ),
    ("search: {batch: [4]}\n", ["search.batch: not a single value"]),
    ("search: {batch: 99999999999999999999}\n", ["search.batch"]),
    ("search: {batch: }\n", ["search.batch: no value"]),
    ("search: {epochs: 0}\n", ["search.epochs: 0"]),
    ("search: {theta_share: 0}\n", ["search.theta_share: 0", "above 0 and below 1"]),
    ("search: {theta_share: 1.0}\n", ["search.theta_share: 1.0"]),
    ("search: {hard: maybe}\n", ["search.hard: maybe", "true or false"]),
    (
      "preset: fbnet-v2-digits\nweights: {candidate_values: aligned}\n",
      ["weights.candidate_values", "masked blocks share", "independent"]
    ),
    ("weights: {candidate_values: same}\n", ["candidate_values: same", "independent or aligned"]),
    ("search: {sampling: each}\n", ["search.sampling: each", "batch or sample"]),
    ("search: {warmup_epochs: 40}\n", ["search.warmup_epochs: 40"]),
    ("search: 4\n", [": search: not a section"]),
    ("temperature: {start: 0}\n", ["temperature.start: 0", "above 0"]),
    ("temperature: {start: .nan}\n", ["temperature.start: .nan"]),
    ("temperature: {end: .inf}\n", ["temperature.end: .inf"]),
    ("loss: {alpha: 0}\n", ["loss.alpha: 0"]),
    ("loss: {form: paper, beta: -0.6}\n", ["loss.beta: -0.6"]),
    ("loss: {form: target}\n", ["budget: the target form needs one", "budget.latency"]),
    ("loss: {budget: 4}\n", ["loss.budget: unknown key", "budget"]),
    ("budget: {latency: 2, flops: 4}\n", ["budget: limits flops and latency"]),
    ("budget: {latency: 2}\nsearch: {cost: flops}\n", ["search.cost: is flops", "latency"]),
    ("budget: {latency: -2}\n", ["budget.latency: -2"]),
    ("search: {cost: time}\n", ["search.cost: time", "latency"]),
    ("seed: -1\n", [": seed: -1"]),
    ("preset: digit\n", [": preset: digit", "cifar-small"]),
    ("data: {shift: 8}\n", ["data.shift: 8"]),
    ("data: {source: ''}\n", ["data.source"]),
    ("- a\n- b\n", ["not a section"]),
    ("search: {batch: 4\n", ["not YAML", "line"]),
    ("search:\n\tbatch: 4\n", ["not YAML"]),
    ("seed: 1\nseed: 2\n", ["seed", "twice"]),
    ("? [a]\n: 4\n", ["not a word"]),
  ]

  @Test(arguments: faults.indices)
  func `a fault in a file is reported in one line`(index: Int) throws {
    let (yaml, words) = Self.faults[index]
    try inTemporaryFolder {
      let path = try write(yaml, to: $0)
      let error = try #require(try userError { _ = try Configuration.load(path: path) }, "\(yaml)")
      #expect(error.code == .configuration)
      #expect(error.description.hasPrefix(path + ": "), "\(error)")
      #expect(!error.description.contains("\n"))
      for word in words { #expect(error.description.contains(word), "\(error)") }
    }
  }

  @Test func `plain decimal numbers are what they are, wherever they come from`() throws {
    let rates = [
      "5e-2": 0.05, ".5": 0.5, "0.05": 0.05, "+1.": 1, "1E1": 10, "2": 2, "007.5": 7.5, "0.0e1": 0,
    ]
    for (text, rate) in rates where rate > 0 {
      try inTemporaryFolder {
        let path = try write("weights: {learning_rate: \(text)}\nseed: 0\n", to: $0)
        let config = try Configuration.load(path: path)
        #expect(config.weights.learningRate == rate, "\(text)")
        #expect(config.seed == 0)
      }
      let set = try Configuration.preset("digits", overrides: ["weights.learning_rate=\(text)"])
      #expect(set.weights.learningRate == rate, "\(text)")
    }
  }

  @Test func `numbers of other kinds are refused from --set and in recipes, too`() throws {
    for (text, words) in [
      ("010", "leading zero"), ("1:30", "base 60"), ("'12'", "quoted"), ("\"12\"", "quoted"),
      ("0x10", "hexadecimal"), ("1_0", "underscores"), ("１２", "not allowed"), ("e5", "not allowed"),
    ] {
      let set = try userError {
        _ = try Configuration.preset("digits", overrides: ["seed=\(text)"])
      }
      #expect(set?.problem.contains(words) == true, "\(text)")
      let recipe = try userError { _ = try Recipe().applying(["epochs=\(text)"]) }
      #expect(recipe?.problem.contains(words) == true, "\(text)")
      try inTemporaryFolder {
        let path = try write("epochs: \(text)\n", to: $0)
        let file = try userError { _ = try Recipe.load(path: path) }
        #expect(file?.problem.contains(words) == true, "\(text)")
      }
    }
  }

  @Test func `files that cannot be read are told apart`() throws {
    try inTemporaryFolder { folder in
      func code(_ path: String) throws -> UserError.Code? {
        try userError { _ = try Configuration.load(path: path) }?.code
      }
      #expect(try code(folder + "/none.yaml") == .noInput)
      #expect(try code(folder) == .noInput)
      let path = folder + "/latin.yaml"
      try Data([0x73, 0xE9, 0xFF]).write(to: URL(fileURLWithPath: path))
      #expect(try code(path) == .data)
    }
  }

  @Test func `a value made in code is checked like a file`() throws {
    var config = try Configuration.preset("digits")
    config.temperature.start = .nan
    #expect(try userError { try config.validate() }?.place == "temperature.start")
    config = try Configuration.preset("digits")
    config.search.batch = -1
    #expect(try userError { try config.validate(place: "f") }?.place == "f: search.batch")
  }
}
