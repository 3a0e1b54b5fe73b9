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
  ///
  /// `threads` are in place of those of the settings; nil for those.
  package static func make(threads: Int? = nil) -> Trainer.MakeSession {
    { settings, preparation in
      guard case .training(var settings) = settings else {
        throw UserError(.data, preparation.folder.path, "is a search, not a training")
      }
      if let threads { settings.threads = threads }
      return try preparation.session(try NetworkTask(settings, preparation))
    }
  }
}
