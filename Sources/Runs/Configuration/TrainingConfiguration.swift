/// Everything that the training of one network is made of, but the architecture in `network.json`.
package struct TrainingConfiguration: Codable, Sendable, Equatable {
  /// Name of the architecture.
  package var network: String
  /// Seed of every random number (spec S121).
  package var seed: UInt64 = 1
  /// Worker threads; 0 means one for each core.
  package var threads = 0
  /// Parts of a batch that are steps of their own, and whose gradients are added (spec S103).
  package var shards = 1
  /// How activations are kept between the two passes of a step.
  package var precision = Configuration.Precision.float32
  /// Whether the widest activations are computed again in the backward pass instead of kept.
  package var recompute = false
  /// What to train on.
  package var data: Images
  /// How to train.
  package var recipe: Recipe

  /// What to train on; shift and flip are the recipe's.
  package struct Images: Codable, Sendable, Equatable {
    /// `digits`, a folder, or `cifar10:FOLDER`.
    package var source: String
    /// Side of the square images fed to the network, pixels.
    package var resolution: Int
    /// Count undecodable images and continue instead of stopping.
    package var skipBadImages = false
    /// Folder for the packed images; empty means the user's cache folder.
    package var cache = ""

    /// Images of `source`, `resolution` pixels a side.
    package init(source: String, resolution: Int) {
      self.source = source
      self.resolution = resolution
    }

    enum CodingKeys: String, CodingKey {
      case source, resolution, cache
      case skipBadImages = "skip_bad_images"
    }
  }

  /// Trains `network` on `data` by `recipe`.
  package init(network: String, data: Images, recipe: Recipe = Recipe()) {
    self.network = network
    self.data = data
    self.recipe = recipe
  }

  /// The data set as a search would name it.
  package var dataSettings: Configuration.DataSettings { data.settings(recipe) }
}

extension TrainingConfiguration.Images {
  /// The data set as a search would name it, with shift and flip of a recipe.
  func settings(_ recipe: Recipe) -> Configuration.DataSettings {
    Configuration.DataSettings(
      source: source,
      resolution: resolution,
      shift: recipe.shift,
      flip: recipe.flip,
      skipBadImages: skipBadImages,
      cache: cache
    )
  }
}

extension TrainingConfiguration: KeyedSettings {
  /// Always the training of one network.
  package var kind: RunKind? { .training }

  /// Every key, in the order in which a file is written; those that a search has too are the same.
  static let keys: KeyTable = {
    func shared(_ path: String) -> ConfigurationKey? { Configuration.keys.at(path) }
    let settings = ["seed", "threads", "shards", "precision", "recompute"].compactMap(shared)
    let data = [
      "data", "data.source", "data.resolution", "data.skip_bad_images", "data.cache",
    ].compactMap(shared)
    let recipe = Recipe.keys.all.map {
      ConfigurationKey("recipe." + $0.path, $0.kind, $0.meaning)
    }
    return KeyTable(
      all: [.runKind, .init("network", .text(mayBeEmpty: false), "Name of the network.")]
        + settings + data
        + [.init("recipe", .section, "How to train.")] + recipe
    )
  }()

  /// Overrides keys from `key.path=value` texts, `recipe.` or another section left out at will, and
  /// checks the outcome as a whole.
  package mutating func apply(_ assignments: [String]) throws {
    let before = recipe
    let said = try assign(assignments)
    recipe.fitWarmup(from: before, said: said)
    try checkTogether(Origin(prefix: "--set ", keys: Self.keys))
  }

  /// Checks types, ranges and how the keys fit together.
  package func validate() throws {
    let origin = Origin(prefix: "", keys: Self.keys)
    try origin.check(tree(), at: "", shown: "")
    try checkTogether(origin)
  }

  /// All settings as YAML; `RunSettings.load` gives back an equal value.
  package func yaml() -> String { text() }

  private func checkTogether(_ origin: Origin) throws {
    try origin.checkTogether(recipe, at: "recipe.")
    if recipe.shift >= data.resolution {
      throw origin.error(
        "recipe.shift",
        "\(recipe.shift) can move an image of \(data.resolution) away",
        remedy: "keep it below data.resolution"
      )
    }
  }
}
