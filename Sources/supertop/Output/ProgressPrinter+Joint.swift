import Runs

extension ProgressPrinter {
  /// Prints candidates that have settled since the last look; as JSON those that have changed.
  func showCandidates() throws {
    for (before, trial) in try trials.next(reader) {
      if json {
        line(try object("candidate", trial))
      } else if trial.isSettled, before?.isSettled != true {
        line(text(trial))
      }
    }
  }

  private func text(_ trial: TrialRecord) -> String {
    let name = "candidate \(trial.number)"
    guard trial.state == .finished, let accuracy = trial.accuracies.last else {
      return "\(name) \(trial.state.rawValue)" + (trial.message.isEmpty ? "" : ": \(trial.message)")
    }
    return "\(name) (\(trial.stage == .coarse ? "round \(trial.round + 1)" : trial.stage.rawValue))"
      + ": val \(Format.percent(accuracy))"
      + (trial.predicted.map { ", predicted \(Format.percent($0))" } ?? "")
      + ", \(Format.count(trial.flops)) FLOPs, \(Format.count(trial.params)) params, "
      + "\(trial.resolution) px, \(trial.recipe.summary), \(Format.duration(trial.seconds))"
  }

  /// Says what a joint search came to.
  func end(_ result: JointResult, _ folder: RunFolder) {
    line(
      "done: candidate \(result.candidate) of \(result.trainedCandidates), validation accuracy "
        + "\(Format.percent(result.validationAccuracy)), "
        + "\(Format.percent(result.testAccuracy)) on the test images"
    )
    line(
      "\(Format.count(result.flops)) FLOPs, \(Format.count(result.params)) parameters by rule "
        + "madds; recipe: \(result.recipe.summary)"
    )
    line(
      "picked blindly: \(Format.percent(result.sampledMean)) on average, "
        + "deviation \(Format.percent(result.sampledDeviation))"
        + (result.predictorRankCorrelation.map {
          "; the predictor ranks unseen candidates by \(Format.fixed($0, 2))"
        } ?? "")
    )
    line(
      "saved in \(folder.exportsPath): network.safetensors, network.json, recipe.yaml",
      linking: folder.exportsPath
    )
  }
}
