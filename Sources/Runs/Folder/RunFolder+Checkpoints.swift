import Foundation

extension RunFolder {
  /// Checkpoints that stay on disk.
  private static let kept = 3

  /// Path of the checkpoint after `step` steps.
  package func checkpointPath(step: Int) -> String {
    let digits = "\(step)"
    let zeros = String(repeating: "0", count: max(0, 8 - digits.count))
    return "\(checkpointsPath)/step-\(zeros)\(digits).safetensors"
  }

  /// Writes the state after `step` steps, whole or not at all, and keeps the newest three.
  ///
  /// Checkpoints of later steps belong to a future that a resume has left and go too.
  package func writeCheckpoint(_ checkpoint: Checkpoint, step: Int) throws {
    try checkpoint.write(to: checkpointPath(step: step))
    let steps = checkpointSteps()
    for old in Set(steps).subtracting(steps.filter { $0 <= step }.suffix(Self.kept)) {
      unlink(checkpointPath(step: old))
    }
    // What a killed writer left behind; the lock makes this process the only writer.
    for name in names(in: checkpointsPath) ?? [] where name.hasSuffix(unfinishedSuffix) {
      unlink("\(checkpointsPath)/\(name)")
    }
  }

  /// The newest checkpoint that can be read, with the number of steps it was taken after.
  ///
  /// A broken one is passed over for the one before it, and `warn` gets a line about it. Nil when
  /// there is none at all; `.data` when all are broken.
  package func latestCheckpoint(
    warn: (String) -> Void = { _ in }
  ) throws -> (checkpoint: Checkpoint, step: Int)? {
    let steps = checkpointSteps()
    for step in steps.reversed() {
      do {
        return (try Checkpoint.read(from: checkpointPath(step: step)), step)
      } catch let error as UserError {
        warn("checkpoint passed over: \(error)")
      }
    }
    guard steps.isEmpty else {
      throw UserError(
        .data,
        checkpointsPath,
        "\(Format.counted(steps.count, "checkpoint")), none of which can be read",
        remedy: "restore one from a copy, or start a new run"
      )
    }
    return nil
  }

  /// Steps of the checkpoints on disk, ascending.
  package func checkpointSteps() -> [Int] {
    (names(in: checkpointsPath) ?? [])
      .compactMap { name in
        name.wholeMatch(of: /step-(\d{8,})\.safetensors/).flatMap { Int($0.1) }
      }
      .sorted()
  }
}
