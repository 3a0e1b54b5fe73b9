import Runs

extension NetworkTask {
  /// Builds the training that a run's settings ask for.
  package convenience init(
    _ settings: TrainingConfiguration,
    _ preparation: Trainer.Preparation
  ) throws {
    try self.init(
      settings,
      folder: preparation.folder,
      data: preparation.data,
      ranks: preparation.ranks
    )
    if preparation.isNew, let finding { try preparation.log(.warning, finding) }
  }

  /// The same for a trainer that knows trainings alone; errors: `.data` for the settings of a
  /// search.
  package static let make: Trainer.MakeSession = { settings, preparation in
    guard case .training(let settings) = settings else {
      throw UserError(.data, preparation.folder.path, "is a search, not a training")
    }
    return try preparation.session(try NetworkTask(settings, preparation))
  }
}
