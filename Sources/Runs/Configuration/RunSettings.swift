import Yams

/// What a run is made of: a search of either kind, or the training of one network.
package enum RunSettings: Sendable, Equatable {
  case search(Configuration)
  case joint(JointConfiguration)
  case training(TrainingConfiguration)

  /// What the run does.
  package var kind: RunKind {
    switch self {
    case .search(let settings): settings.search.algorithm == .random ? .random : .search
    case .joint: .joint
    case .training: .training
    }
  }

  /// What runs of these settings are called: the preset, or the network.
  package var name: String {
    switch self {
    case .search(let settings): settings.preset
    case .joint(let settings): settings.preset
    case .training(let settings): settings.network
    }
  }

  /// What to train on.
  package var data: Configuration.DataSettings {
    switch self {
    case .search(let settings): settings.data
    case .joint(let settings): settings.dataSettings
    case .training(let settings): settings.dataSettings
    }
  }

  /// Seed of every random number.
  package var seed: UInt64 {
    switch self {
    case .search(let settings): settings.seed
    case .joint(let settings): settings.seed
    case .training(let settings): settings.seed
    }
  }

  /// Metric of the run's costs; FLOPs where nothing is weighed.
  package var metric: Configuration.SearchSettings.Cost {
    switch self {
    case .search(let settings): settings.search.cost
    case .joint, .training: .flops
    }
  }

  /// Epochs of the whole run, in a joint search those of a candidate.
  package var epochs: Int {
    switch self {
    case .search(let settings): settings.search.epochs
    case .joint(let settings): settings.recipe.epochs
    case .training(let settings): settings.recipe.trainedEpochs
    }
  }

  /// Reads a run's `config.yaml`, whose key `kind` says what it holds.
  ///
  /// Errors: `.noInput` for a file that cannot be read, `.configuration` for anything wrong in it.
  package static func load(path: String) throws -> RunSettings {
    let origin = Origin(prefix: path + ": ", keys: TrainingConfiguration.keys)
    guard let node = try origin.parse(try readText(path)),
      let word = node.mapping?["kind"]?.scalar?.string
    else {
      throw origin.error("kind", "missing", remedy: "give \(ConfigurationKey.runKind.kind.range)")
    }
    switch RunKind(rawValue: word) {
    case .search, .random: return .search(try Configuration.load(path: path))
    case .joint: return .joint(try JointConfiguration.load(path: path))
    case .training:
      let base = TrainingConfiguration(
        network: "network",
        data: TrainingConfiguration.Images(source: "digits", resolution: 8)
      )
      let settings = try origin.overlay(node, on: base)
      try settings.validate()
      return .training(settings)
    case nil:
      // The check of the keys words the error.
      try origin.check(node, at: "", shown: "")
      throw origin.error("kind", "unknown", remedy: "give \(ConfigurationKey.runKind.kind.range)")
    }
  }

  func validate() throws {
    switch self {
    case .search(let settings): try settings.validate()
    case .joint(let settings): try settings.validate()
    case .training(let settings): try settings.validate()
    }
  }

  func yaml() -> String {
    switch self {
    case .search(let settings): settings.yaml()
    case .joint(let settings): settings.yaml()
    case .training(let settings): settings.yaml()
    }
  }
}
