import Yams

extension JointConfiguration {
  /// The settings that the file at `path` and then the `key.path=value` overrides make.
  ///
  /// A file may be partial: it starts from its `preset:` (default `fbnet-v3-digits`). Errors:
  /// `.noInput` for a file that cannot be read, `.configuration` for anything wrong in it.
  package static func load(path: String, overrides: [String] = []) throws -> JointConfiguration {
    let origin = Origin(prefix: path + ": ", keys: keys)
    let node = try origin.parse(try readText(path))
    let name = node?["preset"]?.scalar?.string
    // An unknown preset is reported by the check inside `overlay`.
    var settings = try name.flatMap { try? preset($0) } ?? preset(presetNames[0])
    if let node, !origin.isNull(node) {
      let base = settings.recipe
      settings = try origin.overlay(node, on: settings)
      settings.recipe.fitWarmup(from: base, said: origin.paths(node))
    }
    try settings.apply(overrides)
    try origin.checkTogether(settings)
    return settings
  }

  /// A preset with `key.path=value` overrides, checked as a whole.
  package static func preset(_ name: String, overrides: [String]) throws -> JointConfiguration {
    var settings = try preset(name)
    try settings.apply(overrides)
    try Origin(prefix: "--set ", keys: keys).checkTogether(settings)
    return settings
  }

  /// Overrides keys, a warm-up with the epochs.
  private mutating func apply(_ assignments: [String]) throws {
    let before = recipe
    let said = try assign(assignments)
    recipe.fitWarmup(from: before, said: said)
  }

  /// Overrides one key from `key.path=value`, checking that key's type and range only.
  package mutating func set(_ assignment: String) throws { try assign(assignment) }

  /// The data set as other searches name it.
  package var dataSettings: Configuration.DataSettings { data.settings(recipe) }

  /// Checks types, ranges and how the keys fit together.
  package func validate() throws {
    let origin = Origin(prefix: "", keys: Self.keys)
    try origin.check(tree(), at: "", shown: "")
    try origin.checkTogether(self)
  }

  /// All settings as YAML; `load` gives back an equal value.
  package func yaml() -> String { text() }
}

extension Origin {
  /// Checks what concerns several keys of a joint search at once.
  func checkTogether(_ settings: JointConfiguration) throws {
    try checkTogether(settings.recipe, at: "recipe.")
    let space = settings.space
    if let largest = space.resolutions.last, largest != settings.data.resolution {
      throw error(
        "space.resolutions",
        "ends with \(largest), but the images have \(settings.data.resolution) pixels a side",
        remedy: "make the last one data.resolution"
      )
    }
    let smallest = space.resolutions.first ?? settings.data.resolution
    if settings.recipe.shift >= smallest {
      throw error(
        "recipe.shift",
        "\(settings.recipe.shift) can move an image of \(smallest) away",
        remedy: "keep it below the smallest side of the images"
      )
    }
    for (index, stage) in space.stages.enumerated() {
      try check(stage, at: "space.stages[\(index)]")
    }
    try checkChoices(settings)
    if settings.recipe.stopEpoch > 0 {
      throw error(
        "recipe.stop_epoch",
        "a joint search finds it",
        remedy: "leave it 0 and set search.rank_correlation"
      )
    }
  }

  private func check(_ stage: JointConfiguration.Space.Stage, at path: String) throws {
    if let even = stage.kernels.first(where: { $0 % 2 == 0 || $0 > 31 }) {
      throw error("\(path).kernels", "\(even) is no odd side up to 31", remedy: "give 3, 5 or 7")
    }
    for (key, count) in [
      ("widths", stage.widths.count), ("depths", stage.depths.count),
      ("first_expansions", stage.firstExpansions.count), ("expansions", stage.expansions.count),
    ] where count > JointConfiguration.mostOptions {
      throw error(
        "\(path).\(key)",
        "\(count) options",
        remedy: "give \(JointConfiguration.mostOptions) at most"
      )
    }
  }

  /// Checks that each list is short enough for a name's digit, and that something is left to
  /// choose.
  private func checkChoices(_ settings: JointConfiguration) throws {
    let (space, ranges) = (settings.space, settings.ranges)
    let recipe = [
      ("optimisers", ranges.optimisers.count), ("learning_rates", ranges.learningRates.count),
      ("weight_decays", ranges.weightDecays.count), ("mixups", ranges.mixups.count),
      ("dropouts", ranges.dropouts.count), ("drop_paths", ranges.dropPaths.count),
      ("emas", ranges.emas.count),
    ].map { ("ranges." + $0.0, $0.1) }
    let network = [
      ("space.resolutions", space.resolutions.count),
      ("space.stem.widths", space.stem.widths.count),
    ]
    for (path, count) in recipe + network where count > JointConfiguration.mostOptions {
      throw error(
        path,
        "\(count) options",
        remedy: "give \(JointConfiguration.mostOptions) at most"
      )
    }
    let choosesRecipe = recipe.contains { $0.1 > 1 }
    let choosesNetwork = network.contains { $0.1 > 1 } || space.stages.contains(where: \.hasChoice)
    let algorithm = settings.search.algorithm
    if algorithm == .recipe ? !choosesRecipe : algorithm == .architecture && !choosesNetwork {
      throw error(
        "search.algorithm",
        "is \(algorithm.rawValue), but nothing of that is left to choose",
        remedy: "give a list of \(algorithm == .recipe ? "ranges" : "space") more than one option"
      )
    }
    if !choosesRecipe, !choosesNetwork {
      throw error("space", "leaves nothing to choose", remedy: "give a list more than one option")
    }
  }
}

extension JointConfiguration {
  /// Options of one choice: an architecture's name has a digit in base 36 for each.
  fileprivate static let mostOptions = 36
}

extension JointConfiguration.Space.Stage {
  /// Whether any of its lists has more than one option.
  fileprivate var hasChoice: Bool {
    [
      widths.count, depths.count, kernels.count, firstExpansions.count, expansions.count,
      squeeze.count, activations.count,
    ].contains { $0 > 1 }
  }
}
