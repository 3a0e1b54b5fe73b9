import ArgumentParser
import Foundation
import Runs
import Search
import Training

/// `supertop replay RUN`: repeats a run with all that was asked of it, and compares bit for bit
/// (spec S82).
struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Repeat a run with its recorded requests, and check that every bit is the same.",
    discussion: """
      The repetition takes up each request before the step at which the run took it up, refused \
      ones too. Steps, architecture parameters, epochs, requests and the last checkpoint are \
      compared. A run that is not finished is repeated up to its newest checkpoint. The exit code \
      is 65 where something differs.
      """
  )

  @Argument(help: ArgumentHelp("Folder of the run.", valueName: "run"), completion: .directory)
  var path: String

  @Option(
    name: .customLong("run"),
    help: ArgumentHelp(
      "Folder of the repetition (default: one that is removed again).",
      valueName: "folder"
    ),
    completion: .directory
  )
  var replayPath: String?

  @Flag(help: "Print one JSON object.")
  var json = false

  private struct Report: Encodable {
    var event = "replay"
    var run: String
    var replay: String?
    var identical: Bool
    var steps: Int
    var interventions: Int
    var refused: Int
    var firstDifference: RunComparison.Difference?
    var seconds: Double

    enum CodingKeys: String, CodingKey {
      case event, run, replay, identical, steps, interventions, refused, seconds
      case firstDifference = "first_difference"
    }
  }

  func run() throws {
    let start = Date()
    let folder = try RunFolder.open(path: path)
    let place =
      replayPath
      ?? FileManager.default.temporaryDirectory
      .appendingPathComponent("supertop-replay-\(ProcessInfo.processInfo.processIdentifier)").path
    let copy = try folder.makeReplay(at: place)
    defer { if replayPath == nil { removeAll(copy.path) } }
    try train(copy)
    let found = try RunComparison(folder, copy)
    if json {
      try Output().json(
        Report(
          run: folder.absolutePath,
          replay: replayPath == nil ? nil : copy.absolutePath,
          identical: found.isIdentical,
          steps: found.steps,
          interventions: found.interventions,
          refused: found.refused,
          firstDifference: found.firstDifference,
          seconds: Date().timeIntervalSince(start).rounded(to: 2)
        )
      )
    } else if found.isIdentical {
      Output().line(
        "identical: \(Format.counted(found.steps, "step")), "
          + "\(Format.counted(found.interventions, "request")) (\(found.refused) refused), "
          + "epochs, θ and weights"
      )
    }
    if let difference = found.firstDifference {
      throw UserError(
        .data,
        "\(path): \(difference.table)",
        "step \(difference.step) differs: \(difference.recorded) is now \(difference.replayed)",
        remedy: "bits depend on the instruction set, the program's version and the data"
      )
    }
  }

  /// Trains the repetition to its end; a signal ends it with its exit code.
  private func train(_ copy: RunFolder) throws {
    let trainer = try Trainer(folder: copy)
    let reader = try copy.reader()
    let stop = StopRequest(reader)
    let ticker = WorkTicker()
    trainer.start()
    while true {
      if let outcome = trainer.wait(seconds: 0.1) {
        ticker.clear()
        if case .failed(let error) = outcome { throw error }
        return
      }
      guard let status = try reader.status() else { continue }
      let share = Double(status.step) / Double(max(1, status.totalSteps))
      do {
        try ticker.show(share, "replaying step \(status.step)", secondsLeft: status.etaSeconds)
      } catch {
        stop.ask()
        while trainer.wait(seconds: 1) == nil {}
        throw error
      }
    }
  }
}
