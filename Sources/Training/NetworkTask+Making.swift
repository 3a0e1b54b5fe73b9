import Runs

extension NetworkTask {
  /// Builds the training that a run's settings ask for.
  package convenience init(
    _ settings: TrainingConfiguration,
    _ preparation: Trainer.Preparation
  ) throws {
    try self.init(settings, folder: preparation.folder, data: preparation.data)
    if preparation.isNew, let finding { try preparation.log(.warning, finding) }
  }
}
