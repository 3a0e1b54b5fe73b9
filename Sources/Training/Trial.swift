import Networks
import Runs

/// One candidate that is to be trained from scratch, as a run of its own.
///
/// The same network under the same name and settings is the same trial, whoever asks for it.
package struct Trial: Sendable {
  /// Name of the trial's run: a plain file name.
  package var name: String
  /// What is trained.
  package var network: NetworkDescription
  /// How it is trained.
  package var settings: TrainingConfiguration

  /// Weights to begin with; nil where they are sampled.
  package var start: Checkpoint?
  /// What is known of the images that it is to be trained on; nil where that is not checked.
  package var data: DataFingerprint?

  package init(
    name: String,
    network: NetworkDescription,
    settings: TrainingConfiguration,
    start: Checkpoint? = nil
  ) {
    self.name = name
    self.network = network
    self.settings = settings
    self.start = start
  }

  /// How far a trial has come.
  package struct Progress: Sendable {
    /// Where it is trained.
    package var run: RunFolder
    /// The last epoch that is done; nil before the first.
    package var lastEpoch: EpochRecord?
    /// Epochs in all.
    package var epochs: Int
    /// What it came to; nil before its end.
    package var result: TrainingResult?

    /// How far the training of `trial` in `run` has come, as that reports it.
    init(of trial: Trial, _ run: RunFolder, _ report: TrialReport) {
      self.run = run
      lastEpoch = report.epochs.last
      epochs = trial.settings.recipe.trainedEpochs
      result = report.result
    }

    /// Epochs that are done.
    package var epochsDone: Int { (lastEpoch?.epoch ?? -1) + 1 }
  }
}
