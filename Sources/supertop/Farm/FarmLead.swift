import Runs
import Search
import Training

/// A trainer that leads a joint search for the workers of a farm.
struct FarmLead {
  let folder: RunFolder
  let json: Bool
  /// Whether nothing is printed but warnings and the result.
  var isQuiet = false

  /// Prints what the search does until its end.
  func watch(_ trainer: Trainer) throws -> Trainer.Outcome {
    trainer.start()
    // Its store is this process's to read as long as it leads.
    let step = trainer.firstStep - 1
    let printer =
      try isQuiet ? nil : ProgressPrinter(folder, json: json, after: step, output: Output())
    var outcome: Trainer.Outcome?
    while outcome == nil {
      outcome = trainer.wait(seconds: 0.1)
      try printer?.poll()
    }
    if case .finished(let result)? = outcome { try printer?.end(result, folder) }
    return outcome ?? .stopped
  }

  /// Records what workers have reported, and picks what follows from it, without any training.
  func collect() throws {
    let trainer = try Trainer(folder: folder, work: JointWork(parallel: 0))
    if case .failed(let error) = try watch(trainer) { throw error }
  }
}
