import Runs

extension DeriveCommand {
  /// The settings of the trainings: the recipe, and else what the search has.
  ///
  /// Errors: `.configuration` or `.usage` for keys and values that no recipe has.
  func settings(_ search: Configuration) throws -> TrainingConfiguration {
    var settings = TrainingConfiguration(
      network: search.preset,
      data: .init(source: search.data.source, resolution: search.data.resolution),
      recipe: try recipe.map { try Recipe.load(path: $0) } ?? Recipe()
    )
    settings.seed = seed ?? search.seed
    settings.threads = threads ?? search.threads
    settings.data.skipBadImages = search.data.skipBadImages
    settings.data.cache = search.data.cache
    settings.recipe.shift = search.data.shift
    settings.recipe.flip = search.data.flip
    // 0 means no training at all, which no recipe can say.
    let epochs = retrainEpochs == 0 ? nil : retrainEpochs.map { "recipe.epochs=\($0)" }
    try settings.apply((epochs.map { [$0] } ?? []) + assignments)
    if retrainEpochs == 0 { settings.recipe.epochs = 0 }
    return settings
  }
}
